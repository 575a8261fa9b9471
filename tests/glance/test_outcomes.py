"""Errors of failed calls report whether Glance can have received them."""

import asyncio
import math
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.caller import Caller
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.errors import GlanceError, GlanceTimeout, GlanceUnavailable
from gateway.glance.transport import Transport
from gateway.identity import Identity
from gateway.listening import free_port
from tests.cache.tls import certificate
from tests.support.raw_glance import RawConnection, answering, raw_glance, response

pytestmark = pytest.mark.anyio

NOT_SENT = "It was not sent."
OPEN = "It was sent, and its outcome is open."
MOMENT_SECONDS = 0.3


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """Return the connections of one gateway."""
    made = Transport(connections=1)
    yield made
    await made.close()


@pytest.fixture
def bulkhead() -> Bulkhead:
    """Return slots for one call."""
    return Bulkhead(Bounds(calls=1))


async def update(transport: Transport, url: str, bulkhead: Bulkhead) -> None:
    """Update an image there."""
    client = GlanceClient(
        transport, url, bulkhead=bulkhead, timeout_seconds=MOMENT_SECONDS
    )
    deadline_at = asyncio.get_running_loop().time() + 60
    await client.update_image(Caller(Identity("t"), "req-1", deadline_at), "1", [])


async def failure(transport: Transport, url: str, bulkhead: Bulkhead) -> GlanceError:
    """Return how the update of an image fails there."""
    with pytest.raises(GlanceError) as caught:
        await update(transport, url, bulkhead)
    return caught.value


def facts(error: GlanceError) -> tuple[type[GlanceError], bool, bool]:
    """Return kind, whether it was sent, and whether the message states it."""
    text = OPEN if error.was_sent else NOT_SENT
    return type(error), error.was_sent, str(error).endswith(text)


async def test_write_that_waits_for_its_turn_was_not_sent(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """A slot that comes too late is for nothing."""
    with raw_glance(answering(lambda r: response(b"", r.request_id))) as glance:
        somebody = Caller(Identity("somebody"), "req-2", math.inf)
        async with bulkhead.slot(somebody, ("GET", 3)):
            error = await failure(transport, glance.url, bulkhead)

    assert facts(error) == (GlanceTimeout, False, True)
    assert glance.requests == []


async def test_write_whose_connection_is_refused_was_not_sent(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """Nobody listens."""
    error = await failure(transport, f"http://127.0.0.1:{free_port()}", bulkhead)

    assert facts(error) == (GlanceUnavailable, False, True)


async def test_write_without_a_connection_in_time_was_not_sent(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """A server that is silent in the handshake of TLS has seen no request."""
    silent = threading.Event()

    def serve(_: RawConnection) -> None:
        silent.wait(10)

    with raw_glance(serve) as glance:
        url = glance.url.replace("http:", "https:")
        error = await failure(transport, url, bulkhead)
        silent.set()

    assert facts(error) == (GlanceTimeout, False, True)


async def test_write_to_a_server_without_a_certificate_was_not_sent(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """What is no TLS ends before the request."""
    with raw_glance(lambda connection: connection.send(b"HTTP/1.1 400 x")) as glance:
        url = glance.url.replace("http:", "https:")
        error = await failure(transport, url, bulkhead)

    assert facts(error) == (GlanceUnavailable, False, True)


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_write_that_was_not_sent_is_repeated(
    tmp_path: Path, bulkhead: Bulkhead, *, is_reset: bool
) -> None:
    """A connection that ends in the handshake of TLS has carried no request."""
    file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    has_ended = threading.Event()

    def serve(connection: RawConnection) -> None:
        if not has_ended.is_set():
            has_ended.set()
            return connection.reset() if is_reset else None
        connection.start_tls(context)
        return answering(lambda r: response({"id": "1"}, r.request_id))(connection)

    transport = Transport(connections=1, ca_file=file)
    with raw_glance(serve) as glance:
        url = glance.url.replace("http:", "https:")
        await update(transport, url, bulkhead)
        await transport.close()

    assert (len(glance.requests), glance.connections) == (1, 2)


async def test_write_that_cannot_be_sent_is_given_up(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """After a second connection."""
    with raw_glance(lambda connection: connection.reset()) as glance:
        url = glance.url.replace("http:", "https:")
        error = await failure(transport, url, bulkhead)

    assert facts(error) == (GlanceUnavailable, False, True)
    assert glance.connections == 2


async def test_write_without_a_response_in_time_has_an_open_outcome(
    transport: Transport, bulkhead: Bulkhead
) -> None:
    """It may have been done."""
    silent = threading.Event()

    def serve(connection: RawConnection) -> None:
        connection.request()
        silent.wait(10)

    with raw_glance(serve) as glance:
        error = await failure(transport, glance.url, bulkhead)
        silent.set()

    assert facts(error) == (GlanceTimeout, True, True)
    assert error.request_id == glance.requests[0].request_id


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"HTTP/1.1 2", id="cut off in the head"),
        pytest.param(b"no HTTP at all\r\n\r\n", id="no HTTP"),
    ],
)
async def test_write_whose_connection_is_lost_has_an_open_outcome(
    transport: Transport, bulkhead: Bulkhead, answer: bytes
) -> None:
    """It is sent once and no more."""

    def serve(connection: RawConnection) -> None:
        connection.request()
        connection.send(answer)

    with raw_glance(serve) as glance:
        error = await failure(transport, glance.url, bulkhead)

    assert facts(error) == (GlanceUnavailable, True, True)
    assert len(glance.requests) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_write_that_a_server_fails_at_has_an_open_outcome(
    transport: Transport, bulkhead: Bulkhead, status: int
) -> None:
    """A proxy cannot know what Glance has done."""
    serve = answering(lambda _: response(b"", None, status=status))

    with raw_glance(serve) as glance:
        error = await failure(transport, glance.url, bulkhead)

    assert (error.was_sent, str(error)[-len(OPEN) :]) == (True, OPEN)
    assert error.status == status
    assert len(glance.requests) == 1
