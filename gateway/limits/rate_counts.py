"""How much of a rate limit is used, counted in this worker or for all replicas.

Two counters for each key, of this window of time and of the one before, which
counts as far as it still lies within one window's length.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from math import floor
from typing import Any, NamedTuple, Protocol

from limits.aio.storage import RedisStorage

from gateway.shared_server import SharedServer

MAX_KEYS = 50_000
KEY_PREFIX = "glance-gateway:rate"

Clock = Callable[[], float]

logger = logging.getLogger(__name__)


class Window(NamedTuple):
    """The counters of a window, and in how many seconds each of them expires."""

    previous: int
    previous_seconds: float
    current: int
    current_seconds: float


class RateCounts(Protocol):
    """Where rates are counted."""

    async def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        """Count an amount if the limit allows it; return whether it did."""

    async def window(self, key: str, seconds: int) -> Window:
        """Return what is counted."""

    async def close(self) -> None:
        """Close connections."""


class MemoryRateCounts:
    """RateCounts of this worker, a bounded number of them.

    It replaces the storage of `limits`, which iterates over all keys at each hit.
    """

    def __init__(self, *, max_keys: int = MAX_KEYS, clock: Clock = time.time) -> None:
        """Begin with nothing counted; the clock returns seconds."""
        self._max_keys = max_keys
        self._clock = clock
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._counts)

    async def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        """Count an amount; the key that was used least recently makes room."""
        window = await self.window(key, seconds)
        weighted = floor(window.previous * window.previous_seconds / seconds)
        if weighted + window.current + amount > limit:
            return False
        number = int(self._clock() // seconds)
        self._counts[key] = number, window.previous, window.current + amount
        self._counts.move_to_end(key)
        if len(self._counts) > self._max_keys:
            self._counts.popitem(last=False)
        return True

    async def window(self, key: str, seconds: int) -> Window:
        """Return what is counted."""
        now = self._clock()
        number, left = int(now // seconds), seconds - now % seconds
        known, previous, current = self._counts.get(key, (number, 0, 0))
        if known == number - 1:
            previous, current = current, 0
        elif known != number:
            previous, current = 0, 0
        return Window(previous, left, current, left + seconds)

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class SharedRateCounts:
    """RateCounts in a Valkey (or Redis) that replicas share.

    While it is unavailable, or slower than 50 ms, each worker counts alone.
    """

    def __init__(self, url: str, *, clock: Clock = time.monotonic) -> None:
        """Use the server at `url` (`redis://` or `rediss://`) once it is available."""
        self._server = SharedServer(url, observe=_log_outage, clock=clock)
        options: dict[str, Any] = {"connection_pool": self._server.connections}
        self._storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=KEY_PREFIX,
            **options,
        )
        self._memory = MemoryRateCounts()

    async def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        """Count an amount, in this worker alone while the server is unavailable."""
        storage = self._storage
        acquired = await self._server.call(
            lambda: storage.acquire_sliding_window_entry(key, limit, seconds, amount)
        )
        if acquired is not None:
            return acquired
        return await self._memory.acquire(key, limit, seconds, amount)

    async def window(self, key: str, seconds: int) -> Window:
        """Return what is counted where `acquire` would count."""
        found = await self._server.call(
            lambda: self._storage.get_sliding_window(key, seconds)
        )
        if found is not None:
            return Window(*found)
        return await self._memory.window(key, seconds)

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        await self._server.close()


def _log_outage(*, is_available: bool, reason: str) -> None:
    if is_available:
        logger.warning("the shared cache is available for rate limits again")
        return
    logger.warning(
        "the shared cache is unavailable for rate limits (%s):"
        " each worker counts alone",
        reason,
    )
