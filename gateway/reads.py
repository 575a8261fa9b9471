"""The reads of Glance, each with what remembering it takes.

What is asked for may serve many: it is asked with the first caller's token and
request id, but not within its deadline.
"""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import orjson

from gateway.cache.keys import Kind, ReadKey, read_key
from gateway.cache.policy import Freshness, topics_of
from gateway.cache.reader import Answer, Fetch, Read
from gateway.caller import Caller
from gateway.glance.answers import image_in, page_in, tasks_in
from gateway.glance.client import GlanceClient
from gateway.glance.errors import Forbidden, InvalidRequest, NotFound
from gateway.glance.listing import ImagePage, ImageQuery, ListCall, one_of
from gateway.glance.records import ImageRecord, TaskRecord

NO_IMAGE = b"null"
IDS_PER_CALL = 50

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TypedRead(Generic[Value]):
    """A read, how its content is decoded, and what it is for."""

    read: Read
    decode: Callable[[bytes], Value]
    purpose: str


class Reads:
    """The reads that a client can do, remembered as a policy says."""

    def __init__(self, client: GlanceClient, freshness: Freshness) -> None:
        """Ask through `client`."""
        self._client = client
        self._freshness = freshness

    def image(self, caller: Caller, image_id: str) -> TypedRead[ImageRecord | None]:
        """Return the read of an image; None is decoded where there is none."""

        async def fetch() -> Answer:
            try:
                fetched = await self._client.get_image(_shared(caller), image_id)
            except NotFound:
                return Answer(NO_IMAGE, self._freshness.of_image(None))
            status = fetched.value.get("status")
            return Answer(fetched.content, self._freshness.of_image(status))

        key = read_key(caller.identity, Kind.IMAGE, image_id)
        read = _read(caller, key, fetch, image_id)
        return TypedRead(read, _image_or_none, f"get image {image_id}")

    def page(
        self, caller: Caller, query: ImageQuery, call: ListCall
    ) -> TypedRead[ImagePage]:
        """Return the read of a page of images."""

        async def fetch() -> Answer:
            fetched = await self._client.list_images(_shared(caller), query, call)
            return Answer(fetched.content, self._freshness.images_seconds)

        key = read_key(caller.identity, Kind.IMAGES, query, call)
        read = _read(caller, key, fetch)
        return TypedRead(read, page_in, "list images")

    def tasks(self, caller: Caller, image_id: str) -> TypedRead[Sequence[TaskRecord]]:
        """Return the read of an image's tasks."""

        async def fetch() -> Answer:
            fetched = await self._client.list_image_tasks(_shared(caller), image_id)
            statuses = [task.get("status") for task in fetched.value]
            return Answer(fetched.content, self._freshness.of_tasks(statuses))

        key = read_key(caller.identity, Kind.TASKS, image_id)
        read = _read(caller, key, fetch, image_id)
        return TypedRead(read, tasks_in, f"list tasks of image {image_id}")

    async def images_by_id(
        self, caller: Caller, ids: Sequence[str]
    ) -> Mapping[ReadKey, Answer]:
        """Return those of the images that lists show, with a call for each 50.

        Glance's list by ids shows all that single reads do but hidden images,
        given these filters; what is missing has to be read alone.
        """
        listable = [one for one in ids if _UUID.fullmatch(one)]
        chunks = [
            listable[at : at + IDS_PER_CALL]
            for at in range(0, len(listable), IDS_PER_CALL)
        ]
        pages = await asyncio.gather(*(self._listed(caller, ids) for ids in chunks))
        return {
            read_key(caller.identity, Kind.IMAGE, record["id"]): Answer(
                orjson.dumps(record), self._freshness.of_image(record.get("status"))
            )
            for page in pages
            for record in page
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
            fetched = await self._client.list_images(_shared(caller), query, call)
        except (Forbidden, InvalidRequest):
            return []
        return fetched.value.images


def _read(
    caller: Caller, key: ReadKey, fetch: Fetch, image_id: str | None = None
) -> Read:
    return Read(key, topics_of(key.scope, image_id), fetch, caller.deadline_at)


def _shared(caller: Caller) -> Caller:
    return replace(caller, deadline_at=math.inf)


def _image_or_none(content: bytes) -> ImageRecord | None:
    return None if content == NO_IMAGE else image_in(content)
