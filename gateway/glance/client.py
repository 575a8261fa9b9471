"""Glance's REST API: one method per call.

Every method sends one HTTP request within the caller's deadline, and raises a
GlanceError when it fails: Unauthenticated, Forbidden, InvalidRequest,
GlanceUnavailable and GlanceTimeout are possible everywhere and not repeated
below. An idempotent call is sent a second time, on a new connection, if the first
connection was lost or brought a response that may belong to another request. Any
other call is sent a second time only if Glance cannot have seen any of it. Each
write has a connection of its own.

Source: https://docs.openstack.org/api-ref/image/v2/
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from uuid import uuid4

from gateway.caller import Caller
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call import Call, Fetched
from gateway.glance.call_sender import CallSender
from gateway.glance.errors import (
    Conflict,
    Forbidden,
    GlanceError,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    TooManyRequests,
    Unauthenticated,
    Unsupported,
)
from gateway.glance.failures import outcome_open
from gateway.glance.listing import ImagePage, ImageQuery, ListCall, parameters
from gateway.glance.patch import MEDIA_TYPE, Operation
from gateway.glance.paths import image_path, tag_path
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord
from gateway.glance.responses import (
    image_with_id,
    is_newly_created,
    json_schema_in,
    page_in,
    stores_in,
    tasks_in,
)
from gateway.glance.transport import Transport

CREATE = "create the image"
# What a creation may be answered with that an earlier attempt has carried out.
REJECTIONS = (
    Unauthenticated,
    Forbidden,
    InvalidRequest,
    Conflict,
    QuotaExceeded,
    TooManyRequests,
)


class GlanceClient:
    """The Image service at one address."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        *,
        bulkhead: Bulkhead,
        timeout_seconds: float,
    ) -> None:
        """Use the transport, and leave it to its owner to close it.

        No call takes longer than `timeout_seconds`, including its wait in the
        bulkhead.
        """
        self._calls = CallSender(
            transport, address, bulkhead=bulkhead, timeout_seconds=timeout_seconds
        )

    async def get_image(self, caller: Caller, image_id: str) -> Fetched[ImageRecord]:
        """Return an image; raises NotFound if it is missing or not visible."""
        call = Call("GET", image_path(image_id), f"get image {image_id}")
        return await self._calls.fetch(caller, call, partial(image_with_id, image_id))

    async def list_images(
        self, caller: Caller, query: ImageQuery, call: ListCall
    ) -> Fetched[ImagePage]:
        """Return one page; raises InvalidRequest for a marker that is deleted."""
        sent = tuple(parameters(query, call))
        request = Call("GET", "/v2/images", "list images", sent, max_bytes=math.inf)
        return await self._calls.fetch(caller, request, page_in)

    async def list_image_tasks(
        self, caller: Caller, image_id: str
    ) -> Fetched[list[TaskRecord]]:
        """Return the tasks of an image that the caller may see.

        Raises Unsupported if the route is missing, as on older clouds. Glance's
        response for a missing image is the same.
        """
        path = f"{image_path(image_id)}/tasks"
        call = Call("GET", path, f"list tasks of image {image_id}")
        try:
            return await self._calls.fetch(caller, call, tasks_in)
        except NotFound as error:
            reason = "this Glance does not list tasks of an image"
            raise _unsupported(error, call, reason) from error

    async def list_stores(self, caller: Caller) -> Fetched[list[StoreRecord]]:
        """Return the stores; raises NotFound if the cloud has only one."""
        call = Call("GET", "/v2/info/stores", "list stores")
        return await self._calls.fetch(caller, call, stores_in)

    async def get_json_schema(
        self, caller: Caller, name: str
    ) -> Fetched[dict[str, object]]:
        """Return one of Glance's JSON schemas; raises Unsupported if it has none.

        `name` is the end of the path, such as `image` or `metadefs/namespace`.
        """
        call = Call("GET", f"/v2/schemas/{name}", f"get the JSON schema {name}")
        try:
            return await self._calls.fetch(caller, call, json_schema_in)
        except NotFound as error:
            raise _unsupported(error, call, "this Glance has none") from error

    async def create_image(
        self, caller: Caller, image: Mapping[str, object]
    ) -> ImageRecord:
        """Create an image; raises Conflict for an existing id, QuotaExceeded.

        An image without an id gets a random one, so that a repeated call cannot
        create a second image.
        """
        image_id = str(image["id"] if "id" in image else uuid4())
        body = {**image, "id": image_id}
        call = Call(
            "POST",
            "/v2/images",
            CREATE,
            body=body,
            has_id=True,
            success=HTTPStatus.CREATED,
        )
        try:
            decode = partial(image_with_id, image_id)
            return (await self._calls.fetch(caller, call, decode)).value
        except REJECTIONS as error:
            if not error.was_sent_before:
                raise
            created = await self._created(caller, image_id)
            if created is None or not is_newly_created(created, image):
                raise
            return created

    async def _created(self, caller: Caller, image_id: str) -> ImageRecord | None:
        """Return the image that the first attempt has created, None if none."""
        decode = partial(image_with_id, image_id)
        try:
            call = Call("GET", image_path(image_id), CREATE)
            return (await self._calls.fetch(caller, call, decode)).value
        except NotFound:
            return None
        except GlanceError as error:
            raise outcome_open(error) from error

    async def update_image(
        self, caller: Caller, image_id: str, patch: Sequence[Operation]
    ) -> ImageRecord:
        """Patch an image and return it; raises NotFound, Conflict, QuotaExceeded.

        Glance applies the whole patch or nothing.
        """
        call = Call(
            "PATCH",
            image_path(image_id),
            f"update image {image_id}",
            body=patch,
            media_type=MEDIA_TYPE,
        )
        fetched = await self._calls.fetch(
            caller, call, partial(image_with_id, image_id)
        )
        return fetched.value

    async def delete_image(self, caller: Caller, image_id: str) -> None:
        """Delete an image; raises NotFound, Forbidden for a protected one."""
        path, purpose = image_path(image_id), f"delete image {image_id}"
        call = Call("DELETE", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._delete(caller, call)

    async def add_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Add a tag; raises NotFound, QuotaExceeded.

        Succeeds if the image already has the tag. The tag must be one that
        `fits_tag_route` accepts.
        """
        path, purpose = tag_path(image_id, tag), f"add tag {tag!r} to image {image_id}"
        call = Call("PUT", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._calls.fetch(caller, call, bytes)

    async def remove_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Remove a tag; raises NotFound for a missing image or tag.

        The tag must be one that `fits_tag_route` accepts.
        """
        path = tag_path(image_id, tag)
        purpose = f"remove tag {tag!r} from image {image_id}"
        call = Call("DELETE", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._delete(caller, call)

    async def _delete(self, caller: Caller, call: Call) -> None:
        """Send a deletion; a 404 to its repeat counts as a success."""
        try:
            await self._calls.fetch(caller, call, bytes)
        except NotFound as error:
            if not error.was_lost_before:
                raise


def _unsupported(error: NotFound, call: Call, reason: str) -> Unsupported:
    message = f"Could not {call.purpose}: {reason}."
    return Unsupported(message, status=error.status, request_id=error.request_id)
