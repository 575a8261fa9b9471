"""Entries and stamps in a Valkey (or Redis) that replicas share.

While Valkey is unavailable, slow or full, nothing is cached and no request fails.
The log gets one line at the start of such an outage and one at its end. Topics
that were written meanwhile are invalidated as soon as Valkey has recovered, without
waiting for a read.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeGuard, TypeVar
from urllib.parse import unquote, urlsplit

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.exceptions import RedisError

from gateway.cache.entry import PART_BYTES, STAMP_BYTES, Entry, Stamps, decode
from gateway.cache.keys import KEY_PREFIX
from gateway.cache.shared_places import ATTEMPTS, SECRET_KEY, SharedPlaces
from gateway.cache.stamps import StampTable
from gateway.cache.store import Loaded, Topics, Wanted
from gateway.cache.unsent import SecretChanges, Unsent, stamps_of

TIMEOUT_SECONDS = 0.05
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0
RESEND_SECONDS = 0.05
CONNECTIONS = 4
PORT = 6379

Result = TypeVar("Result")


class Observer(Protocol):
    """Who is told when the server is lost and when it is back."""

    def __call__(self, *, is_available: bool) -> None:
        """Take note."""


logger = logging.getLogger(__name__)


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
        self._places = SharedPlaces(self._cache)
        self._unsent = Unsent(self._cache, self._places)
        self._resending: asyncio.Task[None] | None = None

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
        """Invalidate every entry of these topics, now or when Valkey has recovered.

        Returns None if that has to wait.
        """
        self._meanwhile.renew(topics)
        changes = self._unsent.renew(topics)
        await self._send_now()
        return stamps_of(changes, topics)

    async def doubt(self, topics: Topics) -> None:
        """Mark every entry of these topics doubtful, now or when Valkey recovers."""
        self._meanwhile.doubt(topics)
        self._unsent.doubt(topics)
        await self._send_now()

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        if self._resending is not None:
            self._resending.cancel()
            await asyncio.wait([self._resending])
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._cache.client.aclose()

    async def _load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        keys = [key for key, _ in wanted]
        topics = {topic for _, topics in wanted for topic in topics}
        values, names, found = await self._read(keys, topics)
        stamps = await self._existing(found)
        return [
            Loaded(
                None if value is None else decode(value),
                tuple([stamps[names[topic]] for topic in topics]),
            )
            for (_, topics), value in zip(wanted, values, strict=True)
        ]

    async def _stamps(self, topics: Topics) -> Stamps:
        _, names, found = await self._read([], topics)
        return tuple([found[names[topic]] or b"" for topic in topics])

    async def _read(
        self, keys: Sequence[str], topics: Collection[str]
    ) -> tuple[Sequence[bytes | None], Mapping[str, str], Mapping[str, bytes | None]]:
        """Return values by key, names by topic and versions by name.

        They are read at once, together with the secret that the names come from.
        """
        for _ in range(ATTEMPTS):
            shared = await self._places.names()
            names = {topic: shared.of(topic) for topic in topics}
            versions = [*dict.fromkeys(names.values())]
            secret, *values = await self._cache.multi_get(
                [SECRET_KEY, *keys, *versions]
            )
            if self._places.are_current(shared, secret):
                found = zip(versions, values[len(keys) :], strict=True)
                return values[: len(keys)], names, dict(found)
        raise SecretChanges

    async def _existing(self, found: Mapping[str, bytes | None]) -> dict[str, bytes]:
        return {
            name: stamp if _is_stamp(stamp) else await self._first_stamp(name)
            for name, stamp in found.items()
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

    async def _send_now(self) -> None:
        """Send what is unsent; if that fails, start to resend it until it succeeds.

        Resending starts also if the caller is cancelled. After the first failure
        the server is tried a second time at once, because other replicas see a
        write late that is invalidated late.
        """
        try:
            await self._try(self._nothing)
            is_slow_for_once = self._losses <= 1
            if self._unsent and is_slow_for_once:
                await self._try(self._nothing, in_pause=True)
        finally:
            is_resending = self._resending is not None and not self._resending.done()
            if self._unsent and not is_resending:
                self._resending = asyncio.create_task(self._resend())

    async def _resend(self) -> None:
        """Send what is unsent once Valkey has recovered, without waiting for reads."""
        while self._unsent:
            pause_seconds = self._paused_until - self._clock()
            await asyncio.sleep(max(pause_seconds, RESEND_SECONDS))
            await self._try(self._nothing)

    async def _send_unsent(self) -> None:
        """Send what is unsent.

        After an outage the server must store a value first: a full server responds,
        but is still of no use.
        """
        if self._losses:
            await self._cache.set(f"{KEY_PREFIX}:probe", b"", ttl=PAUSE_SECONDS)
        if self._unsent:
            await self._unsent.send()

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


def _is_stamp(value: bytes | None) -> TypeGuard[bytes]:
    """Return whether it is a complete version.

    A doubt writes the second part only: without a version, the first one is zeros.
    """
    if value is None or len(value) != STAMP_BYTES:
        return False
    return not value.startswith(bytes(PART_BYTES))
