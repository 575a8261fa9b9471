"""An image and what belongs to it.

The source of every type here is a record of Glance: plain fields read their
key, the others are pure functions of the record.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, cast

import strawberry
from strawberry import ID, UNSET, Parent

from gateway.context import Info
from gateway.execution.derived import derived, from_key
from gateway.glance.records import (
    ImageRecord,
    LocationRecord,
    StoreRecord,
    TaskRecord,
    additional_properties,
)
from gateway.schema.types.enums import ImageStatus, ImageVisibility, known
from gateway.schema.types.resolved import resolved
from gateway.schema.types.scalars import BigInt, Json
from gateway.schema.types.store import Store
from gateway.schema.types.task import Task


@strawberry.type(description="The digest of an image's data, for checking a download.")
class ImageHash:
    """Glance's os_hash_algo and os_hash_value."""

    algorithm: str = strawberry.field(
        description="The algorithm as Python's hashlib names it, such as `sha512`."
    )
    value: str = strawberry.field(description="The digest, hexadecimal.")


@strawberry.type(description="An additional (custom) property of an image.")
class ImageProperty:
    """One key of an image that Glance's schema does not name."""

    name: str = strawberry.field(description="The name, such as `os_distro`.")
    value: str = strawberry.field(description="The value; Glance knows text only.")


@derived
def _location_store(location: Parent[LocationRecord]) -> StoreRecord | None:
    store = location.get("metadata", {}).get("store")
    return None if store is None else cast("StoreRecord", {"id": store})


@strawberry.type(description="One copy of an image's data.")
class ImageLocation:
    """An entry of Glance's `locations`."""

    url: str = strawberry.field(
        description="Where the data lies, as the store sees it."
    )
    metadata: Json = strawberry.field(
        description="What the store noted about this copy."
    )
    store: Store | None = resolved(
        _location_store,
        "The store; null where the cloud has only one.",
    )


@derived
def _hash(image: Parent[ImageRecord]) -> Mapping[str, object] | None:
    algorithm, value = image.get("os_hash_algo"), image.get("os_hash_value")
    if algorithm is None or value is None:
        return None
    return {"algorithm": algorithm, "value": value}


@derived
def _stores(image: Parent[ImageRecord]) -> Sequence[StoreRecord]:
    ids = image.get("stores", "").split(",")
    return [{"id": store} for store in ids if store]


Names = Annotated[
    list[str] | None, strawberry.argument(description="Only these names.")
]
Prefix = Annotated[
    str | None,
    strawberry.argument(description="Only names that begin so, such as `hw_`."),
]
Name = Annotated[str, strawberry.argument(description="The property's name.")]


@derived
def _properties(
    image: Parent[ImageRecord], names: Names = UNSET, prefix: Prefix = UNSET
) -> Sequence[Mapping[str, object]]:
    return [
        {"name": name, "value": value}
        for name, value in additional_properties(image).items()
        if (not isinstance(names, list) or name in names)
        and (not prefix or name.startswith(prefix))
    ]


@derived
def _property(image: Parent[ImageRecord], name: Name) -> object:
    return additional_properties(image).get(name)


async def _tasks(image: Parent[ImageRecord], info: Info) -> Sequence[TaskRecord]:
    return await info.context.loaders.tasks_of_image.load(image["id"])


@strawberry.type(
    description="A disk image, or whatever else Glance keeps to boot machines from."
)
class Image:
    """An image of Glance; its source is an ImageRecord."""

    id: ID = strawberry.field(description="Glance's UUID.")
    name: str | None = strawberry.field(
        description="A name; not unique, may be missing."
    )
    status: ImageStatus = resolved(
        from_key("status", partial(known, ImageStatus)),
        "Where the image is in its life.",
    )
    status_raw: str = resolved(
        from_key("status"),
        "The status word as Glance sent it, should `status` be `UNKNOWN`.",
    )
    visibility: ImageVisibility = resolved(
        from_key("visibility", partial(known, ImageVisibility)),
        "Who may see the image.",
    )
    visibility_raw: str = resolved(
        from_key("visibility"),
        "The word as Glance sent it, should `visibility` be `UNKNOWN`.",
    )
    owner: ID | None = strawberry.field(description="The project that owns the image.")
    protected: bool = strawberry.field(description="Whether it refuses to be deleted.")
    hidden: bool = resolved(
        from_key("os_hidden", default=False),
        "Whether lists leave it out unless they ask for hidden images.",
    )
    disk_format: str | None = strawberry.field(
        description="Such as `qcow2` or `raw`: the operator sets which there are."
    )
    container_format: str | None = strawberry.field(
        description="Such as `bare`: the operator sets which there are."
    )
    min_disk: int = strawberry.field(
        description="The smallest disk that it boots from, in GiB; 0 for any."
    )
    min_ram: int = strawberry.field(
        description="The least memory that it boots with, in MiB; 0 for any."
    )
    size: BigInt | None = strawberry.field(
        description="Size of the stored data in bytes; null until there is data."
    )
    virtual_size: BigInt | None = strawberry.field(
        description="Size of the disk inside in bytes; null where Glance can't tell."
    )
    checksum: str | None = strawberry.field(
        description="MD5 of the data, hexadecimal, for old clients: prefer `hash`."
    )
    hash: ImageHash | None = resolved(
        _hash, "Digest of the data; null until there is data."
    )
    tags: list[str] = strawberry.field(description="Tags, in no particular order.")
    properties: list[ImageProperty] = resolved(
        _properties, "Additional (custom) properties; all conditions must hold."
    )
    property: str | None = resolved(
        _property,
        "The value of one additional property; null where it is not set.",
    )
    created_at: datetime = strawberry.field(description="When it was registered.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    self: str = strawberry.field(
        description="Path of the image below Glance's endpoint, as Glance sends it."
    )
    file: str = strawberry.field(
        description="Path of its data below Glance's endpoint, as Glance sends it."
    )
    schema: str = strawberry.field(
        description="Path of its JSON schema below Glance's endpoint."
    )
    stores: list[Store] = resolved(
        _stores,
        "Stores that hold the data; empty where the cloud has only one.",
    )
    locations: list[ImageLocation] | None = strawberry.field(
        description="Every copy of the data; null unless the operator shows them."
    )
    direct_url: str | None = strawberry.field(
        description="Where a copy of the data lies; null unless the operator shows it."
    )
    tasks: list[Task] | None = resolved(
        _tasks,
        (
            "Imports and copies that the token may see, newest last. One call to"
            " Glance per image, so it fails alone: null with an error, such as"
            " `UNSUPPORTED_BY_CLOUD` on clouds that are too old."
        ),
    )
