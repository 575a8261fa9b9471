"""Topic versions that the workers of one gateway share.

A version has two parts: a write replaces both of them, a write whose outcome is open
only the second one. An entry is valid while its topics have the versions that they
had before the call to Glance. It is doubtful if only second parts differ.
"""

import mmap
import os
from pathlib import Path

from gateway.cache.entry import PART_BYTES, VERSION_BYTES, Versions
from gateway.cache.places import PLACES, SECRET_BYTES, Places

TABLE_BYTES = PLACES * VERSION_BYTES


class VersionTable:
    """The secret of the places, followed by a version for each place.

    It is in a file that every worker maps, or in the memory of this process.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Use the file, which `create_versions` has made, or memory of our own."""
        size = SECRET_BYTES + TABLE_BYTES
        if file is None:
            self._table = mmap.mmap(-1, size)
            self._table[:SECRET_BYTES] = os.urandom(SECRET_BYTES)
        else:
            with file.open("r+b") as opened:
                self._table = mmap.mmap(opened.fileno(), size)
        self._place_of = Places(self._table[:SECRET_BYTES]).of

    def read(self, topics: tuple[str, ...]) -> Versions:
        """Return the version of each topic."""
        table, place_of = self._table, self._place_of
        starts = [SECRET_BYTES + place_of(topic) * VERSION_BYTES for topic in topics]
        return tuple([table[start : start + VERSION_BYTES] for start in starts])

    def renew(self, topics: tuple[str, ...]) -> Versions:
        """Give each topic a new version, and return the new versions."""
        versions = tuple([os.urandom(VERSION_BYTES) for _ in topics])
        for topic, version in zip(topics, versions, strict=True):
            start = self._start(topic)
            self._table[start : start + VERSION_BYTES] = version
        return versions

    def doubt(self, topics: tuple[str, ...]) -> None:
        """Give each topic's version a new second part."""
        for topic in topics:
            start = self._start(topic) + PART_BYTES
            self._table[start : start + PART_BYTES] = os.urandom(PART_BYTES)

    def _start(self, topic: str) -> int:
        return SECRET_BYTES + self._place_of(topic) * VERSION_BYTES


def create_versions(file: Path) -> None:
    """Create the file of a table, with a new secret and without versions."""
    file.touch(mode=0o600)
    file.write_bytes(os.urandom(SECRET_BYTES) + bytes(TABLE_BYTES))
