"""A cached response, and its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.cache.entry import CLOCK_SKEW_SECONDS, Versions
from gateway.identity import Identity

# What a topic's name and version take in memory beside their characters.
TOPIC_BYTES = 150


class ResponseKey(msgspec.Struct, frozen=True):
    """The name of one request of one identity, None for a request without one.

    `request` is all of it that its response depends on; it is not in the repr.
    """

    identity: Identity | None
    request: bytes

    def __repr__(self) -> str:
        """Return whose it is."""
        return f"ResponseKey({self.identity!r})"

    def __len__(self) -> int:
        """Return how many bytes it holds, tokens included."""
        identity = self.identity
        if identity is None:
            return len(self.request)
        tokens = len(identity.token) + len(identity.service_token or "")
        return len(self.request) + tokens + len(identity.scope)


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An response, true while its topics have these versions and it is fresh.

    `reads` is how many it was made of; `kept_at` and `fresh_until` are in seconds
    since 1970; `compressed` are other forms of the body, by their encodings.
    """

    body: bytes = field(repr=False)
    reads: int
    topics: tuple[str, ...]
    versions: Versions
    kept_at: float
    fresh_until: float
    compressed: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return how many bytes it holds, about, with its topics and versions."""
        of_topics = sum(map(len, self.topics)) + TOPIC_BYTES * len(self.topics)
        return len(self.body) + sum(map(len, self.compressed.values())) + of_topics

    def is_fresh(self, now: float) -> bool:
        """Return whether it still is; not where a clock was set back since."""
        return self.kept_at - CLOCK_SKEW_SECONDS < now < self.fresh_until
