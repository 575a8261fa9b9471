"""A WebSocket as a test talks over it: messages in, messages out."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.gateway import Gateway, Json

SECONDS = 20
PROTOCOL = "graphql-transport-ws"


class Socket:
    """A connection that speaks graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        """Talk over the connection."""
        self.connection = connection

    def send(self, **message: Json) -> None:
        """Send a message."""
        self.connection.send(orjson.dumps(message).decode())

    def message(self) -> Json:
        """Return the next message."""
        return orjson.loads(self.connection.recv(SECONDS))

    def init(self, **payload: Json) -> None:
        """Say who asks, and wait for the acknowledgement."""
        self.send(type="connection_init", payload=payload)
        assert self.message() == {"type": "connection_ack"}

    def subscribe(self, document: str, *, name: str = "1", **variables: Json) -> None:
        """Begin an operation."""
        payload = {"query": document, "variables": variables}
        self.send(type="subscribe", id=name, payload=payload)

    def answer(self) -> Json:
        """Return the payload of the next message, which must be an answer."""
        message = self.message()
        assert message["type"] == "next", message
        return message["payload"]

    def event(self) -> Json:
        """Return the event of the next message."""
        (event,) = self.answer()["data"].values()
        return event

    def error(self) -> Json:
        """Return the one error that the next message ends an operation with."""
        message = self.message()
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return error

    def closed(self) -> tuple[int, str]:
        """Return code and reason of the close, whatever is said before it."""
        with pytest.raises(ConnectionClosed) as closed:
            deque(iter(self.message, None), maxlen=0)
        received = closed.value.rcvd
        assert received is not None
        return received.code, received.reason


@contextmanager
def socket(
    gateway: Gateway, *, protocol: str = PROTOCOL, **headers: str
) -> Iterator[Socket]:
    """Open a connection to the gateway."""
    url = str(gateway.client.base_url.join("/graphql")).replace("http", "ws", 1)
    with connect(
        url, subprotocols=[Subprotocol(protocol)], additional_headers=headers
    ) as connection:
        yield Socket(connection)


@contextmanager
def subscription(
    gateway: Gateway, token: str, document: str, **variables: Json
) -> Iterator[Socket]:
    """Open a connection with one subscription."""
    with socket(gateway) as opened:
        opened.init(**{"X-Auth-Token": token})
        opened.subscribe(document, **variables)
        yield opened
