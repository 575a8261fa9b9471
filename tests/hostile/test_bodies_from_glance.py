"""What Glance, or what stands in its place, may send: bounded in memory and time."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gateway.listening import free_port
from tests.support.command import piped
from tests.support.gateway import Gateway, running_gateway
from tests.support.raw_glance import (
    RawConnection,
    RawGlance,
    RawRequest,
    Serve,
    answering,
    raw_glance,
    response,
)

MIB = 1024 * 1024
# Measured: below 0.1 s; the machine may be busy.
STALL_MAX_SECONDS = 1.0
MEMORY_MAX_BYTES = 100 * MIB
LIST = "{ images { nodes { id name properties { name value } } } }"
SHOW = "{ image(id: 1) { id name } }"
ADD_TAG = 'mutation { addTag(input: {id: 1, tag: "é"}) { image { id } } }'
SWITCHED = b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def flood(head: bytes, piece: bytes, times: int = 10**9) -> Serve:
    """Return what answers with a head and the same piece again and again."""

    def serve(connection: RawConnection) -> None:
        while (request := connection.request()) is not None:
            connection.send(head.replace(b"$id", request.request_id.encode()))
            for _ in range(times):
                connection.send(piece)

    return serve


def headed(*lines: bytes) -> bytes:
    """Return the head of a success with these lines and our id."""
    own = b"X-OpenStack-Request-ID: $id"
    return HEAD + b"\r\n".join([own, *lines, b"", b""])


def of_length(piece: bytes, times: int, *lines: bytes) -> Serve:
    """Return what answers with a body of so many equal pieces."""
    length = b"Content-Length: %d" % (len(piece) * times)
    return flood(headed(length, *lines), piece, times)


def made(content: bytes, **others: Any) -> Serve:
    """Return what answers each request with that body."""
    return answering(lambda request: response(content, request.request_id, **others))


def chunked(piece: bytes) -> bytes:
    """Return a piece of a body without a length."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


HTML = {"Content-Type": "text/html"}
GZIPPED_HTML = HTML | {"Content-Encoding": "gzip"}
ATTACKS = [
    pytest.param(
        flood(headed(b"Transfer-Encoding: chunked"), chunked(b" " * MIB)), id="endless"
    ),
    pytest.param(of_length(b" " * MIB, 200), id="200 MB"),
    pytest.param(
        made(gzip.compress(bytes(200 * MIB)), headers={"Content-Encoding": "gzip"}),
        id="gzip bomb",
    ),
    pytest.param(of_length(b"[" * MIB, 60), id="deeply nested"),
    pytest.param(of_length(b'{"a":' * MIB, 12), id="deeply nested objects"),
    pytest.param(of_length(b'{"id":"x"},' * MIB, 5), id="many small objects"),
    pytest.param(of_length(b'{"id":"x"},' * 180_000, 1), id="some small objects"),
    pytest.param(made(b"<" * 200_000, status=500, headers=HTML), id="HTML error"),
    pytest.param(
        made(b"<h1>&#" + b"9" * 200_000, status=409, headers=HTML), id="long number"
    ),
    pytest.param(flood(HEAD, b"X-A: %s\r\n" % (b"a" * 8000)), id="endless header"),
    pytest.param(flood(SWITCHED, b"x" * MIB), id="another protocol"),
    pytest.param(flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), id="endless 100s"),
]


