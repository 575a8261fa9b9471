"""Clients that can outrun a bare server: bytes made beforehand, no HTTP library."""

import asyncio
import json
import signal
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import uvloop

from gateway.listening import HOST
from gateway.stop_signals import STOP_SIGNALS

HEAD_END = b"\r\n\r\n"
LONGEST_SECONDS = 60

# In the main thread a signal to stop would be raised in the midst of a callback,
# where the loop takes it for an error of the connection.
CLIENTS_THREAD = ThreadPoolExecutor(
    max_workers=1,
    initializer=signal.pthread_sigmask,
    initargs=(signal.SIG_BLOCK, STOP_SIGNALS),
)

Value = TypeVar("Value")


class BadAnswer(Exception):
    """An answer that is not what it has to be; the reason."""


@dataclass(frozen=True)
class Driven:
    """What the clients saw: the seconds of each request, and of all together."""

    latencies: Sequence[float]
    seconds: float


def get(path: str) -> bytes:
    """Return the bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}{HEAD_END.decode()}".encode()


def post(path: str, token: str, document: str, **variables: object) -> bytes:
    """Return the bytes of a GraphQL request."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nX-Auth-Token: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + HEAD_END + body


def ask(port: int, request: bytes) -> bytes:
    """Return the body of one answer; raises BadAnswer unless its status is 200."""
    body, _ = _run(_repeat(port, request, None, seconds=0))
    return body


def data_in(body: bytes) -> Any:
    """Return the data of a GraphQL answer; raises BadAnswer where it has errors."""
    answer = json.loads(body)
    if "errors" in answer:
        raise BadAnswer(str(answer["errors"])[:1000])
    return answer["data"]


def drive(
    port: int, request: bytes, expected: bytes, *, connections: int, seconds: float
) -> Driven:
    """Send the request over and over, one at a time on each connection.

    No request begins after `seconds`. Raises BadAnswer for a body that is not
    the expected one.
    """
    return _run(
        _drive(port, request, expected, connections=connections, seconds=seconds)
    )


def _run(work: Coroutine[Any, Any, Value]) -> Value:
    return CLIENTS_THREAD.submit(uvloop.run, work).result()


async def _drive(
    port: int, request: bytes, expected: bytes, *, connections: int, seconds: float
) -> Driven:
    started_at = time.perf_counter()
    clients = [
        _repeat(port, request, expected, seconds=seconds) for _ in range(connections)
    ]
    ended = await asyncio.gather(*clients)
    latencies = [latency for _, each in ended for latency in each]
    return Driven(latencies, time.perf_counter() - started_at)


async def _repeat(
    port: int, request: bytes, expected: bytes | None, *, seconds: float
) -> tuple[bytes, list[float]]:
    """Return the first body and the seconds of each request, at least of one."""
    loop = asyncio.get_running_loop()
    ends_at = time.perf_counter() + seconds
    client = _Client(request, expected, ends_at)
    transport, _ = await loop.create_connection(lambda: client, HOST, port)
    try:
        async with asyncio.timeout(seconds + LONGEST_SECONDS):
            body = await client.ended
    finally:
        transport.close()
    return body, client.latencies


class _Client(asyncio.Protocol):
    """A connection that asks again as soon as it has an answer."""

    def __init__(self, request: bytes, expected: bytes | None, ends_at: float) -> None:
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self._request = request
        self._expected = expected
        self._ends_at = ends_at
        self._received = bytearray()
        self._whole_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            self._whole_bytes = self._whole_bytes or _whole_bytes(self._received)
            if self._whole_bytes and len(self._received) >= self._whole_bytes:
                self._check()
                self._go_on()
        except BadAnswer as error:
            self._fail(error)

    def connection_lost(self, _: Exception | None) -> None:
        self._fail(BadAnswer("The connection was closed."))

    def _check(self) -> None:
        self.latencies.append(time.perf_counter() - self._sent_at)
        if self._expected is None:
            self._expected = bytes(self._received).partition(HEAD_END)[2]
        if not self._received.endswith(self._expected):
            raise BadAnswer(f"Another answer than before: {self._received[:1000]!r}")

    def _go_on(self) -> None:
        if time.perf_counter() < self._ends_at:
            self._send()
        elif not self.ended.done():
            self.ended.set_result(self._expected or b"")

    def _send(self) -> None:
        self._received.clear()
        self._whole_bytes = 0
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def _fail(self, error: BadAnswer) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _whole_bytes(received: bytearray) -> int:
    """Return how long the answer is, 0 until its head is there.

    Raises BadAnswer for other statuses than 200, and without Content-Length.
    """
    end = received.find(HEAD_END)
    if end < 0:
        return 0
    head = bytes(received[:end]).lower()
    length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0].strip()
    if not head.startswith(b"http/1.1 200") or not length.isdigit():
        raise BadAnswer(f"No answer of a known length: {received[:1000]!r}")
    return end + len(HEAD_END) + int(length)
