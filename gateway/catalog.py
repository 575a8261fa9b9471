"""The one door from GraphQL to Glance: reads that are remembered, and writes.

Every method raises the GlanceErrors of the calls it makes; what else it
raises is said there. A write is seen by the next read of every identity.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from gateway.cache.keys import ReadKey
from gateway.cache.policy import topics_revoked, topics_written
from gateway.cache.reader import Answer, Failures, Read, Reader
from gateway.caller import Caller
from gateway.glance.client import GlanceClient, fits_tag_route
from gateway.glance.errors import (
    Forbidden,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Unauthenticated,
    Unsupported,
)
from gateway.glance.listing import (
    ImagePage,
    ImageQuery,
    Position,
    images_after,
    next_call,
    position_of,
)
from gateway.glance.patch import Operation, image_patch
from gateway.glance.records import ImageRecord, TaskRecord
from gateway.reads import Reads, TypedRead

FAILURES = Failures(
    expected=(GlanceError,),
    outage=(GlanceUnavailable, GlanceTimeout),
    revoked=(Unauthenticated,),
    refused=(Forbidden,),
)
# After these Glance has certainly changed nothing.
UNCHANGED = (Forbidden, InvalidRequest, QuotaExceeded, Unsupported)

Value = TypeVar("Value")


class Catalog:
    """Images and their tasks, as one caller at a time may see them."""

    def __init__(self, client: GlanceClient, reads: Reads, reader: Reader) -> None:
        """Write through `client`, read through `reader`."""
        self._client = client
        self._reads = reads
        self._reader = reader

    async def get_image(self, caller: Caller, image_id: str) -> ImageRecord:
        """Return an image; raises NotFound."""
        image = await self.find_image(caller, image_id)
        if image is None:
            message = f"Could not get image {image_id}: no image found with this id."
            raise NotFound(message, request_id=caller.request_id)
        return image

    async def find_image(self, caller: Caller, image_id: str) -> ImageRecord | None:
        """Return an image, or None where Glance says that there is none."""
        return await self._read(caller, self._reads.image(caller, image_id))

    async def find_images(
        self, caller: Caller, ids: Sequence[str]
    ) -> Sequence[ImageRecord | GlanceError | None]:
        """Return what `find_image` gives or raises for each id, in fewer calls."""
        reads = [self._reads.image(caller, image_id) for image_id in ids]
        ids_by_key = dict(zip((one.read.key for one in reads), ids, strict=True))

        async def fetch_many(asked: Sequence[Read]) -> Mapping[ReadKey, Answer]:
            wanted = [ids_by_key[read.key] for read in asked]
            return await self._reads.images_by_id(caller, wanted)

        contents = await _in_time(
            caller,
            "get images",
            self._reader.read_many(
                [one.read for one in reads], fetch_many, caller.directive, caller.tally
            ),
        )
        return [
            _decoded(one, content) for one, content in zip(reads, contents, strict=True)
        ]

    async def list_images(
        self, caller: Caller, query: ImageQuery, wanted: int, after: Position | None
    ) -> ImagePage:
        """Return the next images, `wanted` of them unless the list ends before.

        Pages of Glance are walked one after the other as far as needed.
        Raises InvalidArgument where Glance cannot continue this order.
        """
        images: list[ImageRecord] = []
        has_more = not query.matches_nothing
        while has_more and len(images) < wanted:
            call = next_call(query, wanted - len(images), after)
            page = await self._read(caller, self._reads.page(caller, query, call))
            page = images_after(call, page)
            images.extend(page.images)
            has_more = page.has_more and bool(page.images)
            after = position_of(images[-1]) if images else None
        return ImagePage(images[:wanted], has_more or len(images) > wanted)

    async def list_image_tasks(
        self, caller: Caller, image_id: str
    ) -> Sequence[TaskRecord]:
        """Return an image's tasks; raises Unsupported where Glance can't."""
        return await self._read(caller, self._reads.tasks(caller, image_id))

    async def create_image(
        self, caller: Caller, image: Mapping[str, object]
    ) -> ImageRecord:
        """Create an image and return it; raises Conflict, QuotaExceeded."""
        creating = self._client.create_image(caller, image)
        return await self._write(caller, str(image.get("id", "")), creating)

    async def update_image(
        self, caller: Caller, image_id: str, patch: Sequence[Operation]
    ) -> ImageRecord:
        """Patch an image and return it; raises NotFound, Conflict, QuotaExceeded."""
        patching = self._client.update_image(caller, image_id, patch)
        return await self._write(caller, image_id, patching)

    async def delete_image(self, caller: Caller, image_id: str) -> None:
        """Delete an image; raises NotFound, Forbidden for a protected one."""
        deleting = self._client.delete_image(caller, image_id)
        await self._write(caller, image_id, deleting)

    async def add_tag(
        self, caller: Caller, image_id: str, tag: str
    ) -> ImageRecord | None:
        """Add a tag, a no-op where it is there; raises NotFound, QuotaExceeded.

        Returns the image where Glance's answer holds it. A tag that the tag
        route would mangle takes two calls: a tag that somebody else changes
        between them is overwritten.
        """
        if fits_tag_route(tag):
            adding = self._client.add_tag(caller, image_id, tag)
            await self._write(caller, image_id, adding)
            return None
        image = (await self._client.get_image(caller, image_id)).value
        if tag in image["tags"]:
            return image
        return await self._set_tags(caller, image_id, [*image["tags"], tag])

    async def remove_tag(
        self, caller: Caller, image_id: str, tag: str
    ) -> ImageRecord | None:
        """Remove a tag; raises NotFound for the image and for the tag.

        Returns what `add_tag` does, under the same condition.
        """
        if fits_tag_route(tag):
            removing = self._client.remove_tag(caller, image_id, tag)
            await self._write(caller, image_id, removing)
            return None
        image = (await self._client.get_image(caller, image_id)).value
        if tag not in image["tags"]:
            message = f"Could not remove tag {tag!r} from image {image_id}: not there."
            raise NotFound(message, request_id=caller.request_id)
        tags = [kept for kept in image["tags"] if kept != tag]
        return await self._set_tags(caller, image_id, tags)

    async def close(self) -> None:
        """End the reads that are under way and what remembers them."""
        await self._reader.close()

    async def _set_tags(
        self, caller: Caller, image_id: str, tags: list[str]
    ) -> ImageRecord:
        patch = image_patch({"tags": tags}, set_properties={}, remove_properties=())
        return await self.update_image(caller, image_id, patch)

    async def _read(self, caller: Caller, read: TypedRead[Value]) -> Value:
        reading = self._reader.read(read.read, caller.directive, caller.tally)
        return read.decode(await _in_time(caller, read.purpose, reading))

    async def _write(
        self, caller: Caller, image_id: str, writing: Awaitable[Value]
    ) -> Value:
        """Write, and forget what may have changed, for every identity."""
        may_have_changed = True
        try:
            return await writing
        except Unauthenticated:
            may_have_changed = False
            await self._reader.renew(topics_revoked(caller.identity.scope))
            raise
        except UNCHANGED:
            may_have_changed = False
            raise
        finally:
            if may_have_changed:
                await self._reader.renew(topics_written(image_id))


async def _in_time(caller: Caller, purpose: str, reading: Awaitable[Value]) -> Value:
    """Return what is read; raises GlanceTimeout at the caller's deadline."""
    try:
        async with asyncio.timeout_at(caller.deadline_at):
            return await reading
    except TimeoutError as error:
        message = f"Could not {purpose}: no answer in time."
        raise GlanceTimeout(message, request_id=caller.request_id) from error


def _decoded(
    read: TypedRead[ImageRecord | None], content: bytes | Exception
) -> ImageRecord | GlanceError | None:
    if isinstance(content, GlanceError):
        return content
    if isinstance(content, Exception):
        raise content
    return read.decode(content)
