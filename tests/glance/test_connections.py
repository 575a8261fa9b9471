"""When a kept connection to Glance is used again."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.caller import Caller
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.listing import ImageQuery, ListCall
from gateway.glance.transport import Transport
from gateway.identity import Identity
from tests.cache.tls import certificate
from tests.support.raw_glance import (
    RawConnection,
    RawRequest,
    Serve,
    answering,
    raw_glance,
    response,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """Return the connections of one gateway."""
    made = Transport(connections=1)
    yield made
    await made.close()


async def ask(transport: Transport, url: str, *, times: int) -> None:
    """List images, one time after the other."""
    bulkhead = Bulkhead(Bounds(calls=1))
    client = GlanceClient(transport, url, bulkhead=bulkhead, timeout_seconds=10)
    deadline_at = asyncio.get_running_loop().time() + 60
    caller = Caller(Identity("t"), "req-1", deadline_at)
    for _ in range(times):
        await client.list_images(caller, ImageQuery(), ListCall(limit=1))


def empty_list(request: RawRequest) -> bytes:
    """Return a true response."""
    return response({"images": []}, request.request_id)


def serving(*, until: threading.Event, then: bytes) -> tuple[Serve, threading.Event]:
    """Return what ends its first kept connection so, and when it has."""
    has_ended = threading.Event()

    def serve(connection: RawConnection) -> None:
        while (request := connection.request()) is not None:
            connection.send(empty_list(request))
            is_kept = request.headers.get("connection") != "close"
            if is_kept and not has_ended.is_set():
                until.wait(10)
                connection.send(then)
                has_ended.set()

    return serve, has_ended


async def test_connection_is_kept_once_glance_has_echoed(transport: Transport) -> None:
    """The first call has one of its own, later ones share another."""
    with raw_glance(answering(empty_list)) as glance:
        await ask(transport, glance.url, times=5)

    assert (len(glance.requests), glance.connections) == (5, 2)


async def test_connection_with_bytes_that_the_loop_has_not_read_is_not_used_again(
    transport: Transport,
) -> None:
    """What came while the loop was busy is seen before anything is sent."""
    go = threading.Event()
    serve, has_ended = serving(until=go, then=b"HTTP/1.1 408 x\r\n\r\n")

    with raw_glance(serve) as glance:
        await ask(transport, glance.url, times=2)
        # The loop stands still, so that nothing reads.
        go.set()
        assert has_ended.wait(10)
        await ask(transport, glance.url, times=1)

    assert (len(glance.requests), glance.connections) == (3, 3)


async def test_session_tickets_are_no_unexpected_bytes(tmp_path: Path) -> None:
    """A server sends them once the handshake of TLS is over, before any request."""
    file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

    def serve(connection: RawConnection) -> None:
        connection.start_tls(context)
        answering(empty_list)(connection)

    with raw_glance(serve) as glance:
        for _ in range(20):
            transport = Transport(connections=1, ca_file=file)
            await ask(transport, glance.url.replace("http:", "https:"), times=1)
            await transport.close()

    assert (len(glance.requests), glance.connections) == (20, 20)
