"""Glance behind an HTTP proxy that the environment names."""

import signal
import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.listening import free_port
from gateway.settings import Settings
from tests.support.certificates import certificate
from tests.support.command import piped
from tests.support.gateway import running_gateway
from tests.support.raw_glance import (
    RawConnection,
    RawRequest,
    Serve,
    answering,
    raw_glance,
    response,
)

SHOW = "{ image(id: 1) { id } }"
DELETE = "mutation { deleteImage(input: {id: 1}) { deletedId } }"
PASSWORD = "proxy-password"


def image(request: RawRequest) -> bytes:
    """Return Glance's response to any request."""
    if request.method == "DELETE":
        return response(b"", request.request_id, status=204)
    return response({"id": "1"}, request.request_id)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name no proxy of the machine's own."""
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_plain_glance_is_called_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy receives the whole URL, over keep-alive connections."""
    with raw_glance(answering(image)) as proxy:
        address = proxy.url.replace("//", f"//user:{PASSWORD}@")
        monkeypatch.setenv("HTTP_PROXY", address)
        with running_gateway("http://glance.test:9292", cache_url="none") as gateway:
            for _ in range(4):
                gateway.data(SHOW, token="t")
            gateway.data(DELETE, token="t")

    targets = {(request.method, request.target) for request in proxy.requests}
    assert targets == {
        ("GET", "http://glance.test:9292/v2/images/1"),
        ("DELETE", "http://glance.test:9292/v2/images/1"),
    }
    assert {one.headers["proxy-authorization"] for one in proxy.requests} == {
        "Basic dXNlcjpwcm94eS1wYXNzd29yZA=="
    }
    assert proxy.connections == 3


def tunnel(context: ssl.SSLContext) -> Serve:
    """Return a proxy that connects to a Glance of its own."""

    def serve(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            connection.start_tls(context)
            answering(image)(connection)
            connection.close()

    return serve


def test_glance_with_tls_is_called_through_a_tunnel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The proxy sees where the tunnel leads, and no token."""
    file = certificate(tmp_path, "glance.test")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    url = "https://glance.test:9293"
    with raw_glance(tunnel(context)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.removeprefix("http://"))
        with running_gateway(url, cache_url="none", glance_ca_file=file) as gateway:
            for _ in range(4):
                gateway.data(SHOW, token="t")
            gateway.data(DELETE, token="t")

    tunnels = [one for one in proxy.requests if one.method == "CONNECT"]
    assert {one.target for one in tunnels} == {"glance.test:9293"}
    assert not any("x-auth-token" in one.headers for one in tunnels)
    assert (proxy.connections, len(proxy.requests)) == (3, 3 + 5)


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("http://glance.test/image", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("http://glance.test", {"http_proxy": "p:1"}, "http://p:1"),
        ("https://glance.test", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://glance.test", {"HTTPS_PROXY": "http://u:s@p:1"}, "http://p:1"),
        ("http://glance.test", {"HTTP_PROXY": "p:1", "NO_PROXY": "a, .test"}, None),
        ("http://glance.test", {"HTTP_PROXY": "p:1", "no_proxy": "*"}, None),
        ("http://10.0.0.1:9292", {"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.1"}, None),
        ("http://127.0.0.1:9292", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://[::1]:9292", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://localhost", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://glance.test", {"HTTP_PROXY": ""}, None),
    ],
)
def test_proxy_is_the_one_that_the_environment_has(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    environment: dict[str, str],
    expected: str | None,
) -> None:
    """By the scheme of Glance's address, unless NO_PROXY or loopback spares it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert Settings(glance_url=url).glance_proxy_shown == expected


UNUSABLE = (
    "socks5://p:1",
    "https://p:1",
    "http://",
    "http://p:99999",
    "http://user:se/cret@p:1",
    "http://user:12/34@p:1",
)


@pytest.mark.parametrize("proxy", UNUSABLE)
def test_proxy_of_another_kind_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """An unusable proxy is reported, and not ignored."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(ValidationError, match="the proxy of HTTPS_PROXY must be like"):
        Settings(glance_url="https://glance.test")


def test_proxy_that_cannot_be_reached_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the proxy that rejects, not Glance."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with running_gateway("http://glance.test") as gateway:
        error = gateway.error(SHOW, token="t")

    told = "Could not get image 1: the HTTP proxy cannot be reached."
    assert error["message"] == told


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        (
            "https://glance.test",
            "GLANCE_UNAVAILABLE",
            "the HTTP proxy does not connect to Glance (status 407).",
        ),
        ("http://glance.test", "GLANCE_UNAVAILABLE", "Who are you?"),
    ],
)
def test_proxy_that_rejects_is_reported(
    monkeypatch: pytest.MonkeyPatch, url: str, code: str, told: str
) -> None:
    """Its status is no fault of the client's."""
    text = {"Content-Type": "text/plain"}
    page = response(b"Who are you?", None, status=407, headers=text)
    with raw_glance(answering(lambda _: page)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with running_gateway(url) as gateway:
            error = gateway.error(SHOW, token="t")

    assert error["extensions"]["code"] == code
    assert error["message"] == f"Could not get image 1: {told}"


def test_serve_prints_which_proxy_it_uses() -> None:
    """In one line when it starts, without the password."""
    proxy = {"HTTP_PROXY": f"http://user:{PASSWORD}@proxy.test:3128"}
    flags = ("--glance-url", "http://glance.test", "--port", str(free_port()))
    with piped("serve", *flags, **proxy) as command:
        said = command.until("proxy.test:3128\n")
        ended = command.stop(signal.SIGTERM)

    assert "Glance is reached through http://proxy.test:3128\n" in said
    assert PASSWORD not in ended.output + ended.errors
