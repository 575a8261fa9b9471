"""A remembered answer of ours: what was made of reads that are still true."""

import hashlib
from dataclasses import dataclass

from gateway.cache.entry import Stamps
from gateway.identity import Identity

ETAG_BYTES = 12


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """The name of one request of one identity, None for a request without one.

    `request` is all of it that its answer depends on.
    """

    identity: Identity | None
    request: bytes


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """An answer, true while its topics have these stamps and it is fresh.

    `reads` is how many it was made of; `fresh_until` is in seconds since 1970.
    """

    body: bytes
    reads: int
    topics: tuple[str, ...]
    stamps: Stamps
    fresh_until: float


def etag(body: bytes) -> str:
    """Return the body's entity tag, a strong one. Source: RFC 9110, 8.8.3."""
    digest = hashlib.blake2b(body, digest_size=ETAG_BYTES).hexdigest()
    return f'"{digest}"'
