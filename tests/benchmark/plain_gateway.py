"""A gateway as one writes it in an afternoon, to measure ours against.

Strawberry's own ASGI application, an httpx client for each call, an object for
each record, nothing remembered. Run by `execution` under uvicorn;
`PLAIN_GLANCE_URL` is Glance's address. With `PLAIN_ONE_CLIENT` set all calls share
a client, as httpx's manual advises past its first pages.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Any

import httpx
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

from gateway.glance.records import IMAGE_ATTRIBUTES
from tests.benchmark.plain_types import (
    SCALARS,
    BigInt,
    ImageHash,
    ImageLocation,
    ImageProperty,
    ImageStatus,
    ImageVisibility,
    Record,
    Store,
    Task,
    image_hash,
    locations,
    task,
)

GLANCE_URL = os.environ["PLAIN_GLANCE_URL"]
# As many as this gateway opens. httpx's own default keeps 20 of 100 open and
# connects anew for the others, which would cost it more.
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64)
TIMEOUT_SECONDS = 30

Connected = Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]
Context = dict[str, Any]
Info = strawberry.Info[Context, None]


@strawberry.type
class Image:
    """An image, with the record that it was made of."""

    record: strawberry.Private[Record]
    id: strawberry.ID
    name: str | None
    status: ImageStatus
    status_raw: str
    visibility: ImageVisibility
    visibility_raw: str
    owner: strawberry.ID | None
    protected: bool
    hidden: bool
    disk_format: str | None
    container_format: str | None
    min_disk: int
    min_ram: int
    size: BigInt | None
    virtual_size: BigInt | None
    checksum: str | None
    hash: ImageHash | None
    tags: list[str]
    created_at: str
    updated_at: str
    self: str
    file: str
    schema: str
    stores: list[Store]
    locations: list[ImageLocation] | None
    direct_url: str | None

    @strawberry.field
    def properties(
        self, names: list[str] | None = None, prefix: str | None = None
    ) -> list[ImageProperty]:
        """Return the additional properties; all conditions must hold."""
        return [
            ImageProperty(name=name, value=value)
            for name, value in self.record.items()
            if name not in IMAGE_ATTRIBUTES
            and (names is None or name in names)
            and name.startswith(prefix or "")
        ]

    @strawberry.field
    def property(self, name: str) -> str | None:
        """Return the value of an additional property."""
        return None if name in IMAGE_ATTRIBUTES else self.record.get(name)

    @strawberry.field
    async def tasks(self, info: Info) -> list[Task] | None:
        """Return the tasks, asking Glance for them."""
        answer = await get(info, f"/v2/images/{self.id}/tasks")
        return [task(record) for record in answer.json()["tasks"]]


@strawberry.type
class ImageConnection:
    """A page of images."""

    nodes: list[Image]


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def image(self, info: Info, id: strawberry.ID) -> Image | None:  # noqa: A002 - the schema's word
        """Return an image, null where there is none."""
        answer = await get(info, f"/v2/images/{id}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return image(answer.json())

    @strawberry.field
    async def images(
        self, info: Info, first: int = 25, after: str | None = None
    ) -> ImageConnection:
        """Return a page; the cursor is the id of the image before it."""
        marker = {} if after is None else {"marker": after}
        answer = await get(info, "/v2/images", limit=str(first), **marker)
        records = answer.json()["images"]
        return ImageConnection(nodes=[image(record) for record in records])


def image(record: Record) -> Image:
    """Return the image of a record."""
    return Image(
        record=record,
        id=record["id"],
        name=record.get("name"),
        status=ImageStatus(record["status"]),
        status_raw=record["status"],
        visibility=ImageVisibility(record["visibility"]),
        visibility_raw=record["visibility"],
        owner=record.get("owner"),
        protected=record["protected"],
        hidden=record.get("os_hidden", False),
        disk_format=record.get("disk_format"),
        container_format=record.get("container_format"),
        min_disk=record["min_disk"],
        min_ram=record["min_ram"],
        size=record.get("size"),
        virtual_size=record.get("virtual_size"),
        checksum=record.get("checksum"),
        hash=image_hash(record),
        tags=record["tags"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        self=record["self"],
        file=record["file"],
        schema=record["schema"],
        stores=[Store(id=one) for one in record.get("stores", "").split(",") if one],
        locations=locations(record),
        direct_url=record.get("direct_url"),
    )


async def get(info: Info, path: str, **parameters: str) -> httpx.Response:
    """Return Glance's answer to the caller; raises for errors other than 404."""
    headers = {"X-Auth-Token": info.context["token"]}
    connected: Connected = info.context["connected"]
    async with connected() as glance:
        answer = await glance.get(path, params=parameters, headers=headers)
    if answer.status_code != HTTPStatus.NOT_FOUND:
        answer.raise_for_status()
    return answer


class Endpoint(GraphQL[Context, None]):
    """Strawberry's endpoint, with the caller's token and the way to Glance."""

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return what resolvers need."""
        del response
        token = request.headers["X-Auth-Token"]
        return {"token": token, "connected": request.state.connected}


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Connected]]:
    """Give calls their clients, or one client to all."""
    if "PLAIN_ONE_CLIENT" not in os.environ:
        yield {"connected": client}
        return
    async with client() as glance:
        yield {"connected": lambda: nullcontext(glance)}


def client() -> httpx.AsyncClient:
    """Return a client of Glance that is not open yet."""
    return httpx.AsyncClient(
        base_url=GLANCE_URL, limits=LIMITS, timeout=TIMEOUT_SECONDS
    )


schema = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=dict(SCALARS)))
app = Starlette(routes=[Route("/graphql", Endpoint(schema))], lifespan=lifespan)
