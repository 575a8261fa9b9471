"""The plain gateway's types: a class per record, its fields filled at once.

They have the names and the words of this gateway's schema, so that both answer
the same documents with the same data. Times stay Glance's text, which is
cheaper than to parse them and to write them again.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NewType

import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)
SCALARS: Mapping[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(name="BigInt", serialize=int, parse_value=int)
}

Record = dict[str, Any]


@strawberry.enum
class ImageStatus(Enum):
    """Glance's words."""

    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    KILLED = "killed"
    DELETED = "deleted"
    PENDING_DELETE = "pending_delete"


@strawberry.enum
class ImageVisibility(Enum):
    """Glance's words."""

    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


@strawberry.enum
class TaskType(Enum):
    """Glance's words."""

    IMPORT = "import"
    API_IMAGE_IMPORT = "api_image_import"
    LOCATION_IMPORT = "location_import"


@strawberry.enum
class TaskStatus(Enum):
    """Glance's words."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILURE = "failure"


@strawberry.type
class ImageHash:
    """A digest."""

    algorithm: str
    value: str


@strawberry.type
class ImageProperty:
    """An additional property."""

    name: str
    value: str


@strawberry.type
class Store:
    """A store by its id."""

    id: strawberry.ID


@strawberry.type
class ImageLocation:
    """A copy of the data."""

    url: str
    metadata: JSON
    store: Store | None


@strawberry.type
class Task:
    """A task of an image."""

    id: strawberry.ID
    type: TaskType
    type_raw: str
    status: TaskStatus
    status_raw: str
    image_id: strawberry.ID | None
    owner: strawberry.ID | None
    user_id: strawberry.ID | None
    request_id: strawberry.ID | None
    input: JSON | None
    result: JSON | None
    message: str | None
    expires_at: str | None
    created_at: str
    updated_at: str
    deleted_at: str | None
    deleted: bool


def task(record: Record) -> Task:
    """Return the task of a record."""
    return Task(
        id=record["id"],
        type=TaskType(record["type"]),
        type_raw=record["type"],
        status=TaskStatus(record["status"]),
        status_raw=record["status"],
        image_id=record.get("image_id"),
        owner=record.get("owner"),
        user_id=record.get("user_id"),
        request_id=record.get("request_id"),
        input=record.get("input"),
        result=record.get("result"),
        message=record.get("message"),
        expires_at=_utc(record.get("expires_at")),
        created_at=record["created_at"] + "Z",
        updated_at=record["updated_at"] + "Z",
        deleted_at=_utc(record.get("deleted_at")),
        deleted=record.get("deleted", False),
    )


def image_hash(record: Record) -> ImageHash | None:
    """Return the digest, if there is one."""
    if record.get("os_hash_value") is None:
        return None
    return ImageHash(algorithm=record["os_hash_algo"], value=record["os_hash_value"])


def locations(record: Record) -> list[ImageLocation] | None:
    """Return the copies, if the operator shows them."""
    if "locations" not in record:
        return None
    return [_location(one) for one in record["locations"]]


def _location(record: Record) -> ImageLocation:
    metadata = record.get("metadata", {})
    store = Store(id=metadata["store"]) if "store" in metadata else None
    return ImageLocation(url=record["url"], metadata=metadata, store=store)


def _utc(time: str | None) -> str | None:
    return None if time is None else time + "Z"
