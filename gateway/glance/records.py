"""Glance's JSON objects, as Glance sends them.

A record is the decoded JSON object itself: never copied, never changed. Keys
may be missing where a Glance is older than the attribute.
"""

from collections.abc import Mapping
from typing import TypedDict


class LocationRecord(TypedDict, total=False):
    """One place where an image's data lies."""

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
