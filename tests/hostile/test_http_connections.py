"""Attacks on HTTP itself, before any GraphQL."""

import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

import orjson
import pytest

from tests.hostile.victim import IMAGES, UPGRADE, Victim, running_victim

MIB = 1024 * 1024
GET = b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GROWTH_MIB = 50
# 64 MiB unsent, what was cached, and what is being made; of 3 MiB for each reader.
UNSENT_MIB = 235
READERS = 60
CUT_OFF = 35
# 128 MiB of requests, and the connections.
REQUESTS_MIB = 220
SENDERS = 2_300
# Of 4 MB each, in the cache.
DIFFERENT = 16


def received(connection: socket.socket) -> bytes:
    """Return all that is sent until the connection ends."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def answered(victim: Victim, *parts: bytes) -> bytes:
    """Send the parts of a request and return all that is answered."""
    with victim.connect() as connection:
        with suppress(ConnectionResetError, BrokenPipeError):
            for part in parts:
                connection.sendall(part)
        return received(connection)


def rejection(response: bytes) -> tuple[int, str]:
    """Return status and code of a response."""
    head, _, body = response.partition(b"\r\n\r\n")
    error = orjson.loads(body)["errors"][0]
    return int(head.split()[1]), error["extensions"]["code"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"A: " + b"a" * 65536 + b"\r\n", id="a large one"),
        pytest.param(b"A: b\r\n" * 100, id="many"),
        pytest.param((b"A: " + b"a" * 1000 + b"\r\n") * 70, id="both"),
    ],
)
def test_large_header_block_is_rejected(victim: Victim, head: bytes) -> None:
    """Of more than 64 KiB or 100 headers; the connection closes."""
    assert rejection(answered(victim, GET, head + b"\r\n")) == (431, "BAD_REQUEST")


def test_large_header_of_an_upgrade_is_rejected(victim: Victim) -> None:
    """As of any other request; websockets takes lines of 8 KiB."""
    upgrade = (
        GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nA: " + b"a" * 9000 + b"\r\n\r\n"
    )

    assert rejection(answered(victim, upgrade)) == (431, "BAD_REQUEST")


@pytest.mark.parametrize("name", ["path", "upgrade"])
def test_target_that_is_not_ascii_is_malformed(victim: Victim, name: str) -> None:
    """Of an upgrade too."""
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n" * (name == "upgrade")
    request = b"GET /\xc3\xbc HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n"

    assert rejection(answered(victim, request)) == (400, "BAD_REQUEST")


def test_upgrade_behind_a_request_is_rejected(victim: Victim) -> None:
    """Its response would come before that of the request, or within it."""
    assert b"101 Switching" not in answered(victim, GET + b"\r\n" + UPGRADE)
    assert victim.is_well()


def endless_header() -> Iterable[bytes]:
    """Yield a header that does not end."""
    yield GET + b"A: "
    for _ in range(64):
        yield b"a" * MIB


def endless_trailers() -> Iterable[bytes]:
    """Yield headers behind a body that do not end."""
    yield CHUNKED + b"0\r\n"
    for _ in range(64):
        yield b"a: b\r\n" * (MIB // 6)


def pipelined() -> Iterable[bytes]:
    """Yield ten thousand requests, and many more."""
    for _ in range(10):
        yield (GET + b"\r\n") * 10_000


def tiny_chunks() -> Iterable[bytes]:
    """Yield a body of a mebibyte whose chunks are one byte each."""
    yield POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield b"1\r\n \r\n" * MIB
    yield b"0\r\n\r\n"


def chunk_extension() -> Iterable[bytes]:
    """Yield a chunk whose head does not end."""
    yield CHUNKED + b"1;"
    for _ in range(64):
        yield b"a" * MIB


@pytest.mark.parametrize(
    "attack",
    [endless_header, endless_trailers, pipelined, tiny_chunks, chunk_extension],
)
def test_endless_request_holds_nothing(
    victim: Victim, attack: Callable[[], Iterable[bytes]]
) -> None:
    """Neither while it arrives nor afterwards."""
    before = victim.rss_mib()
    victim.forget_peak()

    answered(victim, *attack())

    assert victim.peak_mib() < before + GROWTH_MIB
    assert victim.is_well()


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"GET /gra", id="request line"),
        pytest.param(GET + b"A: ", id="header"),
        pytest.param(POST + b"Content-Length: 100\r\n\r\n{", id="body"),
        pytest.param(CHUNKED + b"5\r\n{", id="chunk"),
    ],
)
def test_request_that_does_not_arrive_is_rejected(victim: Victim, part: bytes) -> None:
    """Once the time for reading is up."""
    assert rejection(answered(victim, part)) == (408, "BAD_REQUEST")


def test_request_that_dribbles_is_rejected(victim: Victim) -> None:
    """What arrives in time buys none."""
    with victim.connect() as connection:
        connection.settimeout(0.1)
        connection.sendall(GET)
        response = b""
        while not response:
            connection.sendall(b"A: b\r\n")
            with suppress(TimeoutError):
                response = connection.recv(65536)

    assert rejection(response) == (408, "BAD_REQUEST")


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "no request"])
def test_connection_without_a_request_is_closed(victim: Victim, sent: bytes) -> None:
    """Without a word, which could be taken for a response."""
    assert answered(victim, sent) == b""


def response_on(kept: socket.socket) -> bytes:
    """Return the whole response to GET, whose body is known."""
    response = b""
    while not response.endswith(b'{"data":{"__typename":"Query"}}'):
        more = kept.recv(65536)
        assert more
        response += more
    return response


def test_connection_between_requests_lasts(victim: Victim) -> None:
    """Longer than one that has sent none."""
    with victim.connect() as kept:
        kept.sendall(GET + b"\r\n")
        first = response_on(kept)
        assert answered(victim, b"") == b""
        kept.sendall(GET + b"\r\n")
        second = response_on(kept)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")


def test_connections_are_bounded(victim: Victim) -> None:
    """What is above the limit is told so; later there is room again."""
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(victim.connect())
        response = answered(victim, GET, b"\r\n")

    assert rejection(response) == (503, "OVERLOADED")
    assert victim.is_well()


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(GET + b"A: " + b"a" * 60_000, id="header"),
        pytest.param(
            POST + b"Content-Length: 62000\r\n\r\n" + b" " * 60_000, id="body"
        ),
    ],
)
def test_unfinished_requests_are_bounded_together(part: bytes) -> None:
    """Also small ones; what is above the limit is told so."""
    with running_victim() as victim, ExitStack() as stack:
        before = victim.rss_mib()
        victim.forget_peak()
        for _ in range(SENDERS):
            stack.enter_context(victim.connect()).sendall(part)
        response = answered(victim, part)

        assert rejection(response) == (503, "OVERLOADED")
        assert victim.is_well()
        assert victim.peak_mib() < before + REQUESTS_MIB


def test_body_after_its_response_is_not_held(victim: Victim) -> None:
    """However much of it there is."""
    head = POST.replace(b"json", b"text") + b"Content-Length: 200000000\r\n\r\n"
    with victim.connect() as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 415")
        for _ in range(160):
            connection.sendall(b" " * MIB)

    assert victim.is_well()


def test_reader_that_stops_is_cut_off(victim: Victim) -> None:
    """What was made for it is given back."""
    before = victim.rss_mib()
    with ExitStack() as stack:
        readers = [stack.enter_context(victim.connect()) for _ in range(8)]
        for one in readers:
            one.sendall(large_query("a"))
        victim.wait_until_cut_off(readers)

    assert victim.shrinks_to(before + GROWTH_MIB)


def test_client_that_resets_pipelined_requests_leaves_no_traceback(
    victim: Victim,
) -> None:
    """The request that runs is not the newest one that has arrived."""
    before = victim.log().count("Traceback")
    body = orjson.dumps({"query": IMAGES})
    request = POST + b"X-Auth-Token: t\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )
    for _ in range(20):
        with victim.connect() as opened:
            opened.sendall(request * 6)
            opened.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
    for _ in range(3):
        victim.query(IMAGES)

    assert victim.log().count("Traceback") == before


def test_readers_that_stop_are_bounded_together() -> None:
    """Long before the time for each is up; others are served."""
    small_cache = {"GATEWAY_CACHE_MAX_BYTES": str(16 * MIB)}
    with running_victim(**small_cache) as victim, ExitStack() as stack:
        readers = [stack.enter_context(victim.connect()) for _ in range(READERS)]
        before = victim.rss_mib()
        victim.forget_peak()
        for number, one in enumerate(readers):
            one.sendall(large_query(f"r{number:02}_"))
        are_cut_off = victim.logs("this client the most of them", CUT_OFF)

        assert victim.peak_mib() < before + UNSENT_MIB
        assert are_cut_off


def test_responses_that_are_never_requested_again_are_given_back() -> None:
    """Once they have expired, whatever the cache may hold."""
    with running_victim(GATEWAY_CACHE_TTL_IMAGES_SECONDS="1") as victim:
        victim.query(ten_lists("a"))
        before = victim.rss_mib()
        for number in range(DIFFERENT):
            victim.ask(ten_lists(f"r{number:02}_"))

        assert victim.shrinks_to(before + GROWTH_MIB)


def ten_lists(prefix: str) -> str:
    """Return a document whose result takes four megabytes."""
    lists = (f"{prefix}{number}: {IMAGES[1:-1]}" for number in range(10))
    return f"{{ {' '.join(lists)} }}"


def large_query(prefix: str) -> bytes:
    """Return a request of ten lists."""
    body = orjson.dumps({"query": ten_lists(prefix)})
    return POST + b"X-Auth-Token: t\r\nContent-Length: %d\r\n\r\n" % len(body) + body
