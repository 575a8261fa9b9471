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

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec
import orjson

from gateway.caller import BudgetSpent, Caller
from gateway.glance.bulkhead import Bulkhead, Slot
from gateway.glance.errors import (
    Conflict,
    GlanceError,
    NotFound,
    QuotaExceeded,
    Unsupported,
)
from gateway.glance.exchange import Exchange
from gateway.glance.failure_log import FailureLog
from gateway.glance.failures import (
    FAILURES,
    cause,
    detail,
    limit_reached,
    may_repeat,
    outcome_open,
    translated,
)
from gateway.glance.listing import ImagePage, ImageQuery, ListCall, parameters
from gateway.glance.patch import MEDIA_TYPE, Operation
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord
from gateway.glance.responses import (
    Foreign,
    Unreadable,
    check_status,
    image_in,
    image_with_id,
    is_newly_created,
    json_schema_in,
    page_in,
    refusal,
    stores_in,
    tasks_in,
    unreadable,
)
from gateway.glance.transport import (
    Request,
    ResponseRejected,
    Transport,
    base_url,
    caller_headers,
    log_foreign,
)

NAME_MAX_CHARACTERS = 255
# An image may have 128 properties of 64 KiB.
RECORD_MAX_BYTES = 16 * 1024 * 1024
CREATE = "create the image"

Value = TypeVar("Value")


