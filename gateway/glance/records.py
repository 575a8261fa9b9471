"""Glance's JSON objects, as Glance sends them.

A record is the decoded JSON object itself: never copied, never changed. Keys
may be missing if a Glance is older than the attribute. An item of a list that has no
usable id is a record without `id`.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict, TypeVar

from gateway.glance.errors import MalformedRecord


class LocationRecord(TypedDict, total=False):
    """One location of an image's data."""

    url: str
    metadata: dict[str, object]


class ImageRecord(TypedDict, total=False):
    """An image; keys that are not named here are additional properties.

    Source: Image API v2, `GET /v2/schemas/image`.
    """

    id: str
    name: str | None
    status: str
    visibility: str
    protected: bool
    os_hidden: bool
    checksum: str | None
    os_hash_algo: str | None
    os_hash_value: str | None
    owner: str | None
    size: int | None
    virtual_size: int | None
    container_format: str | None
    disk_format: str | None
    created_at: str
    updated_at: str
    tags: list[str]
    direct_url: str
    min_ram: int
    min_disk: int
    self: str
    file: str
    stores: str
    schema: str
    locations: list[LocationRecord]


class TaskRecord(TypedDict, total=False):
    """A task of an image, as `GET /v2/images/{id}/tasks` sends it.

    Its times carry no zone; they are UTC.
    """

    id: str
    type: str
    status: str
    owner: str | None
    expires_at: str | None
    created_at: str
    updated_at: str
    deleted_at: str | None
    deleted: bool
    image_id: str | None
    request_id: str | None
    user_id: str | None
    input: object
    result: object
    message: str | None


# `read-only` is no name in Python, hence the call.
StoreRecord = TypedDict(
    "StoreRecord",
    {"id": str, "description": str | None, "default": str, "read-only": str},
    total=False,
)


IMAGE_ATTRIBUTES = frozenset(ImageRecord.__annotations__)


def additional_properties(record: Mapping[str, object]) -> dict[str, object]:
    """Return the keys of an image that Glance's own schema does not name."""
    return {
        name: value for name, value in record.items() if name not in IMAGE_ATTRIBUTES
    }


Record = TypeVar("Record", bound=Mapping[str, object])


def identified(row: object) -> dict[str, object]:
    """Return the record with its id as text, without `id` if it has none."""
    if not isinstance(row, dict):
        return {}
    record_id = row.get("id")
    if isinstance(record_id, str) and record_id:
        return row
    others = {name: value for name, value in row.items() if name != "id"}
    is_number = isinstance(record_id, int) and not isinstance(record_id, bool)
    return {"id": str(record_id), **others} if is_number else others


def with_errors(
    records: Sequence[Record], what: str, *, of_image: str | None = None
) -> Sequence[Record | MalformedRecord]:
    """Return the records with an error in the place of each one without an id.

    The error message contains `what` and, if the record has one, its name.
    """
    return [
        record if "id" in record else _without_id(record, what, of_image)
        for record in records
    ]


def _without_id(
    record: Mapping[str, object], what: str, image_id: str | None
) -> MalformedRecord:
    name = record.get("name")
    named = f" named {name!r}" if isinstance(name, str) else ""
    owner = f" of image {image_id}" if image_id else ""
    message = f"Glance sent {what}{named}{owner} that has no id."
    return MalformedRecord(message, record_id=image_id)
