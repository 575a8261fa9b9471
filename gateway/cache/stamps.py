"""Stamps: one for each topic, new with each write that touches it.

An entry is true while its topics still have the stamps that they had before
Glance was asked. There are 65536 places for stamps, so that they are bounded
however many images there are; two topics that share one only forget too much.
"""

import hashlib
import mmap
import os
from functools import lru_cache
from pathlib import Path

from gateway.cache.entry import STAMP_BYTES, Stamps

PLACES = 65_536


@lru_cache(maxsize=4096)
def place_of(topic: str) -> int:
    """Return the place of a topic's stamp, 0 to 65535, the same everywhere."""
    return int.from_bytes(hashlib.blake2b(topic.encode(), digest_size=2).digest())


class StampTable:
    """The stamps that the workers of one gateway share.

    In a file that every worker maps, or in this process alone.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Use the file, which `create_stamps` has made, or memory of our own."""
        if file is None:
            self._table = mmap.mmap(-1, PLACES * STAMP_BYTES)
            return
        with file.open("r+b") as opened:
            self._table = mmap.mmap(opened.fileno(), PLACES * STAMP_BYTES)

    def read(self, topics: tuple[str, ...]) -> Stamps:
        """Return the stamp of each topic."""
        table = self._table
        starts = [place_of(topic) * STAMP_BYTES for topic in topics]
        return tuple([table[start : start + STAMP_BYTES] for start in starts])

    def renew(self, topics: tuple[str, ...]) -> Stamps:
        """Give each topic a stamp that it never had, and return them."""
        stamps = tuple([os.urandom(STAMP_BYTES) for _ in topics])
        for topic, stamp in zip(topics, stamps, strict=True):
            start = place_of(topic) * STAMP_BYTES
            self._table[start : start + STAMP_BYTES] = stamp
        return stamps


def create_stamps(file: Path) -> None:
    """Make the file of a table that has no stamps yet."""
    file.write_bytes(bytes(PLACES * STAMP_BYTES))
