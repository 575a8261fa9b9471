"""How much of a rate limit is used, counted in this worker or for all replicas.

Two counters for each key, of this window of time and of the one before, which
counts as far as it still lies within one window's length.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from math import floor
from typing import NamedTuple, Protocol, TypeVar, cast

from limits.aio.storage import RedisStorage
from limits.errors import StorageError

TIMEOUT_SECONDS = 0.05
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0
CONNECTIONS = 4
MAX_KEYS = 50_000
KEY_PREFIX = "glance-gateway:rate"

Result = TypeVar("Result")
Clock = Callable[[], float]

logger = logging.getLogger(__name__)


class Window(NamedTuple):
    """What was counted, and for how many seconds each counter lives on."""

    previous: int
    previous_seconds: float
    current: int
    current_seconds: float


class Counters(Protocol):
    """Where rates are counted."""

    async def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        """Count an amount unless that would exceed the limit; tell whether it did."""

    async def window(self, key: str, seconds: int) -> Window:
        """Return what is counted."""

    async def close(self) -> None:
        """Close connections."""


class MemoryCounters:
    """Counters of this worker, a bounded number of them.

    The storage of `limits` goes through all keys at each hit.
    """

    def __init__(self, *, max_keys: int = MAX_KEYS, clock: Clock = time.time) -> None:
        """Begin with nothing counted; the clock gives seconds."""
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


class _Client(Protocol):
    """What the storage asks the server through."""

    async def aclose(self) -> None:
        """Close the connections."""


class _Bridge(Protocol):
    storage: _Client


class SharedCounters:
    """Counters in a Valkey (or Redis) that replicas share.

    While it is unavailable, or slower than 50 ms, each worker counts alone.
    """

    def __init__(self, url: str, *, clock: Clock = time.monotonic) -> None:
        """Use the server at `url` (`redis://` or `rediss://`), once it is there."""
        self._storage = storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=KEY_PREFIX,
            max_connections=2 * CONNECTIONS,
        )
        self._client = cast("_Bridge", storage.bridge).storage
        self._memory = MemoryCounters()
        self._clock = clock
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._paused_until = 0.0
        self._is_available = True

    async def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        """Count an amount, in this worker alone while the server is unavailable."""
        storage = self._storage
        acquired = await self._try(
            lambda: storage.acquire_sliding_window_entry(key, limit, seconds, amount)
        )
        if acquired is not None:
            return acquired
        return await self._memory.acquire(key, limit, seconds, amount)

    async def window(self, key: str, seconds: int) -> Window:
        """Return what is counted where `acquire` would count."""
        found = await self._try(lambda: self._storage.get_sliding_window(key, seconds))
        if found is not None:
            return Window(*found)
        return await self._memory.window(key, seconds)

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.aclose()
        except (StorageError, OSError) as error:
            logger.debug("closing the shared rate limits failed: %s", type(error))

    async def _try(self, call: Callable[[], Awaitable[Result]]) -> Result | None:
        """Return what the call gives, None while the server is unavailable."""
        async with self._turns:
            if self._clock() < self._paused_until:
                return None
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    result = await call()
            except (StorageError, OSError) as error:
                self._pause(error)
                return None
            self._resume()
            return result

    def _pause(self, error: Exception) -> None:
        self._paused_until = self._clock() + PAUSE_SECONDS
        if self._is_available:
            self._is_available = False
            logger.warning(
                "the shared cache is unavailable for rate limits (%s):"
                " each worker counts alone",
                type(error).__name__,
            )

    def _resume(self) -> None:
        if not self._is_available:
            self._is_available = True
            logger.warning("the shared cache is available for rate limits again")
