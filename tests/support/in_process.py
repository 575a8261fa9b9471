"""A gateway in the loop of the test, where its tasks can be counted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
from starlette.types import ASGIApp, Message, Scope

from gateway.app import build_app
from gateway.facts import Hook
from gateway.settings import Settings
from tests.support.gateway import Json
from tests.support.websocket import PROTOCOL

SECONDS = 20


class InProcessSocket:
    """A WebSocket connection whose reader may be as slow as the test likes."""

    def __init__(self, app: ASGIApp) -> None:
        """Connect to the application."""
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._sent: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        scope: Scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [],
            "subprotocols": [PROTOCOL],
        }
        serving = app(scope, self._received.get, self._sent.put)
        self.serving = asyncio.ensure_future(serving)

    def send(self, **message: Json) -> None:
        """Send a message."""
        text = orjson.dumps(message).decode()
        self._received.put_nowait({"type": "websocket.receive", "text": text})

    async def read(self) -> Json:
        """Read the oldest message that waits to be read."""
        async with asyncio.timeout(SECONDS):
            return orjson.loads((await self._sent.get())["text"])

    async def subscribe(self, token: str, document: str, **variables: Json) -> None:
        """Connect and begin an operation."""
        self._received.put_nowait({"type": "websocket.connect"})
        assert (await self._sent.get())["type"] == "websocket.accept"
        self.send(type="connection_init", payload={"X-Auth-Token": token})
        assert await self.read() == {"type": "connection_ack"}
        payload = {"query": document, "variables": variables}
        self.send(type="subscribe", id="1", payload=payload)

    async def leave(self) -> None:
        """Close the connection, and wait for the gateway to be done with it."""
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await ended(self.serving, seconds=1)


async def ended(task: asyncio.Future[None], *, seconds: float) -> None:
    """Wait until it has ended, also where it does not hear that it shall."""
    done, _ = await asyncio.wait([task], timeout=seconds)
    assert done, "It goes on."
    task.result()


@asynccontextmanager
async def running_app(
    glance_url: str, hooks: Sequence[Hook] = (), **settings: Json
) -> AsyncIterator[ASGIApp]:
    """Run the gateway's lifespan around its use."""
    app = build_app(Settings(glance_url=glance_url, **settings), hooks=hooks)
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    lifespan = app({"type": "lifespan"}, received.get, sent.put)
    living = asyncio.ensure_future(lifespan)
    received.put_nowait({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    try:
        yield app
    finally:
        received.put_nowait({"type": "lifespan.shutdown"})
        await ended(living, seconds=SECONDS)
