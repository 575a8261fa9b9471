"""A token is in no line of the log, wherever a client has put it."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from gateway.listening import free_port
from tests.support.command import Command, piped
from tests.support.glance_double import GlanceDouble, Reply, json_reply
from tests.support.websocket import PROTOCOL

SECRET = "gAAAAABsecretsecretsecret"
QUERY = "{ image(id: 1) { name } }"
TALKATIVE = sys.executable, "-m", "tests.hostile.talkative"
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
RAW = {
    "no HTTP": f"{SECRET}\r\n\r\n",
    "path": f"GET /{SECRET} HTTP/1.1\r\nHost: x\r\n\r\n",
    "version": f"GET /{SECRET} HTTP/9.9\r\nHost: x\r\n\r\n",
    "method": f"{SECRET} /graphql HTTP/1.1\r\nHost: x\r\n\r\n",
    "header without a colon": f"GET / HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n\r\n",
    "long header": f"GET / HTTP/1.1\r\nHost: x\r\nA: {SECRET * 8000}\r\n\r\n",
    "other upgrade": (
        f"GET /graphql?token={SECRET} HTTP/1.1\r\nHost: x\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    ),
}
HANDSHAKES = {
    "path": (f"GET /{SECRET}?token={SECRET} HTTP/1.1", *UPGRADE),
    "no key": (f"GET /graphql?token={SECRET} HTTP/1.1", *UPGRADE[:-1]),
    "odd key": (
        f"GET /graphql?token={SECRET} HTTP/1.1",
        *UPGRADE[:-1],
        f"Sec-WebSocket-Key: {SECRET}",
    ),
    "odd version": (
        f"GET /graphql?token={SECRET} HTTP/1.1",
        *UPGRADE[:-2],
        f"Sec-WebSocket-Version: {SECRET}",
        UPGRADE[-1],
    ),
    "odd origin": (
        f"GET /graphql?token={SECRET} HTTP/1.1",
        *UPGRADE,
        f"Origin: http://{SECRET}",
        f"Origin: {SECRET}",
    ),
    "odd protocol": (
        f"GET /graphql?token={SECRET} HTTP/1.1",
        *UPGRADE,
        f"Sec-WebSocket-Protocol: {SECRET}",
        f"Sec-WebSocket-Extensions: {SECRET};;={SECRET}",
    ),
    "odd frame": (
        f"GET /graphql?token={SECRET} HTTP/1.1",
        *UPGRADE,
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        "",
        SECRET,
    ),
}


@contextmanager
def talking(glance_url: str) -> Iterator[tuple[Command, int]]:
    """Run the command with a log of everything."""
    port = free_port()
    with piped("serve", "--glance-url", glance_url, "--port", str(port)) as command:
        command.until("GraphQL")
        yield command, port


def send(port: int, text: str) -> None:
    """Send bytes as they are, and read until the connection ends, or a while."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        suppress(OSError),
    ):
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def ask(port: int) -> None:
    """Send requests with the token where it belongs, and where it does not."""
    places = {
        "graphql": {"token": SECRET, "X-Auth-Token": SECRET},
        f"graphql/{SECRET}": {},
        SECRET: {"token": SECRET},
    }
    headers = [
        {"X-Auth-Token": SECRET, "X-Service-Token": SECRET, "Cookie": SECRET},
        {"Authorization": f"Basic {SECRET}", "X-OpenStack-Request-ID": SECRET},
        {"X-Auth-Token": SECRET * 400, "Accept": SECRET},
        {"X-Auth-Token": SECRET, "Content-Type": SECRET, "Content-Encoding": SECRET},
    ]
    bodies = [
        {"query": QUERY},
        {"query": QUERY, "variables": {"token": SECRET}, "operationName": SECRET},
        {"query": SECRET},
        {"query": "{ image(id: 1) { %s } }" % SECRET},
        {"query": 'mutation { deleteImage(input: {id: "%s"}) { deletedId } }' % SECRET},
        {"query": QUERY, "variables": SECRET, "extensions": {SECRET: SECRET}},
    ]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for path, parameters in places.items():
            for one in headers:
                asked = parameters | {
                    "query": QUERY,
                    "variables": f'{{"t": "{SECRET}"}}',
                }
                client.get(f"/{path}", params=asked, headers=one)
                for body in bodies:
                    client.post(f"/{path}", params=parameters, json=body, headers=one)
                client.post(f"/{path}", params=parameters, content=SECRET, headers=one)


def talk(port: int) -> None:
    """Send the token in all messages of a WebSocket."""
    url = f"ws://127.0.0.1:{port}/graphql?token={SECRET}"
    messages: list[str | bytes] = [
        '{"type": "connection_init", "payload": {"X-Auth-Token": "%s"}}' % SECRET,
        '{"type": "subscribe", "id": "%s", "payload": {"query": "{ __typename }"}}'
        % SECRET,
        '{"type": "%s"}' % SECRET,
    ]
    for last in (SECRET, SECRET.encode(), messages[-1]):
        with (
            connect(
                url,
                subprotocols=[Subprotocol(PROTOCOL)],
                additional_headers={"X-Auth-Token": SECRET},
            ) as connection,
            suppress(WebSocketException),
        ):
            for message in (*messages[:2], last):
                connection.send(message)
            while connection.recv(10):
                pass


def test_no_line_holds_a_token(
    double: GlanceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even at the lowest level, of any logger."""
    monkeypatch.setattr("tests.support.command.COMMAND", TALKATIVE)
    double.script = lambda received: (
        json_reply({"id": "1", "name": SECRET})
        if "tags" not in received.path
        else Reply(500, SECRET.encode())
    )
    with talking(double.url) as (command, port):
        for text in RAW.values():
            send(port, text)
        for lines in HANDSHAKES.values():
            send(port, "\r\n".join((lines[0], "Host: x", *lines[1:], "", "")))
        ask(port)
        talk(port)
        ended = command.stop(signal.SIGTERM)

    assert "Application shutdown complete" in ended.errors
    said = ended.output + ended.errors
    assert [line for line in said.splitlines() if SECRET in line] == []
