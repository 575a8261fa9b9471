"""Cached responses, valid exactly while every read behind them is valid."""

import time
from dataclasses import replace
from typing import Protocol

from gateway.cache.cached_response import CachedResponse, ResponseKey
from gateway.cache.reader import Clock
from gateway.cache.store import MemoryStore, Store
from gateway.caller import Dependencies


class ResponseCache(Protocol):
    """The cache of responses to queries.

    `shares` tells whether equal queries at the same time share one result.
    """

    shares: bool

    async def find(self, key: ResponseKey) -> CachedResponse | None:
        """Return the cached response, None if there is none that is valid."""

    async def keep(
        self, key: ResponseKey, body: bytes, dependencies: Dependencies
    ) -> None:
        """Cache a response, if its dependencies allow it."""

    async def are_valid(self, dependencies: Dependencies) -> bool:
        """Return whether no topic of the dependencies was invalidated since."""

    async def keep_compressed(
        self, key: ResponseKey, response: CachedResponse, encoding: str, body: bytes
    ) -> None:
        """Keep another form of a response's body while the response is kept."""


class NoResponseCache:
    """A cache that holds nothing."""

    shares = False

    async def find(self, key: ResponseKey) -> CachedResponse | None:
        """Find nothing."""

    async def keep(
        self, key: ResponseKey, body: bytes, dependencies: Dependencies
    ) -> None:
        """Keep nothing."""

    async def are_valid(self, dependencies: Dependencies) -> bool:
        """Return False: without topic versions, invalidations go unnoticed."""
        del dependencies
        return False

    async def keep_compressed(
        self, key: ResponseKey, response: CachedResponse, encoding: str, body: bytes
    ) -> None:
        """Keep nothing."""


class MemoryResponseCache:
    """Responses in the memory of this worker, with the topic versions of a store."""

    shares = True

    def __init__(
        self, memory: MemoryStore, store: Store, *, clock: Clock = time.time
    ) -> None:
        """Keep in `memory` what rests on reads of `store`."""
        self._memory = memory
        self._store = store
        self._clock = clock

    async def find(self, key: ResponseKey) -> CachedResponse | None:
        """Return the cached response, None if there is none that is valid."""
        known = self._memory.response(key)
        if known is None:
            return None
        is_fresh = known.is_fresh(self._clock())
        if is_fresh and known.versions == await self._store.versions(known.topics):
            return known
        self._memory.drop(key)
        return None

    async def keep(
        self, key: ResponseKey, body: bytes, dependencies: Dependencies
    ) -> None:
        """Cache a response if it depends on cached reads only.

        What rests on no read could be had without a token, any number of times.
        """
        now = self._clock()
        is_fresh = now < dependencies.fresh_until
        if not (dependencies.reads and dependencies.are_cacheable and is_fresh):
            return
        topics, versions = (
            tuple(dependencies.versions),
            tuple(dependencies.versions.values()),
        )
        response = CachedResponse(
            body, dependencies.reads, topics, versions, now, dependencies.fresh_until
        )
        self._memory.keep(key, response)

    async def are_valid(self, dependencies: Dependencies) -> bool:
        """Return whether the topics of the dependencies still have their versions."""
        versions = await self._store.versions(tuple(dependencies.versions))
        return versions == tuple(dependencies.versions.values())

    async def keep_compressed(
        self, key: ResponseKey, response: CachedResponse, encoding: str, body: bytes
    ) -> None:
        """Keep another form of the body, unless the response is another one by now."""
        kept = self._memory.response(key)
        if kept is not None and kept.body is response.body:
            compressed = {**kept.compressed, encoding: body}
            self._memory.keep(key, replace(kept, compressed=compressed))