class Call(msgspec.Struct, frozen=True):
    """One request to Glance; `purpose` is what its error message begins with.

    `max_bytes` bounds the body of the response, besides the transport's own bound.
    With 0 a success needs no body: it is a success even if its body is broken.
    `has_id` tells that the body of a POST has the id of what it creates. `success`
    is the status that Glance sends when the call succeeds.
    """

    method: str
    path: str
    purpose: str
    parameters: tuple[tuple[str, str], ...] = ()
    body: object = None
    media_type: str = "application/json"
    max_bytes: float = RECORD_MAX_BYTES
    has_id: bool = False
    success: int = HTTPStatus.OK

    @property
    def is_write(self) -> bool:
        """Return whether it may change something in Glance."""
        return self.method != "GET"

    @property
    def is_idempotent(self) -> bool:
        """Return whether Glance carries it out once even if it is sent twice.

        It accepts no id a second time.
        """
        return self.has_id or self.method in {"GET", "PUT", "DELETE"}

    @property
    def kind(self) -> tuple[str, int]:
        """Return method and depth of the path: one kind takes about the same time."""
        return self.method, self.path.count("/")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Value]):
    """What a read brought, as Glance's bytes and decoded."""

    content: bytes
    value: Value


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
        """Use the transport, which stays its owner's.

        No call lasts longer than given, its wait in the bulkhead included.
        """
        self._transport = transport
        self._base_url = base_url(address)
        self._bulkhead = bulkhead
        self._timeout_seconds = timeout_seconds
        self._failures = FailureLog()

    async def get_image(self, caller: Caller, image_id: str) -> Fetched[ImageRecord]:
        """Return an image; raises NotFound, also for one the caller can't see."""
        call = Call("GET", image_path(image_id), f"get image {image_id}")
        return await self._fetch(caller, call, partial(image_with_id, image_id))

    async def list_images(
        self, caller: Caller, query: ImageQuery, call: ListCall
    ) -> Fetched[ImagePage]:
        """Return one page; raises InvalidRequest for a marker that is gone."""
        given = tuple(parameters(query, call))
        request = Call("GET", "/v2/images", "list images", given, max_bytes=math.inf)
        return await self._fetch(caller, request, page_in)

    async def list_image_tasks(
        self, caller: Caller, image_id: str
    ) -> Fetched[list[TaskRecord]]:
        """Return the tasks of an image that the caller may see.

        Raises Unsupported where the route is missing, as on older clouds;
        Glance's response for an image that is gone is the same.
        """
        path = f"{image_path(image_id)}/tasks"
        call = Call("GET", path, f"list tasks of image {image_id}")
        try:
            return await self._fetch(caller, call, tasks_in)
        except NotFound as error:
            reason = "this Glance does not list tasks of an image"
            raise _unsupported(error, call, reason) from error

    async def list_stores(self, caller: Caller) -> Fetched[list[StoreRecord]]:
        """Return the stores; raises NotFound where the cloud has only one."""
        call = Call("GET", "/v2/info/stores", "list stores")
        return await self._fetch(caller, call, stores_in)

    async def get_json_schema(
        self, caller: Caller, name: str
    ) -> Fetched[dict[str, object]]:
        """Return a JSON schema of Glance's; raises Unsupported for one it lacks.

        The name is the route's, such as `image` or `metadefs/namespace`.
        """
        call = Call("GET", f"/v2/schemas/{name}", f"get the JSON schema {name}")
        try:
            return await self._fetch(caller, call, json_schema_in)
        except NotFound as error:
            raise _unsupported(error, call, "this Glance has none") from error

    async def create_image(
        self, caller: Caller, image: Mapping[str, object]
    ) -> ImageRecord:
        """Create an image; raises Conflict for a taken id, QuotaExceeded.

        An image without an id gets one of ours, by which a repeat is recognised.
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
            return (await self._fetch(caller, call, image_in)).value
        except (Conflict, QuotaExceeded) as error:
            if not error.was_sent_before:
                raise
            created = await self._created(caller, image_id)
            if created is None or not is_newly_created(created, image):
                raise
            return created

    async def _created(self, caller: Caller, image_id: str) -> ImageRecord | None:
        """Return the image that a creation may have created, None if there is none."""
        decode = partial(image_with_id, image_id)
        try:
            call = Call("GET", image_path(image_id), CREATE)
            return (await self._fetch(caller, call, decode)).value
        except NotFound:
            return None
        except GlanceError as error:
            raise outcome_open(error) from error

    async def update_image(
        self, caller: Caller, image_id: str, patch: Sequence[Operation]
    ) -> ImageRecord:
        """Patch an image and return it; raises NotFound, Conflict, QuotaExceeded.

        Glance applies all of the patch or nothing.
        """
        call = Call(
            "PATCH",
            image_path(image_id),
            f"update image {image_id}",
            body=patch,
            media_type=MEDIA_TYPE,
        )
        fetched = await self._fetch(caller, call, partial(image_with_id, image_id))
        return fetched.value

    async def delete_image(self, caller: Caller, image_id: str) -> None:
        """Delete an image; raises NotFound, Forbidden for a protected one."""
        path, purpose = image_path(image_id), f"delete image {image_id}"
        call = Call("DELETE", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._delete(caller, call)

    async def add_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Add a tag, also one it has; raises NotFound, QuotaExceeded.

        The tag must be one that `fits_tag_route` accepts.
        """
        path, purpose = tag_path(image_id, tag), f"add tag {tag!r} to image {image_id}"
        call = Call("PUT", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._fetch(caller, call, bytes)

    async def remove_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Remove a tag; raises NotFound for the image and for the tag.

        The tag must be one that `fits_tag_route` accepts.
        """
        path = tag_path(image_id, tag)
        purpose = f"remove tag {tag!r} from image {image_id}"
        call = Call("DELETE", path, purpose, max_bytes=0, success=HTTPStatus.NO_CONTENT)
        await self._delete(caller, call)

    async def _delete(self, caller: Caller, call: Call) -> None:
        """Delete; a repeat may find that the first attempt has done it."""
        try:
            await self._fetch(caller, call, bytes)
        except NotFound as error:
            if not error.was_sent_before:
                raise

    async def _fetch(
        self, caller: Caller, call: Call, decode: Callable[[bytes], Value]
    ) -> Fetched[Value]:
        """Return what a successful call brought, decoded."""
        now = asyncio.get_running_loop().time()
        exchange = Exchange(caller.request_id, needs_new_connection=call.is_write)
        try:
            async with asyncio.timeout_at(
                min(now + self._timeout_seconds, caller.deadline_at)
            ):
                async with self._bulkhead.slot(caller, call.kind) as slot:
                    caller.counters.count_call()
                    try:
                        return await self._attempt(caller, call, decode, exchange, slot)
                    except FAILURES as error:
                        if not may_repeat(
                            error,
                            was_sent=exchange.was_sent,
                            is_idempotent=call.is_idempotent,
                        ):
                            raise
                    return await self._repeat(caller, call, decode, exchange, slot)
        except FAILURES as error:
            reason = cause(error, was_sent=exchange.was_sent)
            self._failures.log(reason, detail(error), exchange.request_id)
            raise translated(
                error, call.purpose, exchange, is_write=call.is_write
            ) from error
        except BudgetSpent as spent:
            raise limit_reached(spent, call.purpose, exchange) from spent

    async def _repeat(
        self,
        caller: Caller,
        call: Call,
        decode: Callable[[bytes], Value],
        exchange: Exchange,
        slot: Slot,
    ) -> Fetched[Value]:
        """Send the call a second time, on a new connection."""
        was_sent = exchange.was_sent
        exchange.repeat(caller.request_id)
        try:
            return await self._attempt(caller, call, decode, exchange, slot)
        except GlanceError as error:
            error.was_sent_before = was_sent
            raise

    async def _attempt(
        self,
        caller: Caller,
        call: Call,
        decode: Callable[[bytes], Value],
        exchange: Exchange,
        slot: Slot,
    ) -> Fetched[Value]:
        """Send the call; raises GlanceError for a response that is not a success."""
        request = Request(
            call.method,
            self._base_url + call.path,
            call.parameters,
            _headers(caller, call, exchange),
            None if call.body is None else orjson.dumps(call.body),
            call.max_bytes,
            call.success,
        )
        response = await self._transport.send(request, exchange)
        slot.observe_response(response.status)
        caller.counters.read_bytes += len(response.content)
        if not response.is_success:
            identity = caller.identity
            raise refusal(
                response,
                call.purpose,
                is_write=call.is_write,
                secrets=(identity.token, identity.service_token or ""),
            )
        try:
            check_status(response.status, call.success)
            return Fetched(response.content, decode(response.content))
        except Foreign as error:
            exchange.close()
            log_foreign(exchange, str(error))
            raise ResponseRejected from error
        except Unreadable as error:
            raise unreadable(
                response, call.purpose, error, is_write=call.is_write
            ) from error


def image_path(image_id: str) -> str:
    """Return the path of an image, its id quoted as one segment.

    Raises NotFound for an id that is too long for any image, or that no quoting
    keeps in its segment (servers decode `%2F` and resolve dots before they
    route): no image can have it.
    """
    is_segment = "/" not in image_id and image_id not in {"", ".", ".."}
    if not is_segment or len(image_id) > NAME_MAX_CHARACTERS:
        message = f"No image found with ID {image_id[:NAME_MAX_CHARACTERS]}"
        raise NotFound(message, status=HTTPStatus.NOT_FOUND)
    return f"/v2/images/{quote(image_id, safe='')}"


def tag_path(image_id: str, tag: str) -> str:
    """Return the path of a tag that `fits_tag_route` accepts."""
    return f"{image_path(image_id)}/tags/{quote(tag, safe='')}"


def fits_tag_route(tag: str) -> bool:
    """Return whether Glance's tag route stores this tag as it is.

    It mangles what is not ASCII, loses line ends, and takes slashes, dots and
    nothing for other routes; what is longer than any tag may not fit into a URL.
    """
    is_plain = tag.isascii() and tag.isprintable() and "/" not in tag
    is_short = len(tag) <= NAME_MAX_CHARACTERS
    return is_plain and is_short and tag not in {"", ".", ".."}


def _headers(caller: Caller, call: Call, exchange: Exchange) -> Mapping[str, str]:
    headers = caller_headers(caller, exchange)
    if call.body is not None:
        headers["Content-Type"] = call.media_type
    return headers


def _unsupported(error: NotFound, call: Call, reason: str) -> Unsupported:
    message = f"Could not {call.purpose}: {reason}."
    return Unsupported(message, status=error.status, request_id=error.request_id)
