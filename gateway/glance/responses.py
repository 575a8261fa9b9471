"""Decodes Glance's responses: records from successes, errors from others. Pure.

Messages name the purpose of their call, such as `get image 1234`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import cast

import orjson

from gateway.glance.error_page import masked, sentence_of
from gateway.glance.errors import (
    OUTCOME_OPEN,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    TooManyRequests,
    error_class,
)
from gateway.glance.listing import ImagePage
from gateway.glance.nesting import is_too_deep
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord, identified
from gateway.glance.rows import KEY, is_link, outlined
from gateway.glance.transport import Response

# A shorter token may be a word of a sentence; those of Keystone are longer.


class Unreadable(ValueError):
    """A body that is not what was requested; the text describes it."""


class Foreign(Unreadable):
    """The response to another request; the text describes its body."""


def image_in(content: bytes) -> ImageRecord:
    """Return the image; raises Unreadable for anything but an image."""
    decoded = identified(object_in(content))
    if "id" not in decoded:
        reason = "not an image"
        raise Unreadable(reason)
    return cast("ImageRecord", decoded)


def image_with_id(image_id: str, content: bytes) -> ImageRecord:
    """Return the image; raises Foreign for another image, Unreadable for no image.

    Case is ignored, as Glance's database may ignore it, too.
    """
    image = image_in(content)
    if image["id"].lower() != image_id.lower():
        reason = "another image"
        raise Foreign(reason)
    return image


def is_newly_created(image: ImageRecord, sent: Mapping[str, object]) -> bool:
    """Return whether the image is in the state right after its creation from `sent`.

    Without an id in `sent` it is: the gateway made a random id that nobody else has.
    """
    if "id" not in sent:
        return True
    found = cast("Mapping[str, object]", image)
    return found.get("status") == "queued" and all(
        _comparable(found.get(key)) == _comparable(value)
        for key, value in sent.items()
        if key != "id"
    )


def page_in(content: bytes) -> ImagePage:
    """Return the page; raises Unreadable for anything but a list.

    A list that contains images without an id is decoded at once, not on access.
    """
    try:
        rows, has_more = outlined(content)
    except ValueError:
        decoded = object_in(content)
        images = cast("list[ImageRecord]", _rows(decoded, KEY))
        return ImagePage(images, has_more=is_link(decoded.get("next")))
    return ImagePage(rows, has_more=has_more)


def tasks_in(content: bytes) -> list[TaskRecord]:
    """Return the tasks; raises Unreadable for anything but a list."""
    return cast("list[TaskRecord]", _rows(object_in(content), "tasks"))


def stores_in(content: bytes) -> list[StoreRecord]:
    """Return the stores; raises Unreadable for anything but a list."""
    return cast("list[StoreRecord]", _rows(object_in(content), "stores"))


def json_schema_in(content: bytes) -> dict[str, object]:
    """Return the JSON schema; raises Unreadable for anything else."""
    schema = object_in(content)
    if not isinstance(schema.get("properties"), dict):
        reason = "not a JSON schema"
        raise Unreadable(reason)
    return schema


def check_status(status: int, success: int) -> None:
    """Raise Unreadable for a success of another status than Glance sends."""
    if status != success:
        reason = f"{status}, where Glance sends {success:d}"
        raise Unreadable(reason)


def object_in(content: bytes) -> dict[str, object]:
    """Return a JSON object; raises Unreadable for anything else."""
    try:
        decoded = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        reason = "not JSON"
        raise Unreadable(reason) from error
    if not isinstance(decoded, dict):
        reason = "not a JSON object"
        raise Unreadable(reason)
    if is_too_deep(content, decoded):
        reason = "nested too deeply"
        raise Unreadable(reason)
    return decoded


def unreadable(
    response: Response, purpose: str, reason: Unreadable, *, is_write: bool
) -> GlanceUnavailable:
    """Return the error for a success whose body is not what was requested."""
    outcome = OUTCOME_OPEN if is_write else ""
    return GlanceUnavailable(
        f"Could not {purpose}: Glance's response is {reason}.{outcome}",
        status=response.status,
        request_id=response.request_id,
    )


def response_error(
    response: Response, purpose: str, *, is_write: bool, secrets: Sequence[str] = ()
) -> GlanceError:
    """Return the error for a response that is not a success.

    Its message quotes the sentence of the error page, with the secrets masked.
    """
    status = response.status
    kind = _response_error_class(response, is_write=is_write)
    sentence = masked(sentence_of(response.media_type, response.content), secrets)
    reason = sentence or _default_reason(status)
    error = kind(
        f"Could not {purpose}: {reason}",
        status=status,
        request_id=response.request_id,
        retry_after_seconds=response.retry_after_seconds,
    )
    if is_write and kind in {GlanceTimeout, GlanceUnavailable}:
        error.note_open_outcome()
    return error


def _response_error_class(response: Response, *, is_write: bool) -> type[GlanceError]:
    """Return the class of the error for a response that is not a success.

    A 413 is a quota error for a write without `Retry-After`. Otherwise it is a rate
    limit: older OpenStack rate limits use 413.
    """
    is_413 = response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if is_413 and (not is_write or response.retry_after_seconds is not None):
        return TooManyRequests
    return error_class(response.status)


def _default_reason(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP status {status}"


def _rows(decoded: dict[str, object], key: str) -> list[dict[str, object]]:
    """Return the records under `key`; raises Unreadable where there is no list."""
    rows = decoded.get(key)
    if not isinstance(rows, list):
        reason = f"not a list of {key}"
        raise Unreadable(reason)
    return [*map(identified, rows)]


def _comparable(value: object) -> object:
    """Return the value; tags as a set, as Glance does not keep their order."""
    return {str(one) for one in value} if isinstance(value, list) else value
