"""Attacks on a gateway that lends a token, by pages and by other users."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.explore.cloud import Cloud
from gateway.explore.lent_token import LentToken
from tests.support.explore import CREATE, IMAGES, Explore, exploring, openrc
from tests.support.keystone import Keystone

JSON = "application/json"
NAMES = ("127.0.0.1", "localhost", "[::1]")
NOBODY = 65534
SECRET = {"data": {"images": {"nodes": [{"name": "secret plans"}]}}}


@pytest.fixture(scope="module")
def explore(keystone: Keystone) -> Iterator[Explore]:
    """Explore a project that has a private image."""
    with exploring(**openrc(keystone, keystone.create_member())) as running:
        running.gateway.data(CREATE, token=None, name="secret plans")
        yield running


class FixedCloud(Cloud):
    """A cloud that nobody is asked of."""

    def __init__(self) -> None:
        """Have but a token."""

    def token(self) -> str:
        """Return the token."""
        return "lent"


async def upgraded(*origins: str) -> tuple[list[Scope], list[Message]]:
    """Open a WebSocket; return what was passed on and what was answered."""
    passed: list[Scope] = []
    said: list[Message] = []

    async def inner(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope)

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        host = f"127.0.0.1:{address[1]}"
        headers = [(b"origin", origin.format(host=host).encode()) for origin in origins]
        with socket.create_connection(address) as client:
            scope = {
                "type": "websocket",
                "path": "/graphql",
                "headers": [(b"host", host.encode()), *headers],
                "client": client.getsockname(),
                "server": address,
            }
            lending = LentToken(inner, FixedCloud(), path="/graphql", port=address[1])
            await lending(scope, receive, send)
    return passed, said


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Return the HTTP status, the code and the reason of what is refused."""
    (error,) = response.json()["errors"]
    assert (
        error["extensions"]["requestId"] == response.headers["x-openstack-request-id"]
    )
    return response.status_code, error["extensions"]["code"], error["message"]


def answered(port: int, request: bytes) -> bytes:
    """Send bytes and return the beginning of the answer's."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def ask(explore: Explore, **headers: str) -> httpx.Response:
    """Send the query for the private image with further headers."""
    return explore.gateway.post(IMAGES, headers=headers)


@pytest.mark.parametrize("name", NAMES)
def test_own_page_is_lent_the_token(explore: Explore, name: str) -> None:
    """What our page's scripts send is what a browser makes of them."""
    host = f"{name}:{explore.port}"
    page = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}

    response = ask(explore, **page)

    assert response.json() == SECRET


def test_program_of_the_same_user_is_lent_the_token(explore: Explore) -> None:
    """A program could read the credentials themselves; it names no page."""
    assert ask(explore).json() == SECRET


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("evil.example", id="foreign-name"),
        pytest.param("evil.example:{port}", id="foreign-name-with-our-port"),
        pytest.param("127.0.0.1", id="no-port"),
        pytest.param("127.0.0.1:1", id="another-port"),
        pytest.param("127.0.0.1.evil.example:{port}", id="loopback-as-a-prefix"),
        pytest.param("evil@127.0.0.1:{port}", id="user"),
        pytest.param("0.0.0.0:{port}", id="every-address"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/graphql", "/schema"])
def test_foreign_host_is_refused(explore: Explore, host: str, path: str) -> None:
    """DNS rebinding makes a foreign page same-origin with us, by its own name."""
    host = host.format(port=explore.port)
    page = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}

    response = explore.gateway.client.post(path, json={"query": IMAGES}, headers=page)

    status, code, reason = refusal(response)
    assert (status, code) == (HTTPStatus.FORBIDDEN, "FORBIDDEN")
    assert reason.startswith("The Host must be one of 127.0.0.1:")


