"""What Glance answered: records out of good answers, errors out of others. Pure.

Each function takes the answer and the purpose of its call (`get image 1234`),
with which error messages begin.
"""

from http import HTTPStatus
from typing import cast

import httpx
import orjson

from gateway.glance.errors import (
    GlanceError,
    GlanceUnavailable,
    error_class,
    sentence,
)
from gateway.glance.listing import ImagePage
from gateway.glance.records import ImageRecord, TaskRecord


def image_in(response: httpx.Response, purpose: str) -> ImageRecord:
    """Return the image; raises GlanceUnavailable for anything but an image."""
    answer = _object(response, purpose)
    if not _has_id(answer):
        raise _unreadable(response, purpose, "not an image")
    return cast("ImageRecord", answer)


def page_in(response: httpx.Response, purpose: str) -> ImagePage:
    """Return the page; raises GlanceUnavailable for anything but a list."""
    answer = _object(response, purpose)
    rows = _rows(answer, "images")
    if rows is None:
        raise _unreadable(response, purpose, "not a list of images")
    return ImagePage(cast("list[ImageRecord]", rows), has_more="next" in answer)


def tasks_in(response: httpx.Response, purpose: str) -> list[TaskRecord]:
    """Return the tasks; raises GlanceUnavailable for anything but a list."""
    rows = _rows(_object(response, purpose), "tasks")
    if rows is None:
        raise _unreadable(response, purpose, "not a list of tasks")
    return cast("list[TaskRecord]", rows)


def refusal(response: httpx.Response, purpose: str) -> GlanceError:
    """Return the error for an answer that is not a success.

    Glance explains itself in HTML and keystonemiddleware, which stands before
    it, in JSON; their sentence is kept, without the markup.
    """
    status = response.status_code
    return error_class(status)(
        f"Could not {purpose}: {_reason(response) or _default_reason(status)}",
        status=status,
        request_id=_request_id(response),
    )


def _reason(response: httpx.Response) -> str:
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    if media_type == "text/html":
        return sentence(response.text)
    if media_type == "application/json":
        return sentence(_message_in(response.content))
    return ""


def _message_in(content: bytes) -> str:
    """Return Keystone's sentence: `{"error": {"message": "..."}}`."""
    try:
        return str(orjson.loads(content)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


def _default_reason(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP status {status}"


def _request_id(response: httpx.Response) -> str:
    """Return the id under which Glance logged the call, else the one sent."""
    sent = response.request.headers["X-OpenStack-Request-ID"]
    return str(response.headers.get("X-OpenStack-Request-ID", sent))


def _unreadable(response: httpx.Response, purpose: str, what: str) -> GlanceError:
    return GlanceUnavailable(
        f"Could not {purpose}: Glance's answer is {what}.",
        status=response.status_code,
        request_id=_request_id(response),
    )


def _object(response: httpx.Response, purpose: str) -> dict[str, object]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise _unreadable(response, purpose, "not JSON") from error
    if not isinstance(answer, dict):
        raise _unreadable(response, purpose, "not a JSON object")
    return answer


def _rows(answer: dict[str, object], key: str) -> list[object] | None:
    """Return the rows under `key`, or None unless each is one with an id."""
    rows = answer.get(key)
    return rows if isinstance(rows, list) and all(map(_has_id, rows)) else None


def _has_id(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str)
