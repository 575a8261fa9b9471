"""Entries and versions in a Valkey (or Redis) that replicas share.

While Valkey is unavailable, slow or full, nothing is cached and no request fails.
The log gets one line at the start of such an outage and one at its end. Topics
that were written meanwhile are invalidated as soon as Valkey has recovered, without
waiting for a read.
"""

import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeGuard, TypeVar, cast

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.asyncio import Redis

from gateway.cache.entry import PART_BYTES, VERSION_BYTES, Entry, Versions, decode
from gateway.cache.primaries import Primaries
from gateway.cache.sender import Sender
from gateway.cache.shared_places import ATTEMPTS, SECRET_KEY, SharedPlaces
from gateway.cache.store import Loaded, Topics, Wanted
from gateway.cache.unsent import SecretChanges, Unsent, versions_of
from gateway.cache.version_table import VersionTable
from gateway.shared_server import SharedServer

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
        meanwhile: VersionTable | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the server at `url` (`redis://` or `rediss://`), once it is there.

        `observe` is told when it is lost and when it is back; `meanwhile` holds
        the versions for as long as it is away.
        """
        self._observe = observe
        self._meanwhile = meanwhile or VersionTable()
        self._server = SharedServer(
            url, observe=self._note_outage, prepare=Primaries().prepare, clock=clock
        )
        self._cache = _cache(self._server)
        self._places = SharedPlaces(self._cache)
        self._unsent = Unsent(self._cache, self._places)
        self._sender = Sender(self._server, self._unsent)

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return entries and versions in one round trip; nothing while it is away."""
        found = await self._try(lambda: self._load(wanted))
        if found is not None:
            return found
        return [Loaded(None, self._meanwhile.read(topics)) for _, topics in wanted]

    async def versions(self, topics: Topics) -> Versions | None:
        """Return the topics' versions in one round trip, None while it is away.

        That of a topic without one is another one after each loss of the secret.
        """
        return await self._try(lambda: self._versions(topics))

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry; the server forgets it after its lifetime."""
        value, ttl = entry.encode(), float(lifetime_seconds)
        await self._try(lambda: self._cache.set(key, value, ttl=ttl))

    async def forget(self, key: str) -> None:
        """Remember nothing under the key."""
        await self._try(lambda: self._cache.delete(key))

    async def renew(self, topics: Topics) -> Versions | None:
        """Invalidate every entry of these topics, now or when Valkey has recovered.

        Returns None if that has to wait.
        """
        self._meanwhile.renew(topics)
        changes = self._unsent.renew(topics)
        await self._sender.send_now()
        return versions_of(changes, topics)

    async def doubt(self, topics: Topics) -> None:
        """Mark every entry of these topics doubtful, now or when Valkey recovers."""
        self._meanwhile.doubt(topics)
        self._unsent.doubt(topics)
        await self._sender.send_now()

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        await self._sender.close()
        await self._server.close()

    async def _load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        keys = [key for key, _ in wanted]
        topics = {topic for _, topics in wanted for topic in topics}
        values, names, found = await self._read(keys, topics)
        versions = await self._existing(found)
        return [
            Loaded(
                None if value is None else decode(value),
                tuple([versions[names[topic]] for topic in topics]),
            )
            for (_, topics), value in zip(wanted, values, strict=True)
        ]

    async def _versions(self, topics: Topics) -> Versions:
        _, names, found = await self._read([], topics)
        return tuple([found[names[topic]] or names[topic].encode() for topic in topics])

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
            secret, *values = await self._values([SECRET_KEY, *keys, *versions])
            if self._places.are_current(shared, secret):
                found = zip(versions, values[len(keys) :], strict=True)
                return values[: len(keys)], names, dict(found)
        raise SecretChanges

    async def _values(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Return the values under the keys; raises ReadOnlyError for a replica."""
        (values,) = await self._server.connections.ask_primary(("MGET", *keys))
        return cast("Sequence[bytes | None]", values)

    async def _existing(self, found: Mapping[str, bytes | None]) -> dict[str, bytes]:
        return {
            name: version if _is_version(version) else await self._first_version(name)
            for name, version in found.items()
        }

    async def _first_version(self, name: str) -> bytes:
        """Return a topic's version after making sure that it has one.

        An entry is only true with a version that exists: so a server that loses
        versions forgets their entries.
        """
        first = os.urandom(VERSION_BYTES)
        with suppress(ValueError):
            await self._cache.add(name, first)
        version: bytes | None = await self._cache.get(name)
        if _is_version(version):
            return version
        await self._cache.set(name, first)
        return first

    async def _try(self, call: Callable[[], Awaitable[Result]]) -> Result | None:
        """Return what the call gives, None while the server is away.

        What is unsent is sent first; None, too, while more than one chunk is.
        """
        if self._unsent and not await self._server.call(self._unsent.send):
            return None
        return await self._server.call(call)

    def _note_outage(self, *, is_available: bool, reason: str) -> None:
        if is_available:
            logger.warning("the shared cache is available again")
        else:
            logger.warning(
                "the shared cache is unavailable (%s): nothing is cached", reason
            )
        self._observe(is_available=is_available)


def _cache(server: SharedServer) -> RedisCache:
    """Return aiocache's view of the server, over the server's connections."""
    cache = RedisCache(serializer=NullSerializer(encoding=None), timeout=0)
    cache.client = Redis(connection_pool=server.connections)
    return cache


def _is_version(value: bytes | None) -> TypeGuard[bytes]:
    """Return whether it is a complete version.

    A doubt writes the second part only: without a version, the first one is zeros.
    """
    if value is None or len(value) != VERSION_BYTES:
        return False
    return not value.startswith(bytes(PART_BYTES))
