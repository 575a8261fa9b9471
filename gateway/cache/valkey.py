"""Entries and stamps in a Valkey (or Redis) that replicas share.

While it is away, slow or full of something else, nothing is remembered and
nobody is told by an error: one line in the log when it is lost and one when it
is back. What is written meanwhile is kept to be forgotten when it is back.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeGuard, TypeVar
from urllib.parse import unquote, urlsplit

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.exceptions import RedisError

from gateway.cache.entry import STAMP_BYTES, Entry, Stamps, decode
from gateway.cache.keys import KEY_PREFIX
from gateway.cache.stamps import StampTable, place_of
from gateway.cache.store import Loaded, Topics, Wanted

TIMEOUT_SECONDS = 0.05
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0
CONNECTIONS = 4
PORT = 6379

Result = TypeVar("Result")


class Observer(Protocol):
    """Who is told when the server is lost and when it is back."""

    def __call__(self, *, is_available: bool) -> None:
        """Take note."""


logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Wish:
    """A topic to be renewed, and its stamp once that has been done."""

    stamp: bytes | None = None


class ValkeyStore:
    """A store that other workers and replicas share."""

    def __init__(
        self,
        url: str,
        *,
        observe: Observer,
        meanwhile: StampTable | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the server at `url` (`redis://` or `rediss://`), once it is there.

        `observe` is told when it is lost and when it is back; `meanwhile` holds
        the stamps for as long as it is away.
        """
        self._cache = _open(url)
        self._observe = observe
        self._meanwhile = meanwhile or StampTable()
        self._clock = clock
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._losses = 0
        self._paused_until = 0.0
        self._unsent: dict[str, _Wish] = {}

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return entries and stamps in one round trip; nothing while it is away."""
        found = await self._try(lambda: self._load(wanted))
        if found is not None:
            return found
        return [Loaded(None, self._meanwhile.read(topics)) for _, topics in wanted]

    async def stamps(self, topics: Topics) -> Stamps | None:
        """Return the topics' stamps in one round trip, None while it is away.

        That of a topic without one is empty.
        """
        return await self._try(lambda: self._stamps(topics))

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry; the server forgets it after its lifetime."""
        value, ttl = entry.encode(), float(lifetime_seconds)
        await self._try(lambda: self._cache.set(key, value, ttl=ttl))

    async def forget(self, key: str) -> None:
        """Remember nothing under the key."""
        await self._try(lambda: self._cache.delete(key))

    async def renew(self, topics: Topics) -> Stamps | None:
        """Make every entry of these topics untrue, now or when it is back.

        A server that is only slow for once is tried once more: a write that is
        not forgotten now is seen late by others.
        """
        self._meanwhile.renew(topics)
        wishes = [_Wish() for _ in topics]
        self._unsent |= zip(map(_stamp_key, topics), wishes, strict=True)
        await self._try(self._nothing)
        is_slow_for_once = self._losses <= 1
        if self._unsent and is_slow_for_once:
            await self._try(self._nothing, in_pause=True)
        stamps = tuple([wish.stamp for wish in wishes if wish.stamp is not None])
        return stamps if len(stamps) == len(topics) else None

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._cache.client.aclose()

    async def _load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        keys = [key for key, _ in wanted]
        names = [*{_stamp_key(topic) for _, topics in wanted for topic in topics}]
        values = await self._cache.multi_get([*keys, *names])
        stamps = await self._existing(names, values[len(keys) :])
        return [
            Loaded(
                None if value is None else decode(value),
                tuple(stamps[_stamp_key(topic)] for topic in topics),
            )
            for (_, topics), value in zip(wanted, values, strict=False)
        ]

    async def _stamps(self, topics: Topics) -> Stamps:
        found = await self._cache.multi_get([_stamp_key(topic) for topic in topics])
        return tuple([stamp or b"" for stamp in found])

    async def _existing(
        self, names: Sequence[str], values: Sequence[bytes | None]
    ) -> dict[str, bytes]:
        return {
            name: stamp if _is_stamp(stamp) else await self._first_stamp(name)
            for name, stamp in zip(names, values, strict=True)
        }

    async def _first_stamp(self, name: str) -> bytes:
        """Return a topic's stamp after making sure that it has one.

        An entry is only true with a stamp that exists: so a server that loses
        stamps forgets their entries.
        """
        first = os.urandom(STAMP_BYTES)
        with suppress(ValueError):
            await self._cache.add(name, first)
        stamp: bytes | None = await self._cache.get(name)
        if _is_stamp(stamp):
            return stamp
        await self._cache.set(name, first)
        return first

    async def _nothing(self) -> None:
        """Do nothing but what was left undone."""

    async def _try(
        self, call: Callable[[], Awaitable[Result]], *, in_pause: bool = False
    ) -> Result | None:
        """Return what the call gives, None while the server is away."""
        async with self._turns:
            began_at = self._clock()
            if began_at < self._paused_until and not in_pause:
                return None
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await self._send_unsent()
                    result = await call()
            except (RedisError, OSError, TimeoutError) as error:
                self._lose(error)
                return None
            if began_at >= self._paused_until:
                self._find()
            return result

    async def _send_unsent(self) -> None:
        """Send what is unsent, each time with stamps that never were before.

        A server that was lost must take something first: one that is full
        answers and yet is of no use.
        """
        if self._losses:
            await self._cache.set(f"{KEY_PREFIX}:probe", b"", ttl=PAUSE_SECONDS)
        if not self._unsent:
            return
        sent = [
            (name, wish, os.urandom(STAMP_BYTES)) for name, wish in self._unsent.items()
        ]
        await self._cache.multi_set([(name, stamp) for name, _, stamp in sent])
        for name, wish, stamp in sent:
            wish.stamp = stamp
            if self._unsent.get(name) is wish:
                del self._unsent[name]

    def _lose(self, error: Exception) -> None:
        self._paused_until = self._clock() + PAUSE_SECONDS
        self._losses += 1
        if self._losses == 1:
            reason = type(error).__name__
            logger.warning("the shared cache is lost (%s): remembering nothing", reason)
            self._observe(is_available=False)

    def _find(self) -> None:
        if self._losses:
            self._losses = 0
            logger.warning("the shared cache is back")
            self._observe(is_available=True)


def _open(url: str) -> RedisCache:
    parts = urlsplit(url)
    account = {"username": unquote(parts.username)} if parts.username else {}
    return RedisCache(
        serializer=NullSerializer(encoding=None),
        timeout=0,
        endpoint=parts.hostname or "127.0.0.1",
        port=parts.port or PORT,
        db=int(parts.path.strip("/") or 0),
        password=unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        pool_max_size=2 * CONNECTIONS,
        # Each call has its time. redis-py would give each write another, by
        # asyncio.wait_for, which loses a cancellation now and then.
        connection_pool_kwargs={**account, "socket_timeout": None},
    )


def _stamp_key(topic: str) -> str:
    return f"{KEY_PREFIX}:stamp:{place_of(topic)}"


def _is_stamp(value: bytes | None) -> TypeGuard[bytes]:
    return value is not None and len(value) == STAMP_BYTES
