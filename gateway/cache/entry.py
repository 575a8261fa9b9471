"""A cache entry, in memory and as bytes."""

import math
import struct
from dataclasses import dataclass

MAGIC = b"GGW2"
PART_BYTES = 8
VERSION_BYTES = 2 * PART_BYTES
CLOCK_SKEW_SECONDS = 1.0

_HEAD = struct.Struct("!4sddB")

Versions = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer of Glance's and until when it may be believed.

    `stored_at` is in seconds since 1970, as replicas have no other clock in
    common; `versions` are those of its topics before Glance was asked.
    """

    content: bytes
    stored_at: float
    fresh_seconds: float
    versions: Versions

    def age_seconds(self, now: float) -> float:
        """Return how long ago Glance was asked.

        More than a second in the future is for ever ago: a clock was set back.
        """
        age_seconds = now - self.stored_at
        return age_seconds if age_seconds > -CLOCK_SKEW_SECONDS else math.inf

    def encode(self) -> bytes:
        """Return the entry as bytes that begin with their format's version."""
        head = _HEAD.pack(MAGIC, self.stored_at, self.fresh_seconds, len(self.versions))
        return b"".join((head, *self.versions, self.content))


def is_doubtful(before: Versions, now: Versions) -> bool:
    """Return whether versions differ only by writes whose outcome is open."""
    return before != now and _written_parts(before) == _written_parts(now)


def _written_parts(versions: Versions) -> list[bytes]:
    return [version[:PART_BYTES] for version in versions]


def decode(value: bytes) -> Entry | None:
    """Return the entry, or None for bytes of another format or version."""
    if len(value) < _HEAD.size or not value.startswith(MAGIC):
        return None
    _, stored_at, fresh_seconds, count = _HEAD.unpack_from(value)
    start = _HEAD.size + count * VERSION_BYTES
    if len(value) < start:
        return None
    versions = tuple(
        value[at : at + VERSION_BYTES] for at in range(_HEAD.size, start, VERSION_BYTES)
    )
    return Entry(value[start:], stored_at, fresh_seconds, versions)