class Watched:
    """A gateway in a process of its own, whose memory and stalls are measured."""

    def __init__(self, client: httpx.Client, process: int) -> None:
        """Watch a process that `client` asks."""
        self._gateway = Gateway(client)
        self._url = client.base_url
        self._process = Path(f"/proc/{process}")

    def memory(self, name: str) -> int:
        """Return its resident bytes now (VmRSS) or at most (VmHWM)."""
        status = (self._process / "status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024

    def peak(self, document: str) -> tuple[Any, int, float]:
        """Return the error of an operation, its memory, and the longest stall."""
        before = self.memory("VmRSS")
        (self._process / "clear_refs").write_text("5")
        begun, ended = threading.Event(), threading.Event()
        stalls: list[float] = []
        thread = threading.Thread(target=self._ask_on, args=[begun, ended, stalls])
        thread.start()
        assert begun.wait(10)
        error = self._gateway.error(document, token="t")
        ended.set()
        thread.join()
        return error, self.memory("VmHWM") - before, max(stalls)

    def _ask_on(
        self, begun: threading.Event, ended: threading.Event, stalls: list[float]
    ) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not ended.is_set():
                asked_at = time.monotonic()
                Gateway(client).post("{ __typename }", token="other")
                stalls.append(time.monotonic() - asked_at)
                begun.set()


@contextmanager
def watched_gateway(glance_url: str) -> Iterator[Watched]:
    """Run a gateway as a command."""
    port = free_port()
    flags = ("--glance-url", glance_url, "--port", str(port))
    # Calls that do not end by themselves end soon.
    with piped("serve", *flags, GATEWAY_GLANCE_TIMEOUT_SECONDS="1") as command:
        command.until("/\n")
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Watched(client, command.process.pid)


@pytest.fixture(scope="module")
def current() -> list[Serve]:
    """Return what is played now, as the last entry; the gateway looks at its start."""
    return [made(b"{}")]


@pytest.fixture(scope="module")
def hostile_glance(current: list[Serve]) -> Iterator[RawGlance]:
    """Run a Glance that plays the attack of the test."""

    def serve(connection: RawConnection) -> None:
        current[-1](connection)

    with raw_glance(serve) as glance:
        yield glance


@pytest.fixture(scope="module")
def watched(hostile_glance: RawGlance) -> Iterator[Watched]:
    """Run the gateway that is attacked."""
    with watched_gateway(hostile_glance.url) as running:
        yield running


@pytest.mark.parametrize("document", [LIST, SHOW], ids=["list", "image"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_response_costs_little_memory_and_stalls_nobody(
    watched: Watched, current: list[Serve], attack: Serve, document: str
) -> None:
    """Whatever comes, it costs less than 100 MB and others go on."""
    current.append(attack)

    error, memory_bytes, stall_seconds = watched.peak(document)

    codes = {"GLANCE_UNAVAILABLE", "GLANCE_TIMEOUT", "CONFLICT"}
    assert error["extensions"]["code"] in codes
    assert memory_bytes < MEMORY_MAX_BYTES
    assert stall_seconds < STALL_MAX_SECONDS


def test_page_of_a_thousand_large_images_passes() -> None:
    """1000 images with 100 properties each are no attack."""
    properties = {f"property_{number}": "x" * 40 for number in range(100)}
    images = [{"id": str(number), **properties} for number in range(1000)]
    body = orjson.dumps({"images": images})
    document = '{ images(first: 999) { nodes { id property(name: "property_9") } } }'

    with raw_glance(made(body)) as glance, running_gateway(glance.url) as gateway:
        data = gateway.data(document, token="t")

    nodes = data["images"]["nodes"]
    assert nodes == [{"id": str(one), "property": "x" * 40} for one in range(999)]


def trickle(connection: RawConnection) -> None:
    """Answer with an endless body, a byte at a time."""
    while (request := connection.request()) is not None:
        head = headed(b"Transfer-Encoding: chunked")
        connection.send(head.replace(b"$id", request.request_id.encode()))
        while True:
            connection.send(chunked(b" "))


def test_endless_trickle_ends_at_the_deadline() -> None:
    """A body that keeps coming lasts no longer than a call may."""
    with (
        raw_glance(trickle) as glance,
        running_gateway(
            glance.url, glance_timeout_seconds=0.5, request_timeout_seconds=20
        ) as gateway,
    ):
        began_at = time.monotonic()
        error = gateway.error(LIST, token="t")
        seconds = time.monotonic() - began_at

    assert error["extensions"]["code"] == "GLANCE_TIMEOUT"
    assert len(glance.requests) == 1
    assert seconds < 10


def test_setting_bounds_the_bytes_of_a_response() -> None:
    """`GATEWAY_GLANCE_RESPONSE_MAX_BYTES` is the last byte that is read."""
    page = {"images": [{"id": "1", "name": "x" * 2000}]}

    with (
        raw_glance(made(orjson.dumps(page))) as glance,
        running_gateway(glance.url, glance_response_max_bytes=1024) as gateway,
    ):
        error = gateway.error(LIST, token="t")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert error["message"] == (
        "Could not list images: Glance's response is larger than 1024 bytes."
    )


def nested(request: RawRequest) -> bytes:
    """Return an image with a value that is nested as deep as its owner's token says."""
    depth = int(request.token)
    deep = b"[" * depth + b"]" * depth
    image = b'{"id": "1", "name": "n", "tags": [], "deep": %s}' % deep
    is_list = request.target.startswith("/v2/images?")
    return response(
        b'{"images": [%s]}' % image if is_list else image, request.request_id
    )


@pytest.mark.parametrize("cache_url", ["none", "memory://"])
def test_nested_value_is_no_error_of_our_own(cache_url: str) -> None:
    """What decodes but cannot be encoded or compared is Glance's fault."""
    documents = (LIST, "{ images { nodes { name } } }", SHOW, ADD_TAG)

    with (
        raw_glance(answering(nested)) as glance,
        running_gateway(glance.url, cache_url=cache_url) as gateway,
    ):
        answers = [
            gateway.answer(document, token=str(depth))
            for depth in (100, 254, 900, 980, 990, 1000, 1030, 100_000)
            for document in documents * 2
        ]

    codes = {e["extensions"]["code"] for one in answers for e in one.get("errors", [])}
    assert codes == {"GLANCE_UNAVAILABLE"}


def test_compressed_error_page_is_not_quoted() -> None:
    """Its status counts."""
    page = made(gzip.compress(b"<h1>x</h1> y"), status=409, headers=GZIPPED_HTML)

    with raw_glance(page) as glance, running_gateway(glance.url) as gateway:
        error = gateway.error(LIST, token="t")

    assert error["extensions"]["code"] == "CONFLICT"
    assert error["message"] == "Could not list images: 409 Conflict"


@pytest.mark.parametrize("images", [160_000, 180_000, 500_000])
def test_page_of_too_many_values_is_not_decoded(images: int) -> None:
    """They are counted before they are made, however the bytes come."""
    page = b'{"images":[%s]}' % b",".join([b'{"id":"x"}'] * images)

    with raw_glance(made(page)) as glance, running_gateway(glance.url) as gateway:
        error = gateway.error(LIST, token="t")

    assert error["message"] == (
        "Could not list images: Glance's response is made of more than 300000 values."
    )
