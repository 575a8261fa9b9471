"""Topic versions that have not been sent to Valkey yet."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice

from aiocache import RedisCache
from redis.exceptions import RedisError

from gateway.cache.entry import PART_BYTES, VERSION_BYTES, Versions
from gateway.cache.shared_places import ATTEMPTS, SECRET_KEY, SharedPlaces
from gateway.cache.store import Topics

# With more unsent topics than these, everything is invalidated instead.
MAX_TOPICS = 10_000
# What is sent at once takes a few milliseconds.
CHUNK_TOPICS = 500


class SecretChanges(RedisError):
    """The server's secret has changed during each attempt."""


@dataclass(eq=False, slots=True)
class _Change:
    """A topic's version to be replaced; `version` is the new one, None until sent."""

    is_doubt: bool
    version: bytes | None = None


Changes = Mapping[str, _Change]


class Unsent:
    """The topics to be invalidated or marked doubtful; true while there are any."""

    def __init__(self, cache: RedisCache, places: SharedPlaces) -> None:
        """Send through `cache`."""
        self._cache = cache
        self._places = places
        self._changes: dict[str, _Change] = {}
        self._overflows = 0

    def __bool__(self) -> bool:
        """Return whether anything has to be sent."""
        return bool(self._changes or self._overflows)

    def renew(self, topics: Topics) -> Changes:
        """Add topics to invalidate; return changes, for `versions_of` after `send`."""
        return self._add({topic: _Change(is_doubt=False) for topic in topics})

    def doubt(self, topics: Topics) -> None:
        """Add topics to mark doubtful; those to be invalidated stay so."""
        known = self._changes
        self._add(
            {
                topic: _Change(is_doubt=topic not in known or known[topic].is_doubt)
                for topic in topics
            }
        )

    async def send(self) -> bool:
        """Send the oldest changes, with new versions each time.

        Returns whether these were all that there were. Raises SecretChanges.
        """
        if self._overflows:
            overflows = self._overflows
            await self._places.rotate()
            self._overflows -= overflows
        is_last = len(self._changes) <= CHUNK_TOPICS
        if self._changes:
            await self._send(dict(islice(self._changes.items(), CHUNK_TOPICS)))
        return is_last

    def _add(self, changes: Changes) -> Changes:
        self._changes |= changes
        if len(self._changes) > MAX_TOPICS:
            self._changes.clear()
            self._overflows += 1
        return changes

    async def _send(self, changes: Changes) -> None:
        """Send versions under the server's current secret; raises SecretChanges."""
        for _ in range(ATTEMPTS):
            shared = await self._places.names()
            names = {topic: shared.of(topic) for topic in changes}
            renewed = {
                names[topic]: os.urandom(VERSION_BYTES)
                for topic, change in changes.items()
                if not change.is_doubt
            }
            doubted = {*names.values()} - renewed.keys()
            secret = await self._set_versions(renewed, doubted)
            if self._places.are_current(shared, secret):
                self._note_sent(changes, names, renewed)
                return
        raise SecretChanges

    async def _set_versions(
        self, renewed: Mapping[str, bytes], doubted: Collection[str]
    ) -> bytes | None:
        """Set versions in one round trip, and return the server's secret."""
        async with self._cache.client.pipeline(transaction=False) as pipe:
            if renewed:
                pipe.mset(renewed)
            for name in doubted:
                pipe.setrange(name, PART_BYTES, os.urandom(PART_BYTES))
            pipe.get(SECRET_KEY)
            *_, secret = await pipe.execute()
        found: bytes | None = secret
        return found

    def _note_sent(
        self, changes: Changes, names: Mapping[str, str], renewed: Mapping[str, bytes]
    ) -> None:
        for topic, change in changes.items():
            change.version = renewed.get(names[topic])
            if self._changes.get(topic) is change:
                del self._changes[topic]


def versions_of(changes: Changes, topics: Topics) -> Versions | None:
    """Return the new versions of the topics, None if one is not sent yet."""
    versions = [changes[topic].version for topic in topics]
    sent = [version for version in versions if version is not None]
    return tuple(sent) if len(sent) == len(versions) else None
