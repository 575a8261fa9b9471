"""A gateway in a process of its own, to be attacked and weighed."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
from websockets.frames import Frame, Opcode

from gateway.listening import HOST, free_port, url_at
from tests.support.command import Command, piped
from tests.support.gateway import Json

FORGET_PEAK = "5"
SECONDS = 60
ATTACKER = "attacker"
IMAGES = """{ images(first: 1000) { nodes {
    id name status visibility size owner tags createdAt updatedAt checksum } } }"""

UPGRADE = b"""GET /graphql HTTP/1.1\r
Host: x\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Protocol: graphql-transport-ws\r
\r
"""


class Victim:
    """A running gateway: where it listens and which process it is."""

    def __init__(self, port: int, command: Command, client: httpx.Client) -> None:
        """Send requests of a well-behaved client through `client`."""
        self.port = port
        self.pid = command.process.pid
        self.client = client
        self._log = command.errors

    def log(self) -> str:
        """Return what was logged so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode()

    def connect(self) -> socket.socket:
        """Open a connection that is the attacker's to misuse."""
        opened = socket.socket()
        # What the system holds for a reader is no memory of the gateway's.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(SECONDS)
        opened.connect((HOST, self.port))
        return opened

    def websocket(self, query: bytes = b"") -> socket.socket:
        """Open a WebSocket connection that was initialised."""
        opened = self.connect()
        opened.sendall(UPGRADE.replace(b"/graphql", b"/graphql" + query))
        received = b""
        while b"\r\n\r\n" not in received:
            received += opened.recv(65536)
        assert received.startswith(b"HTTP/1.1 101"), received
        payload = {"X-Auth-Token": ATTACKER}
        opened.sendall(text_frame({"type": "connection_init", "payload": payload}))
        assert b"connection_ack" in opened.recv(65536)
        return opened

    def query(self, document: str) -> None:
        """Send a document three times."""
        for _ in range(3):
            self.ask(document)

    def ask(self, document: str) -> None:
        """Send a document once, with the attacker's token."""
        headers = {"X-Auth-Token": ATTACKER}
        response = self.client.post(
            "/graphql", json={"query": document}, headers=headers
        )
        assert "errors" not in response.json()

    def is_well(self) -> bool:
        """Return whether another client gets a response."""
        response = self.client.post("/graphql", json={"query": "{ __typename }"})
        return bool(response.json() == {"data": {"__typename": "Query"}})

    def longest_wait(self, until: float) -> float:
        """Return the longest that another client waited, until a time."""
        longest = 0.0
        while time.monotonic() < until:
            asked = time.monotonic()
            assert self.is_well()
            longest = max(longest, time.monotonic() - asked)
        return longest

    def wait_until_cut_off(self, connections: Iterable[socket.socket]) -> None:
        """Wait until the gateway holds none of the connections any longer."""
        for one in connections:
            poll = select.poll()
            poll.register(one, select.POLLERR | select.POLLHUP)
            assert poll.poll(SECONDS * 1000)

    def logs(self, text: str, times: int) -> bool:
        """Return whether it logs a text so often, within a time and while it serves."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if self.log().count(text) >= times:
                return True
            assert self.is_well()
        return False

    def shrinks_to(self, mib: float) -> bool:
        """Return whether it gives memory back, within a time and while it serves."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if self.rss_mib() < mib:
                return True
            assert self.is_well()
        return False

    def rss_mib(self) -> float:
        """Return the memory that the process has."""
        return self._status("VmRSS")

    def peak_mib(self) -> float:
        """Return the most memory that it had since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak begin anew; source: proc(5), clear_refs."""
        Path(f"/proc/{self.pid}/clear_refs").write_text(FORGET_PEAK)

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(name)


def text_frame(message: Json) -> bytes:
    """Return a message of graphql-transport-ws as a client sends it."""
    return frame(orjson.dumps(message))


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return a masked frame."""
    return Frame(opcode, payload, fin).serialize(mask=True)


def subscribe_frame(name: str, document: str = IMAGES) -> bytes:
    """Return the message that begins an operation."""
    payload = {"query": document}
    return text_frame({"type": "subscribe", "id": name, "payload": payload})


@contextmanager
def running_victim(**environment: str) -> Iterator[Victim]:
    """Run `glance-gateway serve` before the stub of Glance."""
    port = free_port()
    with stub_glance() as glance_url:
        given = {"GATEWAY_GLANCE_URL": glance_url, "GATEWAY_PORT": str(port)}
        with (
            piped("serve", **given, **environment) as command,
            httpx.Client(base_url=url_at(HOST, port), timeout=SECONDS) as client,
        ):
            command.until("GraphQL")
            victim = Victim(port, command, client)
            # What is made once is no cost of an attack.
            victim.query(IMAGES)
            yield victim


@contextmanager
def stub_glance() -> Iterator[str]:
    """Run the benchmark's stub of Glance, and return its address."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmark.stub_glance", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stderr is not None
        try:
            assert process.stderr.readline()
            yield url_at(HOST, port)
        finally:
            process.kill()
