"""Calls without a usable response report what failed to clients and the log."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from gateway.glance.failure_log import INTERVAL_SECONDS, FailureLog
from gateway.listening import free_port
from tests.support.certificates import certificate
from tests.support.gateway import Gateway, running_gateway
from tests.support.raw_glance import (
    RawConnection,
    RawRequest,
    Serve,
    answering,
    raw_glance,
)

SHOW = "{ image(id: 1) { id } }"
DELETE = "mutation { deleteImage(input: {id: 1}) { deletedId } }"
ADD_TAG = 'mutation { addTag(input: {id: 1, tag: "a"}) { __typename } }'
REMOVE_TAG = 'mutation { removeTag(input: {id: 1, tag: "a"}) { __typename } }'
TOKEN = "a-token-of-thirty-two-characters"


def cause(
    url: str, caplog: pytest.LogCaptureFixture, *, ca_file: Path | None = None
) -> str:
    """Return why a read fails there; the log has one line with the reason."""
    with running_gateway(url, glance_ca_file=ca_file) as gateway:
        for _ in range(3):
            error = gateway.error(SHOW, token=TOKEN)
    assert error["message"].startswith("Could not get image 1: ")
    told = str(error["message"]).removeprefix("Could not get image 1: ")
    lines = [one for one in caplog.records if one.name == "gateway.glance.failure_log"]
    assert [line.levelno for line in lines] == [logging.WARNING]
    assert f" to Glance failed: {told.removesuffix('.')}" in lines[0].getMessage()
    assert TOKEN not in caplog.text
    return told


@contextmanager
def tls_server(file: Path) -> Iterator[int]:
    """Run a server that knows TLS and nothing else; give its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connected, _ = listening.accept()
                    with suppress(OSError), connected:
                        context.wrap_socket(connected, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_unresolved_host_name_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """A name that no server has is not a refused connection."""
    told = cause("http://glance.invalid:9292", caplog)

    assert told == "the host name of Glance cannot be resolved."
    assert "glance.invalid:9292" in caplog.text


def test_refused_connection_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing listens at the address."""
    port = free_port()

    told = cause(f"http://127.0.0.1:{port}", caplog)

    assert told == "the connection to Glance was refused."
    assert f"127.0.0.1:{port}" in caplog.text


def test_connection_that_is_not_opened_in_time_is_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that drops packets is distinguished from a slow Glance."""
    monkeypatch.setattr("gateway.glance.transport.CONNECT_TIMEOUT_SECONDS", 0.1)
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())

        told = cause(f"http://127.0.0.1:{full.getsockname()[1]}", caplog)

    assert told == "no connection to Glance in time."


@pytest.mark.parametrize(
    ("host", "days", "is_known", "expected"),
    [
        pytest.param(
            "localhost", 2, False, "has an unknown issuer", id="unknown issuer"
        ),
        pytest.param(
            "glance.example.com", 2, True, "is for another host name", id="other host"
        ),
        pytest.param(
            "localhost", -1, True, "has expired, or is not valid yet", id="expired"
        ),
    ],
)
def test_certificate_that_is_not_trusted_is_reported(
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    host: str,
    days: int,
    is_known: bool,  # noqa: FBT001 - a column of the table
    expected: str,
) -> None:
    """Each reason to distrust a certificate is reported by itself."""
    file = certificate(tmp_path, host, days=days)
    with tls_server(file) as port:
        told = cause(
            f"https://localhost:{port}", caplog, ca_file=file if is_known else None
        )

    assert told == f"Glance's certificate {expected}."
    assert "certificate verify failed" in caplog.text


def test_address_without_tls_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """A Glance that speaks plain HTTP is not called over HTTPS."""
    with raw_glance(lambda connection: connection.send(b"HTTP/1.1 400 x")) as glance:
        told = cause(glance.url.replace("http:", "https:"), caplog)

    assert told == "the TLS handshake with Glance failed."