def test_foreign_host_is_refused_with_a_token_too(explore: Explore) -> None:
    """Nothing at all is served to a name that is not this machine's."""
    headers = {"Host": "evil.example", "X-Auth-Token": "own"}

    assert ask(explore, **headers).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("", id="no-host"),
        pytest.param("Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n", id="two"),
    ],
)
def test_missing_or_second_host_is_refused(explore: Explore, head: str) -> None:
    """What might be read in two ways is not read."""
    request = f"GET / HTTP/1.0\r\n{head.format(port=explore.port)}\r\n"

    answer = answered(explore.port, request.encode())

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://evil.example", id="foreign"),
        pytest.param("null", id="sandboxed"),
        pytest.param("http://127.0.0.1", id="another-port"),
        pytest.param("http://127.0.0.1:1", id="one-more-port"),
        pytest.param("https://127.0.0.1:{port}", id="another-scheme"),
        pytest.param("http://localhost:{port}", id="another-name-of-ours"),
        pytest.param("", id="empty"),
    ],
)
def test_foreign_origin_is_refused(explore: Explore, origin: str) -> None:
    """Pages of other servers of this machine are foreign, too."""
    response = ask(explore, Origin=origin.format(port=explore.port))

    reason = "The Origin must be this very gateway's: no token is lent."
    assert refusal(response) == (HTTPStatus.FORBIDDEN, "FORBIDDEN", reason)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_browser_says_that_it_was_another_page(explore: Explore, site: str) -> None:
    """A browser that sends no Origin still says where a request is from."""
    response = ask(explore, **{"Sec-Fetch-Site": site})

    reason = "Sec-Fetch-Site must be same-origin: no token is lent."
    assert refusal(response) == (HTTPStatus.FORBIDDEN, "FORBIDDEN", reason)


@pytest.mark.parametrize(
    ("method", "kind", "status"),
    [
        pytest.param("POST", "text/plain", 415, id="form-as-text"),
        pytest.param("POST", "application/x-www-form-urlencoded", 415, id="form"),
        pytest.param("POST", "multipart/form-data; boundary=x", 415, id="upload"),
        pytest.param("POST", "text/plain; application/json", 415, id="parameter"),
        pytest.param("POST", "", 415, id="no-type"),
        pytest.param("GET", JSON, 200, id="get"),
        pytest.param("HEAD", JSON, 405, id="head"),
        pytest.param("PUT", JSON, 405, id="put"),
    ],
)
def test_what_needs_no_leave_of_ours_is_lent_nothing(
    explore: Explore, method: str, kind: str, status: int
) -> None:
    """Links and forms of foreign pages are sent by any browser, unasked."""
    response = explore.gateway.client.request(
        method,
        "/graphql",
        params={"query": IMAGES},
        content=b'{"query": "%s"}' % IMAGES.encode(),
        headers={"Content-Type": kind},
    )

    assert (response.status_code, "secret plans" in response.text) == (status, False)


def test_foreign_page_is_given_no_leave(explore: Explore) -> None:
    """A preflight is answered with no header that would let a page go on."""
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    response = explore.gateway.client.options("/graphql", headers=asked)

    allowed = [n for n in response.headers if n.startswith("access-control-")]
    assert (response.status_code, allowed) == (HTTPStatus.METHOD_NOT_ALLOWED, [])


@pytest.mark.parametrize(
    ("origins", "token"),
    [
        pytest.param(["http://{host}"], b"lent", id="own"),
        pytest.param(["https://evil.example"], None, id="foreign"),
        pytest.param(["http://127.0.0.1:1"], None, id="another-port"),
        pytest.param(["http://{host}", "https://evil.example"], None, id="both"),
    ],
)
def test_web_socket_is_our_own_pages_alone(
    origins: list[str], token: bytes | None
) -> None:
    """A browser opens WebSockets for any page, and says for which."""
    passed, said = asyncio.run(upgraded(*origins))

    lent = passed[0]["headers"][0] if passed else (b"x-auth-token", None)
    assert lent == (b"x-auth-token", token)
    assert [message["type"] for message in said] == (
        [] if token else ["websocket.close"]
    )


def test_web_socket_of_no_page_is_lent_nothing() -> None:
    """Its first message may bring a token."""
    passed, said = asyncio.run(upgraded())

    (scope,) = passed
    assert b"x-auth-token" not in dict(scope["headers"])
    assert said == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_this_machine_is_refused(explore: Explore) -> None:
    """The port is open to all users, what it lends is not."""
    connection = HTTPConnection("127.0.0.1", explore.port, timeout=30)
    body, kind = json.dumps({"query": IMAGES}), {"Content-Type": JSON}

    os.seteuid(NOBODY)
    try:
        connection.request("POST", "/graphql", body, kind)
        answer = connection.getresponse().read()
    finally:
        os.seteuid(0)
        connection.close()

    assert b"A token is lent just to the user who has started this." in answer


def test_own_token_is_used_instead_of_the_lent_one(explore: Explore) -> None:
    """Who brings a token, even a wrong one, is who it says."""
    error = explore.gateway.error(IMAGES, token="made-up")

    assert error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_empty_token_is_no_way_around(explore: Explore, origin: str) -> None:
    """A header without a token brings none."""
    response = ask(explore, **{"X-Auth-Token": "", "Origin": origin})

    assert response.status_code == HTTPStatus.FORBIDDEN
