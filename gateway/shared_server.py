"""Calls to a Valkey (or Redis) that replicas share, and its outages.

A call that fails or takes too long begins an outage: for a second nothing is called,
and all connections are dropped. So the next call opens a new one, to the server that
the address names by then: after a failover the old connections still lead to the
server that was demoted, which rejects every write.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

TIMEOUT_SECONDS = 0.05
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0
# At once; a call that is cut off may hold its connection for a moment longer.
CALLS = 4
CONNECTIONS = 2 * CALLS
PROBE_KEY = "glance-gateway:probe"

Command = Sequence[str | bytes | int]
Result = TypeVar("Result")
Clock = Callable[[], float]
# Returns whether the connection leads to another server than those before it.
Prepare = Callable[[AbstractConnection], Awaitable[bool]]


class Observer(Protocol):
    """Told when an outage begins and when it ends."""

    def __call__(self, *, is_available: bool, reason: str) -> None:
        """Take note; `reason` is the kind of failure that began the outage."""


class Connections(ConnectionPool):
    """The connections to the server."""

    async def ask(self, *commands: Command) -> list[object]:
        """Return the replies to commands that are sent at once; raises RedisError."""
        # Its decorator has no types.
        connection = await self.get_connection()  # type: ignore[no-untyped-call]
        try:
            return await ask(connection, *commands)
        finally:
            await self.release(connection)

    async def ask_primary(self, *commands: Command) -> list[object]:
        """Return the replies to commands of a server that accepts writes.

        Raises ReadOnlyError for a replica, whose data may be old. The last command
        is a write that changes nothing: its success shows that the server was a
        primary when it read.
        """
        *replies, _ = await self.ask(*commands, ("PERSIST", PROBE_KEY))
        return replies

    async def drop(self) -> None:
        """Close all connections, those in use as soon as they are released."""
        idle, self._available_connections = self._available_connections, []
        for connection in self._in_use_connections:
            connection.mark_for_reconnect()
        for connection in idle:
            await connection.disconnect(nowait=True)

    async def release(self, connection: AbstractConnection) -> None:
        """Keep the connection for the next call, or close it if it was dropped.

        A server that hangs is not waited for.
        """
        if connection.should_reconnect():
            await connection.disconnect(nowait=True)
        await super().release(connection)


class SharedServer:
    """A server that is called only while it responds in time."""

    def __init__(
        self,
        url: str,
        *,
        observe: Observer,
        prepare: Prepare | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Use the server at `url` (`redis://` or `rediss://`), once it is there.

        `observe` receives outages; `prepare` is called with each new connection.
        """
        self.connections: Connections = Connections.from_url(
            url,
            max_connections=CONNECTIONS,
            # Each call has its time. redis-py would give each write another, by
            # asyncio.wait_for, which loses a cancellation now and then.
            socket_timeout=None,
            redis_connect_func=self._begin,
        )
        self._prepare = prepare
        self._observe = observe
        self._clock = clock
        self._turns = asyncio.Semaphore(CALLS)
        self._paused_until = 0.0
        self._is_available = True
        self._is_responding = True

    @property
    def is_responding(self) -> bool:
        """Return whether the last call has succeeded."""
        return self._is_responding

    @property
    def pause_seconds(self) -> float:
        """Return for how long nothing is called."""
        return max(self._paused_until - self._clock(), 0)

    async def call(
        self, work: Callable[[], Awaitable[Result]], *, in_pause: bool = False
    ) -> Result | None:
        """Return the result of the work, None in an outage.

        `in_pause`: call the server even if an outage has just begun.
        """
        async with self._turns:
            began_at = self._clock()
            if began_at < self._paused_until and not in_pause:
                return None
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await self._probe()
                    result = await work()
            except (RedisError, OSError) as error:
                await self._begin_outage(error)
                return None
            self._is_responding = True
            if began_at >= self._paused_until:
                self._end_outage()
            return result

    async def close(self) -> None:
        """Close the connections, without waiting for a server that hangs."""
        with suppress(RedisError, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.connections.aclose()

    async def _begin(self, connection: AbstractConnection) -> None:
        """Log in, and drop the older connections if they lead to another server."""
        await connection.on_connect()
        if self._prepare is not None and await self._prepare(connection):
            await self.connections.drop()

    async def _probe(self) -> None:
        """Store a value after an outage.

        A full server responds to reads, but is still of no use.
        """
        if not self._is_available:
            milliseconds = int(PAUSE_SECONDS * 1000)
            await self.connections.ask(("PSETEX", PROBE_KEY, milliseconds, b""))

    async def _begin_outage(self, error: Exception) -> None:
        self._paused_until = self._clock() + PAUSE_SECONDS
        self._is_responding = False
        if self._is_available:
            self._is_available = False
            self._observe(is_available=False, reason=type(error).__name__)
        await self.connections.drop()

    def _end_outage(self) -> None:
        if not self._is_available:
            self._is_available = True
            self._observe(is_available=True, reason="")


async def ask(connection: AbstractConnection, *commands: Command) -> list[object]:
    """Return the replies to commands that are sent at once.

    Raises RedisError for the first command that fails; the replies to the later
    ones are then unread.
    """
    packed = connection.pack_commands(commands)
    await connection.send_packed_command(packed)
    return [await connection.read_response() for _ in commands]
