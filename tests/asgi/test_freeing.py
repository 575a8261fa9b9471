"""What a request or a connection has made is freed when it ends.

Not by a pass for garbage, which may be long in coming.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import orjson
import pytest
from starlette.types import ASGIApp, Message, Scope

from tests.support.glance_double import GlanceDouble, Reply, json_reply
from tests.support.in_process import InProcessSocket, running_app

pytestmark = pytest.mark.anyio

TIMES = 5
JSON = (b"content-type", b"application/json")
TOKEN = (b"x-auth-token", b"t")
WATCH = 'subscription { imageChanged(id: "1") { kind image { name } } }'
IMAGE = '{ image(id: "1") { name } }'
DOCUMENTS = {
    "data": IMAGE,
    "execution fails": "{ images(first: -1) { nodes { id } } }",
    "is missing": '{ image(id: "2") { name } }',
    "syntax": "{ image(",
    "variables": "query ($id: ID!) { image(id: $id) { name } }",
}


class Answer:
    """What an application answers to one HTTP request."""

    def __init__(
        self, app: ASGIApp, body: object, *headers: tuple[bytes, bytes]
    ) -> None:
        """Send the request."""
        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": [JSON, *headers],
        }
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        encoded = orjson.dumps(body)
        self.received.put_nowait({"type": "http.request", "body": encoded})
        serving = app(scope, self.received.get, self.sent.put)
        self.serving = asyncio.ensure_future(serving)

    def leave(self) -> None:
        """Close the connection."""
        self.received.put_nowait({"type": "http.disconnect"})


@pytest.fixture
def glance(double: GlanceDouble) -> GlanceDouble:
    """Return a Glance with one image."""
    image = {"id": "1", "status": "active", "name": "golden"}
    double.script = lambda asked: (
        json_reply(image) if asked.path.endswith("/1") else Reply(404, b"{}", {})
    )
    return double


@pytest.fixture
def garbage() -> Iterator[Callable[[], list[object]]]:
    """Return what gives the objects that only a pass for garbage would free."""

    def found() -> list[object]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        objects = [one for one in gc.garbage if _is_of_a_request(one)]
        gc.garbage.clear()
        return objects

    gc.collect()
    gc.freeze()
    gc.disable()
    yield found
    gc.enable()
    gc.unfreeze()


def _is_of_a_request(one: object) -> bool:
    """Tell what may hold a request; tokens of documents hold one another."""
    kind = type(one)
    is_ours = kind.__module__.startswith("gateway.")
    return is_ours or kind.__name__ in {"frame", "traceback", "coroutine"}


async def leaves_nothing(
    run: Callable[[], Awaitable[None]], garbage: Callable[[], list[object]]
) -> None:
    """Run it some times, its document prepared before, and look for what is left."""
    for _ in range(TIMES):
        await run()
    await asyncio.sleep(0)
    gc.collect()
    for _ in range(TIMES):
        await run()
    await asyncio.sleep(0)

    assert garbage() == []


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
@pytest.mark.parametrize("headers", [(TOKEN,), ()], ids=["token", "no token"])
async def test_request_leaves_no_garbage(
    glance: GlanceDouble,
    garbage: Callable[[], list[object]],
    document: str,
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    """Whether it succeeds or fails."""
    async with running_app(glance.url, cache_url="none") as app:

        async def run() -> None:
            await Answer(app, {"query": document}, *headers).serving

        await leaves_nothing(run, garbage)


async def test_batch_leaves_no_garbage(
    glance: GlanceDouble, garbage: Callable[[], list[object]]
) -> None:
    """Also where some of it fails."""
    async with running_app(glance.url, cache_url="none", batch_max_requests=9) as app:
        requests = [{"query": one} for one in DOCUMENTS.values()]

        async def run() -> None:
            await Answer(app, requests, TOKEN).serving

        await leaves_nothing(run, garbage)


@pytest.mark.parametrize("is_batch", [False, True], ids=["request", "batch"])
async def test_client_that_leaves_leaves_no_garbage(
    glance: GlanceDouble, garbage: Callable[[], list[object]], *, is_batch: bool
) -> None:
    """Its request is cancelled while Glance is asked."""
    async with running_app(glance.url, cache_url="none", batch_max_requests=9) as app:

        async def run() -> None:
            body: object = [{"query": IMAGE}] * 3 if is_batch else {"query": IMAGE}
            answer = Answer(app, body, TOKEN)
            for _ in range(5):
                await asyncio.sleep(0)
            answer.leave()
            await answer.serving

        await leaves_nothing(run, garbage)


@pytest.mark.parametrize("document", [WATCH, IMAGE, DOCUMENTS["execution fails"]])
async def test_event_stream_leaves_no_garbage(
    glance: GlanceDouble, garbage: Callable[[], list[object]], document: str
) -> None:
    """Neither one that ends nor one that is left."""
    events = (b"accept", b"text/event-stream")
    async with running_app(glance.url, cache_url="none") as app:

        async def run() -> None:
            answer = Answer(app, {"query": document}, TOKEN, events)
            for _ in range(3):
                await answer.sent.get()
            answer.leave()
            await answer.serving

        await leaves_nothing(run, garbage)


@pytest.mark.parametrize("document", [WATCH, *DOCUMENTS.values()])
async def test_websocket_leaves_no_garbage(
    glance: GlanceDouble, garbage: Callable[[], list[object]], document: str
) -> None:
    """After operations of each kind."""
    async with running_app(glance.url, cache_url="none") as app:

        async def run() -> None:
            opened = InProcessSocket(app)
            await opened.subscribe("t", document)
            await opened.read()
            await opened.leave()

        await leaves_nothing(run, garbage)


@pytest.mark.parametrize("message", [{"type": ["ping"]}, {"type": "complete"}])
async def test_websocket_that_we_close_leaves_no_garbage(
    glance: GlanceDouble,
    garbage: Callable[[], list[object]],
    message: dict[str, object],
) -> None:
    """As a client violates the protocol, with an operation under way."""
    async with running_app(glance.url, cache_url="none") as app:

        async def run() -> None:
            opened = InProcessSocket(app)
            await opened.subscribe("t", WATCH)
            opened.send(**message)
            with suppress(KeyError):
                while await opened.read():
                    pass
            await opened.serving

        await leaves_nothing(run, garbage)
