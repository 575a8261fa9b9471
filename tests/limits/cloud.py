"""A gateway in the test's own loop, before a Glance that is a function.

What a request costs Glance is counted where its calls would leave the process.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import httpx
import orjson
from starlette.types import ASGIApp

from gateway.facts import Hook
from gateway.glance.exchange import Exchange
from gateway.glance.transport import Request, Response
from tests.support.gateway import Json
from tests.support.in_process import running_app

Parameters = Sequence[tuple[str, str]]

OTHERS = {
    "stores": {"stores": [{"id": "fast", "default": "true"}, {"id": "slow"}]},
    "tasks": {"tasks": [{"id": "task", "type": "import", "status": "success"}]},
    "image": {"name": "image", "properties": {}},
}


def image_id(number: int) -> str:
    """Return the UUID of an image by its place in the list, from 0."""
    return str(uuid5(NAMESPACE_URL, f"image-{number}"))


class StubGlance:
    """Images in pages; it shows some of them alone and not in lists.

    `page_images` is its largest page; while `loses_places`, no marker is known.
    """

    def __init__(self, images: int, page_images: int = 1000) -> None:
        """Hold so many images, every fifth without a size."""
        self.ids = [image_id(number) for number in range(images)]
        self.hidden = image_id(images)
        self.page_images = page_images
        self.loses_places = False
        self.calls: list[str] = []

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Respond as Glance would, in another turn of the loop."""
        path = urlsplit(request.url).path
        self.calls.append(f"{request.method} {path}")
        await asyncio.sleep(0)
        status, body = self._answer(
            request.method, path, dict(request.parameters), request.body
        )
        media_type, content = "application/json", orjson.dumps(body)
        return Response(status, media_type, exchange.request_id, content)

    async def close(self) -> None:
        """Close nothing."""

    @contextmanager
    def as_glance(self) -> Iterator[None]:
        """Let gateways that are built in this block call this stub."""
        with patch("gateway.app.Transport", lambda **_: self):
            yield

    def _answer(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None
    ) -> tuple[int, object]:
        match method, path.split("/")[2:]:
            case "GET", ["images"]:
                return self._page(parameters)
            case "POST", ["images"]:
                return HTTPStatus.CREATED, self._image(orjson.loads(body or b"")["id"])
            case "PUT" | "DELETE", _:
                return HTTPStatus.NO_CONTENT, None
            case _, ["images", one] if one in [*self.ids, self.hidden]:
                return HTTPStatus.OK, self._image(one)
            case _, [*_, last] if last in OTHERS:
                return HTTPStatus.OK, OTHERS[last]
        return HTTPStatus.NOT_FOUND, None

    def _page(self, parameters: Mapping[str, str]) -> tuple[int, object]:
        ids, marker = self.ids, parameters.get("marker")
        if marker is not None and self.loses_places:
            return HTTPStatus.BAD_REQUEST, None
        if "id" in parameters:
            ids = [one for one in ids if one in parameters["id"]]
        start = ids.index(marker) + 1 if marker in ids else 0
        limit = min(int(parameters["limit"]), self.page_images)
        page = [self._image(one) for one in ids[start : start + limit]]
        links = {"next": "/v2/images"} if len(page) == limit else {}
        return HTTPStatus.OK, {"images": page, **links}

    def _image(self, one: str) -> Json:
        is_unsized = one in self.ids and self.ids.index(one) % 5 == 0
        return {
            "id": one,
            "name": one,
            "status": "active",
            "size": None if is_unsized else 5,
            "stores": "fast,slow" if one in self.ids[::2] else "slow",
            "locations": [{"url": "x", "metadata": {"store": "other"}}],
            "tags": ["größe"],
        }


class Client:
    """A client of the gateway."""

    def __init__(self, runner: asyncio.Runner, app: ASGIApp) -> None:
        """Send requests in the loop of the runner."""
        self._runner = runner
        self._app = app

    def post(self, body: Json, headers: Mapping[str, str]) -> httpx.Response:
        """Send a request and return the response."""
        return self._runner.run(self._post(body, headers))

    def answer(self, document: str, variables: Json = None) -> Json:
        """Send an operation and return the response's JSON, traced."""
        return self.traced({"query": document, "variables": variables}).json()

    def traced(self, body: Json) -> httpx.Response:
        """Send a request with a token and return the response, traced."""
        return self.post(body, {"X-Auth-Token": "t", "X-Gateway-Trace": "1"})

    def costs(self, document: str, variables: Json = None) -> tuple[int, int]:
        """Send an operation and return its estimate and its calls."""
        told = self.answer(document, variables)["extensions"]["glance"]
        return told["estimate"], told["calls"]

    async def _post(self, body: Json, headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://x"
        ) as client:
            return await client.post("/graphql", json=body, headers=headers)


@contextmanager
def gateway_before(
    stub: StubGlance, hooks: Sequence[Hook] = (), **settings: Json
) -> Iterator[Client]:
    """Run a gateway before the stub."""
    with (
        stub.as_glance(),
        asyncio.Runner() as runner,
    ):
        running = running_app("http://glance", hooks=hooks, **settings)
        app = runner.run(running.__aenter__())
        try:
            yield Client(runner, app)
        finally:
            runner.run(running.__aexit__(None, None, None))
