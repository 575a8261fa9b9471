"""The reads of Glance, each with what remembering it takes.

What is asked for may serve many: it is asked with the first caller's token and
request id, but not within its deadline; calls are counted for whoever waits.
"""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import orjson

from gateway.cache.keys import ReadKey, ReadKind, read_key
from gateway.cache.policy import Freshness, topics_of, topics_of_cloud
from gateway.cache.reader import Content, Read, ReadResult
from gateway.caller import Caller, Counters
from gateway.glance.call import Fetched
from gateway.glance.client import GlanceClient
from gateway.glance.errors import (
    Forbidden,
    GlanceUnavailable,
    InvalidRequest,
    NotFound,
)
from gateway.glance.listing import ImagePage, ImageQuery, ListCall, one_of
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord
from gateway.glance.responses import (
    Unreadable,
    image_in,
    object_in,
    page_in,
    stores_in,
    tasks_in,
)

NO_IMAGE = b"null"
NO_STORES = b'{"stores":[]}'
IDS_PER_CALL = 50

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TypedRead(Generic[Value]):
    """A read, how its content is decoded, and what it is for."""

    read: Read
    decode: Callable[[bytes], Value]
    purpose: str

    def value(self, content: Content) -> Value:
        """Return what was read, decoded once; raises GlanceUnavailable."""
        if content.value is not None:
            return cast("Value", content.value)
        try:
            return self.decode(content.encoded)
        except Unreadable as error:
            message = f"Could not {self.purpose}: Glance's response is {error}."
            raise GlanceUnavailable(message) from error


class Reads:
    """The reads that a client can do, remembered as a policy says."""

    def __init__(self, client: GlanceClient, freshness: Freshness) -> None:
        """Ask through `client`."""
        self._client = client
        self._freshness = freshness

    def image(self, caller: Caller, image_id: str) -> TypedRead[ImageRecord | None]:
        """Return the read of an image; None is decoded where there is none."""

        async def fetch(counters: Counters) -> ReadResult:
            try:
                fetched = await self._client.get_image(
                    _shared(caller, counters), image_id
                )
            except NotFound:
                return ReadResult(NO_IMAGE, self._freshness.of_image(None))
            status = fetched.value.get("status")
            return _result(fetched, self._freshness.of_image(status))

        key = read_key(caller.identity, ReadKind.IMAGE, image_id)
        topics = topics_of(key.scope, image_id)
        read = Read(key, topics, fetch, caller.deadline_at)
        return TypedRead(read, _image_or_none, f"get image {image_id}")

    def page(
        self, caller: Caller, query: ImageQuery, call: ListCall
    ) -> TypedRead[ImagePage]:
        """Return the read of a page of images."""

        async def fetch(counters: Counters) -> ReadResult:
            asking = _shared(caller, counters)
            fetched = await self._client.list_images(asking, query, call)
            return _result(fetched, self._freshness.images_seconds)

        key = read_key(caller.identity, ReadKind.IMAGES, query, call)
        topics = topics_of(key.scope)
        read = Read(key, topics, fetch, caller.deadline_at)
        return TypedRead(read, page_in, "list images")

    def tasks(self, caller: Caller, image_id: str) -> TypedRead[Sequence[TaskRecord]]:
        """Return the read of an image's tasks."""

        async def fetch(counters: Counters) -> ReadResult:
            asking = _shared(caller, counters)
            fetched = await self._client.list_image_tasks(asking, image_id)
            statuses = [task.get("status") for task in fetched.value]
            return _result(fetched, self._freshness.of_tasks(statuses))

        key = read_key(caller.identity, ReadKind.TASKS, image_id)
        topics = topics_of(key.scope, image_id)
        read = Read(key, topics, fetch, caller.deadline_at)
        return TypedRead(read, tasks_in, f"list tasks of image {image_id}")

    def stores(self, caller: Caller) -> TypedRead[Sequence[StoreRecord]]:
        """Return the read of the stores; none are decoded for a single one."""

        async def fetch(counters: Counters) -> ReadResult:
            try:
                fetched = await self._client.list_stores(_shared(caller, counters))
            except NotFound:
                return ReadResult(NO_STORES, self._freshness.stores_seconds)
            return _result(fetched, self._freshness.stores_seconds)

        key = read_key(caller.identity, ReadKind.STORES)
        topics = topics_of_cloud(key.scope)
        read = Read(key, topics, fetch, caller.deadline_at)
        return TypedRead(read, stores_in, "list stores")

    def json_schema(self, caller: Caller, name: str) -> TypedRead[Mapping[str, object]]:
        """Return the read of one of Glance's JSON schemas."""

        async def fetch(counters: Counters) -> ReadResult:
            fetched = await self._client.get_json_schema(
                _shared(caller, counters), name
            )
            return _result(fetched, self._freshness.schemas_seconds)

        key = read_key(caller.identity, ReadKind.SCHEMA, name)
        topics = topics_of_cloud(key.scope)
        read = Read(key, topics, fetch, caller.deadline_at)
        return TypedRead(read, object_in, f"get the JSON schema {name}")

    async def images_by_id(
        self, caller: Caller, ids: Sequence[str], counters: Counters
    ) -> Mapping[ReadKey, ReadResult]:
        """Return those of the images that lists show, with a call for each 50.

        Glance's list by ids shows all that single reads do but hidden images,
        given these filters; what is missing has to be read alone. So has each
        image of a response that holds others than were asked for.
        """
        listable = [one for one in ids if _UUID.fullmatch(one)]
        chunks = [
            listable[at : at + IDS_PER_CALL]
            for at in range(0, len(listable), IDS_PER_CALL)
        ]
        asking = _shared(caller, counters)
        pages = await asyncio.gather(*(self._listed(asking, ids) for ids in chunks))
        return {
            read_key(caller.identity, ReadKind.IMAGE, record["id"]): ReadResult(
                orjson.dumps(record),
                self._freshness.of_image(record.get("status")),
                record,
            )
            for page in pages
            for record in page
            if "id" in record
        }

    async def _listed(
        self, caller: Caller, ids: Sequence[str]
    ) -> Sequence[ImageRecord]:
        query = ImageQuery(
            filters=(
                ("id", one_of("id", ids)),
                ("visibility", "all"),
                ("member_status", "all"),
            )
        )
        call = ListCall(limit=len(ids))
        try:
            fetched = await self._client.list_images(caller, query, call)
        except (Forbidden, InvalidRequest):
            return []
        images = fetched.value.images
        listed = {image["id"] for image in images if "id" in image}
        are_asked_for = listed <= set(ids)
        return images if are_asked_for else []


def _result(fetched: Fetched[Value], fresh_seconds: float) -> ReadResult:
    return ReadResult(fetched.content, fresh_seconds, fetched.value)


def _shared(caller: Caller, counters: Counters) -> Caller:
    return Caller(
        caller.identity, caller.request_id, math.inf, caller.directive, counters
    )


def _image_or_none(content: bytes) -> ImageRecord | None:
    return None if content == NO_IMAGE else image_in(content)
