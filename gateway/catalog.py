"""The only way from GraphQL to Glance: cached reads, and writes.

Every method raises the GlanceErrors of the calls it makes; what else it
raises is said there. A write is seen by the next read of every identity.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from gateway.cache.keys import ReadKey
from gateway.cache.policy import (
    ANYTHING,
    topics_of_writes,
    topics_revoked,
    topics_written,
)
from gateway.cache.reader import Content, Failures, FetchMany, Read, Reader, ReadResult
from gateway.caller import Caller, Counters, Directive
from gateway.glance.client import GlanceClient
from gateway.glance.errors import (
    Forbidden,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    Unsupported,
)
from gateway.glance.id_lists import merged, page_after, parts_of
from gateway.glance.listing import (
    ImagePage,
    ImageQuery,
    Position,
    check_progress,
    images_after,
    next_call,
    position_in,
)
from gateway.glance.page_size import PageSize
from gateway.glance.patch import Operation, image_patch
from gateway.glance.paths import fits_tag_route
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord
from gateway.glance.values import words
from gateway.invalidation import (
    Invalidation,
    after_failure,
    after_open_outcome,
    after_success,
)
from gateway.reads import Reads, TypedRead

FAILURES = Failures(
    expected=(GlanceError,),
    outage=(GlanceUnavailable, GlanceTimeout, TimeoutError),
    revoked=(Unauthenticated, Forbidden),
)
Value = TypeVar("Value")
Listener = Callable[[Sequence[str]], None]
WantedImage = tuple[Caller, str]


class Catalog:
    """Images and their tasks, as one caller at a time may see them."""

    def __init__(self, client: GlanceClient, reads: Reads, reader: Reader) -> None:
        """Write through `client`, read through `reader`."""
        self._client = client
        self._reads = reads
        self._reader = reader
        self._writes: set[asyncio.Task[object]] = set()
        self._listeners: list[Listener] = []
        self._page_size = PageSize()
        self._lists_tasks = False

    @property
    def page_images(self) -> int:
        """Return how many images a page of Glance holds, as far as pages show it."""
        return self._page_size.images

    async def get_image(self, caller: Caller, image_id: str) -> ImageRecord:
        """Return an image as Glance has it now; raises NotFound."""
        image = await self.find_image(_afresh(caller), image_id)
        if image is None:
            message = f"Could not get image {image_id}: no image found with this id."
            raise NotFound(message, request_id=caller.request_id)
        return image

    async def find_image(self, caller: Caller, image_id: str) -> ImageRecord | None:
        """Return an image, or None where Glance says that there is none."""
        return await self._read(caller, self._reads.image(caller, image_id))

    async def find_images(
        self, wanted: Sequence[WantedImage]
    ) -> Sequence[ImageRecord | GlanceError | None]:
        """Return what `find_image` gives or raises for each, in fewer calls.

        The callers are one, or requests that came together: they differ in
        nothing but what they count.
        """
        reads = [self._reads.image(caller, image_id) for caller, image_id in wanted]
        ids_by_key = {
            one.read.key: image_id
            for one, (_, image_id) in zip(reads, wanted, strict=True)
        }
        callers = [caller for caller, _ in wanted]

        async def fetch_many(
            asked: Sequence[Read], counters: Counters
        ) -> Mapping[ReadKey, ReadResult]:
            ids = [*dict.fromkeys(ids_by_key[read.key] for read in asked)]
            return await self._reads.images_by_id(callers[0], ids, counters)

        return await self._read_many(callers, reads, fetch_many)

    async def list_images(
        self, caller: Caller, query: ImageQuery, wanted: int, after: Position | None
    ) -> ImagePage:
        """Return the next images, `wanted` of them unless the list ends before.

        Pages of Glance are walked one after the other as far as needed, once
        more afresh where Glance lost the place that a page of ours gave it. A list by
        more ids than fit into a URL is read whole, in parts.
        Raises InvalidArgument where Glance cannot continue this order.
        """
        parts = parts_of(query)
        if len(parts) > 1:
            images = merged(query, await self._list_parts(caller, parts))
            return page_after(images, wanted, after)
        try:
            return await self._walk(caller, query, wanted, after)
        except _LostPlace:
            afresh = _afresh(caller)
        try:
            return await self._walk(afresh, query, wanted, after)
        except _LostPlace as lost:
            raise lost.refusal from lost

    async def _list_parts(
        self, caller: Caller, parts: Sequence[ImageQuery]
    ) -> Sequence[Sequence[ImageRecord]]:
        """Return the images of each part, read at the same time."""
        lists = [self.list_images(caller, one, len(one.ids), None) for one in parts]
        pages = await asyncio.gather(*lists, return_exceptions=True)
        for page in pages:
            if isinstance(page, BaseException):
                raise page
        return [page.images for page in pages if isinstance(page, ImagePage)]

    async def _walk(
        self, caller: Caller, query: ImageQuery, wanted: int, after: Position | None
    ) -> ImagePage:
        """Return the next images; raises _LostPlace after the first page."""
        images: Sequence[ImageRecord] = ()
        has_more = not query.matches_nothing
        while has_more and len(images) < wanted:
            call = next_call(query, wanted - len(images), after)
            try:
                page = await self._read(caller, self._reads.page(caller, query, call))
            except (InvalidRequest, Forbidden) as refusal:
                if not images:
                    raise
                raise _LostPlace(refusal) from refusal
            self._page_size.observe(page, call.limit)
            check_progress(call, page, images)
            page = images_after(call, page)
            images = [*images, *page.images] if images else page.images
            has_more = page.has_more and bool(page.images)
            if has_more:
                after = position_in(page.images, -1, after)
        return ImagePage(images[:wanted], has_more or len(images) > wanted)

    async def list_images_tasks(
        self, caller: Caller, ids: Sequence[str]
    ) -> Sequence[Sequence[TaskRecord] | GlanceError | None]:
        """Return each image's tasks, None if it is gone, or the error of the read.

        That is Unsupported if Glance does not list tasks. Its response for an image
        that is gone is the same: it means that once Glance has listed tasks.
        """
        reads = [self._reads.tasks(caller, image_id) for image_id in ids]
        found = await self._read_many([caller] * len(ids), reads, None)
        if not all(isinstance(tasks, GlanceError) for tasks in found):
            self._lists_tasks = True
        if not self._lists_tasks:
            return found
        return [None if isinstance(one, Unsupported) else one for one in found]

    async def list_stores(self, caller: Caller) -> Sequence[StoreRecord]:
        """Return the cloud's stores, none where it has only one."""
        return await self._read(caller, self._reads.stores(caller))

    async def get_json_schema(self, caller: Caller, name: str) -> Mapping[str, object]:
        """Return one of Glance's JSON schemas, by its route's name.

        Raises Unsupported where this Glance does not have it.
        """
        return await self._read(caller, self._reads.json_schema(caller, name))

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
        image, tags = await self._tags_before_write(caller, image_id)
        if tag in tags:
            return image
        return await self._set_tags(caller, image_id, [*tags, tag])

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
        _, tags = await self._tags_before_write(caller, image_id)
        if tag not in tags:
            message = f"Could not remove tag {tag!r} from image {image_id}: not there."
            raise NotFound(message, request_id=caller.request_id, was_sent=False)
        kept = [other for other in tags if other != tag]
        return await self._set_tags(caller, image_id, kept)

    async def outdate(self, ids: Sequence[str]) -> None:
        """Invalidate what is cached of images that others have changed."""
        topics = {topic for image_id in ids for topic in topics_written(image_id)}
        await self._reader.renew(tuple(topics))

    def listen(self, listener: Listener) -> None:
        """Tell the listener the topics of each write, once they are renewed.

        Those of a rejected token, too. That is of this process; `write_versions`
        know of all.
        """
        self._listeners.append(listener)

    async def write_versions(
        self, topics: Collection[str]
    ) -> Mapping[str, bytes] | None:
        """Return a version for each topic, new with each write of it by any worker.

        With a shared cache also by any replica. None where nothing is shared, or
        what is shared can't be reached.
        """
        versions = await self._reader.versions(topics_of_writes(topics))
        return None if versions is None else dict(zip(topics, versions, strict=True))

    async def close(self) -> None:
        """End the writes and reads in flight, and close the cache."""
        await asyncio.gather(*self._writes, return_exceptions=True)
        await self._reader.close()

    async def _tags_before_write(
        self, caller: Caller, image_id: str
    ) -> tuple[ImageRecord, list[str]]:
        """Return an image and its tags; an error is that of a write not sent."""
        try:
            image = (await self._client.get_image(caller, image_id)).value
            return image, _tags(image, caller)
        except GlanceError as error:
            if isinstance(error, FAILURES.revoked):
                revoked = topics_revoked(caller.identity.scope)
                await self._invalidate(Invalidation(renewed=revoked))
            error.note_unsent_change()
            raise

    async def _set_tags(
        self, caller: Caller, image_id: str, tags: list[str]
    ) -> ImageRecord:
        patch = image_patch({"tags": tags}, set_properties={}, remove_properties=())
        return await self.update_image(caller, image_id, patch)

    async def _read(self, caller: Caller, read: TypedRead[Value]) -> Value:
        try:
            content = await self._reader.read(
                read.read, caller.directive, caller.counters
            )
        except TimeoutError as error:
            raise _late(caller, read.purpose) from error
        except FAILURES.revoked:
            self._tell(topics_revoked(caller.identity.scope))
            raise
        return read.value(content)

    async def _read_many(
        self,
        callers: Sequence[Caller],
        reads: Sequence[TypedRead[Value]],
        fetch_many: FetchMany | None,
    ) -> list[Value | GlanceError]:
        contents = await self._reader.read_many(
            [one.read for one in reads],
            fetch_many,
            callers[0].directive,
            [caller.counters for caller in callers],
        )
        if any(isinstance(content, FAILURES.revoked) for content in contents):
            self._tell(topics_revoked(callers[0].identity.scope))
        return [
            one.value(content)
            if isinstance(content, Content)
            else _expected(caller, one.purpose, content)
            for caller, one, content in zip(callers, reads, contents, strict=True)
        ]

    async def _write(
        self, caller: Caller, image_id: str, writing: Coroutine[object, object, Value]
    ) -> Value:
        """Write to the end, and forget what may have changed, for everybody.

        A caller who leaves does not cut a write short: what it changed could
        not be forgotten after it.
        """
        task = asyncio.create_task(self._written(caller, image_id, writing))
        self._writes.add(task)
        task.add_done_callback(self._end_write)
        return await asyncio.shield(task)

    def _end_write(self, task: asyncio.Task[Value]) -> None:
        """Let go of a write; what it raises is for the caller who has stayed."""
        self._writes.discard(task)
        if not task.cancelled():
            task.exception()

    async def _written(
        self, caller: Caller, image_id: str, writing: Coroutine[object, object, Value]
    ) -> Value:
        invalidation = after_open_outcome(image_id)
        try:
            value = await writing
            invalidation = after_success(image_id)
        except GlanceError as error:
            invalidation = after_failure(error, caller.identity, image_id)
            if not error.was_sent:
                error.note_unsent_change()
            raise
        finally:
            await self._invalidate(invalidation)
        return value

    async def _invalidate(self, invalidation: Invalidation) -> None:
        doubted, renewed = invalidation.doubted, invalidation.renewed
        if doubted:
            await self._reader.doubt(doubted)
        topics = (*doubted, *renewed)
        written = topics_of_writes((*topics, ANYTHING)) if topics else ()
        if written or invalidation.own:
            await self._reader.renew((*renewed, *invalidation.own, *written))
        self._tell(topics)

    def _tell(self, topics: Sequence[str]) -> None:
        for listener in self._listeners if topics else ():
            listener(topics)


class _LostPlace(Exception):
    """A marker out of a page of ours is none to Glance any longer."""

    def __init__(self, refusal: GlanceError) -> None:
        super().__init__()
        self.refusal = refusal


def _afresh(caller: Caller) -> Caller:
    """Return the caller asking for fresh reads."""
    if caller.directive is Directive.NONE:
        return replace(caller, directive=Directive.NO_CACHE)
    return caller


def _tags(image: ImageRecord, caller: Caller) -> list[str]:
    """Return the tags; raises GlanceUnavailable for an image without any list."""
    try:
        return words(image["tags"])
    except (KeyError, ValueError) as error:
        message = f"Glance's answer for image {image['id']} has no list of tags."
        raise GlanceUnavailable(message, request_id=caller.request_id) from error


def _late(caller: Caller, purpose: str) -> GlanceTimeout:
    message = f"Could not {purpose}: no response in time."
    return GlanceTimeout(message, request_id=caller.request_id)


def _expected(caller: Caller, purpose: str, error: Exception) -> GlanceError:
    """Return the error as a GlanceError; raises it where it is a bug of ours."""
    if isinstance(error, TimeoutError):
        return _late(caller, purpose)
    if isinstance(error, GlanceError):
        return error
    raise error