def after_request(data: bytes) -> Serve:
    """Return a script that sends these bytes to each client, and closes."""

    def serve(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.send(data)

    return serve


def headed(*lines: str, status: int = 200) -> Callable[[RawRequest], bytes]:
    """Return what makes a head with these lines and the request's id."""

    def make(request: RawRequest) -> bytes:
        own = [
            f"HTTP/1.1 {status} Raw",
            f"X-OpenStack-Request-ID: {request.request_id}",
        ]
        return "\r\n".join([*own, *lines, "", ""]).encode()

    return make


CLOSED = "Glance closed the connection without a complete response."
MALFORMED = "Glance's response is malformed."
TOO_LARGE = "the headers of Glance's response are too large."
BROKEN: list[object] = [
    pytest.param(after_request(b""), CLOSED, id="closed"),
    pytest.param(after_request(b"HTTP/1.1 200 OK\r\nX-A"), CLOSED, id="closed in head"),
    pytest.param(after_request(b"SSH-2.0-OpenSSH\r\n\r\n"), MALFORMED, id="no HTTP"),
    pytest.param(
        answering(headed("X-A: " + "x" * 70_000)), TOO_LARGE, id="large header"
    ),
    pytest.param(answering(headed(*["X-A: x"] * 200)), TOO_LARGE, id="many headers"),
]


@pytest.mark.parametrize(("serve", "expected"), BROKEN)
def test_broken_response_is_reported(
    caplog: pytest.LogCaptureFixture, serve: Serve, expected: str
) -> None:
    """The error names the kind of a broken response."""
    with raw_glance(serve) as glance:
        told = cause(glance.url, caplog)

    assert told == expected


def test_cut_body_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """A response that ends before its length is no closed connection."""

    def serve(connection: RawConnection) -> None:
        if (request := connection.request()) is not None:
            connection.send(headed("Content-Length: 500")(request) + b"{")

    with raw_glance(serve) as glance:
        told = cause(glance.url, caplog)

    assert told == "Glance's response is cut off."


def test_headers_of_64_kib_are_accepted() -> None:
    """Clouds with long lists of formats or stores send long headers."""
    long = "X-Image-Formats: " + "x" * 60_000
    with (
        raw_glance(answering(headed(long, status=204))) as glance,
        running_gateway(glance.url) as gateway,
    ):
        data = gateway.data(DELETE, token=TOKEN)

    assert data == {"deleteImage": {"deletedId": "1"}}


NO_CONTENT = [
    pytest.param(["Content-Length: 500"], b"", id="no body"),
    pytest.param(["Content-Length: 5"], b"hello", id="a body"),
    pytest.param(["Content-Type: text/html"], b"<html>x", id="a page"),
    pytest.param(["Transfer-Encoding: chunked"], b"0\r\n\r\n", id="last chunk"),
    pytest.param(["Transfer-Encoding: chunked"], b"zz\r\nx", id="broken chunk"),
    pytest.param(["Content-Encoding: gzip"], b"", id="compressed"),
]


@pytest.mark.parametrize(("lines", "body"), NO_CONTENT)
@pytest.mark.parametrize("document", [DELETE, ADD_TAG, REMOVE_TAG])
def test_success_without_content_needs_no_sound_body(
    document: str, lines: list[str], body: bytes
) -> None:
    """Bytes after a 204 do not change the outcome of the call."""
    serve = answering(lambda request: headed(*lines, status=204)(request) + body)
    with raw_glance(serve) as glance, running_gateway(glance.url) as gateway:
        answer = gateway.answer(document, token=TOKEN)

    assert "errors" not in answer


def test_body_after_no_content_is_no_response_to_another_call() -> None:
    """A connection on which something follows 204 is not used again."""
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"id": "2"}\n'
    serve = answering(lambda request: headed(status=204)(request) + forged)
    with raw_glance(serve) as glance, running_gateway(glance.url) as gateway:
        for _ in range(3):
            gateway.data(DELETE, token=TOKEN)

    assert glance.connections == 3


def test_outage_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A cause is logged once a minute, with the number of lines left out."""
    now = [0.0]
    log = FailureLog(lambda: now[0])
    for now[0] in (0.0, 1.0, INTERVAL_SECONDS - 1, INTERVAL_SECONDS, 2000.0):
        log.log("refused", "host", "req-1")
        log.log("cut", "", "req-2")

    refused = [one.getMessage() for one in caplog.records if "refused" in one.message]
    once = "Call req-1 to Glance failed: refused (host)."
    left_out = " 2 more calls have failed for this reason since the last such line."
    assert refused == [once, once + left_out, once]
    assert len(caplog.records) == 6


def test_outage_of_a_gateway_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """In an outage each caller gets an error, and the log has one line."""
    with running_gateway(f"http://127.0.0.1:{free_port()}") as gateway:
        codes = [_code(gateway) for _ in range(50)]

    assert codes == ["GLANCE_UNAVAILABLE"] * 50
    assert caplog.text.count("was refused") == 1


def _code(gateway: Gateway) -> object:
    return gateway.error(SHOW, token=TOKEN)["extensions"]["code"]
