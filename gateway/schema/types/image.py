"""An image and what belongs to it.

The source of every type here is a record of Glance: plain fields read their
key, the others are pure functions of the record.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import ID, UNSET, Parent

from gateway.context import Info
from gateway.execution.derived import derived, from_key, meaning_of, reads
from gateway.glance.errors import MalformedRecord
from gateway.glance.records import (
    ImageRecord,
    LocationRecord,
    StoreRecord,
    TaskRecord,
    additional_properties,
    with_errors,
)
from gateway.glance.values import (
    amount,
    flag,
    malformed,
    store_ids,
    text,
    text_or_json,
    whole_number,
    words,
)
from gateway.schema.types.enums import ImageStatus, ImageVisibility, known
from gateway.schema.types.resolved import resolved
from gateway.schema.types.scalars import BigInt, Json, moment
from gateway.schema.types.store import Store
from gateway.schema.types.task import Task


@strawberry.type(
    description="The digest of an image's data, to verify a download with."
)
class ImageHash:
    """Glance's os_hash_algo and os_hash_value."""

    algorithm: str = strawberry.field(
        description=(
            "The algorithm, by the name that Python's hashlib uses, for"
            " example `sha512`."
        )
    )
    value: str = strawberry.field(description="The digest, hexadecimal.")


@strawberry.type(description="An additional (custom) property of an image.")
class ImageProperty:
    """One key of an image that Glance's schema does not name."""

    name: str = strawberry.field(description="The name, for example `os_distro`.")
    value: str | None = strawberry.field(
        description=(
            "The value. Glance accepts text only; if a cloud sends null,"
            " the value is null, and a number, boolean, list or object is"
            " JSON text."
        )
    )


@derived
def _location_store(location: Parent[LocationRecord]) -> StoreRecord | None:
    metadata: object = location.get("metadata")
    store = text(metadata.get("store")) if isinstance(metadata, dict) else None
    return None if store is None else {"id": store}


@strawberry.type(description="One copy of an image's data.")
class ImageLocation:
    """An entry of Glance's `locations`."""

    url: str = strawberry.field(description="The URL of the data in its store.")
    metadata: Json = strawberry.field(
        description="What the store has recorded about this copy."
    )
    store: Store | None = resolved(
        _location_store,
        ("The store that holds this copy. Null if the cloud has only one store."),
    )


@derived
def _hash(image: Parent[ImageRecord]) -> Mapping[str, object] | None:
    algorithm, value = text(image.get("os_hash_algo")), text(image.get("os_hash_value"))
    if algorithm is None or value is None:
        return None
    return {"algorithm": algorithm, "value": value}


@derived
def _stores(image: Parent[ImageRecord]) -> Sequence[StoreRecord]:
    return [{"id": store} for store in store_ids(image.get("stores"))]


@derived
def _locations(
    image: Parent[ImageRecord],
) -> Sequence[LocationRecord | MalformedRecord] | None:
    locations: object = image.get("locations")
    if locations is None:
        return None
    if not isinstance(locations, list):
        raise malformed(image, "locations")
    return [_location(image, location) for location in locations]


def _location(image: ImageRecord, location: object) -> LocationRecord | MalformedRecord:
    """Return a location with its metadata, or why it cannot be shown."""
    url = location.get("url") if isinstance(location, dict) else None
    if not isinstance(location, dict) or not isinstance(url, str):
        return malformed(image, "location")
    metadata = location.get("metadata")
    return {"url": url, "metadata": {} if metadata is None else metadata}


Names = Annotated[
    list[str] | None,
    strawberry.argument(description="Return only properties with these names."),
]
Prefix = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "Return only properties whose names begin with this, for example `hw_`."
        )
    ),
]
Name = Annotated[
    str,
    strawberry.argument(description="The property's name, for example `os_distro`."),
]


@derived
def _properties(
    image: Parent[ImageRecord], names: Names = UNSET, prefix: Prefix = UNSET
) -> Sequence[Mapping[str, object]]:
    return [
        {"name": name, "value": text_or_json(value)}
        for name, value in additional_properties(image).items()
        if (not isinstance(names, list) or name in names)
        and (not prefix or name.startswith(prefix))
    ]


@derived
def _property(image: Parent[ImageRecord], name: Name) -> str | None:
    return text_or_json(additional_properties(image).get(name))


@reads("self")
def _self(image: Parent[ImageRecord]) -> str:
    return _text_or(image.get("self"), f"/v2/images/{image['id']}")


@reads("file")
def _file(image: Parent[ImageRecord]) -> str:
    return _text_or(image.get("file"), f"/v2/images/{image['id']}/file")


@reads("schema")
def _schema(image: Parent[ImageRecord]) -> str:
    return _text_or(image.get("schema"), "/v2/schemas/image")


def _text_or(value: object, other: str) -> str:
    return value if isinstance(value, str) else other


async def _tasks(
    image: Parent[ImageRecord], info: Info
) -> Sequence[TaskRecord | MalformedRecord] | None:
    tasks = await info.context.loaders.tasks_of_image.load(image["id"])
    return None if tasks is None else with_errors(tasks, "a task", of_image=image["id"])


@strawberry.type(
    description=(
        "A disk image that machines can boot from: metadata, and data"
        " once it has been uploaded or imported."
    )
)
class Image:
    """An image of Glance; its source is an ImageRecord."""

    id: ID = strawberry.field(description="The image's UUID.")
    name: str | None = resolved(
        meaning_of("name", text),
        "The image's name. Not unique; null if the image has none.",
    )
    status: ImageStatus = resolved(
        from_key("status", partial(known, ImageStatus)),
        "The state of an image and its data.",
    )
    status_raw: str | None = resolved(
        meaning_of("status", text_or_json),
        (
            "The status as Glance sent it. Needed only if `status` is"
            " `UNKNOWN`. Null if Glance sent none."
        ),
    )
    visibility: ImageVisibility = resolved(
        from_key("visibility", partial(known, ImageVisibility)),
        "Who can see the image.",
    )
    visibility_raw: str | None = resolved(
        meaning_of("visibility", text_or_json),
        (
            "The visibility as Glance sent it. Needed only if"
            " `visibility` is `UNKNOWN`. Null if Glance sent none."
        ),
    )
    owner: ID | None = resolved(
        meaning_of("owner", text), "The id of the project that owns the image."
    )
    protected: bool = resolved(
        meaning_of("protected", flag, default=False),
        "Whether the image is protected from deletion.",
    )
    hidden: bool = resolved(
        meaning_of("os_hidden", flag, default=False),
        (
            "Whether the image is left out of lists, unless the filter"
            " asks for hidden images."
        ),
    )
    disk_format: str | None = resolved(
        meaning_of("disk_format", text),
        (
            "For example `qcow2` or `raw`. The operator configures which"
            " formats are allowed."
        ),
    )
    container_format: str | None = resolved(
        meaning_of("container_format", text),
        ("For example `bare`. The operator configures which formats are allowed."),
    )
    min_disk: int = resolved(
        meaning_of("min_disk", amount, default=0),
        ("The smallest disk that the image can boot from, in GiB. 0 means any."),
    )
    min_ram: int = resolved(
        meaning_of("min_ram", amount, default=0),
        ("The least memory that the image can boot with, in MiB. 0 means any."),
    )
    size: BigInt | None = resolved(
        meaning_of("size", whole_number),
        "Size of the stored data in bytes. Null until there is data.",
    )
    virtual_size: BigInt | None = resolved(
        meaning_of("virtual_size", whole_number),
        (
            "Size of the disk inside the image in bytes. Null if Glance"
            " does not know it."
        ),
    )
    checksum: str | None = resolved(
        meaning_of("checksum", text),
        (
            "MD5 digest of the data, hexadecimal. Kept for old clients;"
            " use `hash` instead."
        ),
    )
    hash: ImageHash | None = resolved(
        _hash, "Digest of the data. Null until there is data."
    )
    tags: list[str] = resolved(
        meaning_of("tags", words), "Tags, in no particular order."
    )
    properties: list[ImageProperty] = resolved(
        _properties,
        ("Additional (custom) properties. With both arguments, those that match both."),
    )
    property: str | None = resolved(
        _property,
        ("The value of one additional property. Null if it is not set."),
    )
    created_at: datetime | None = resolved(
        meaning_of("created_at", moment),
        "When the image was created. Null if Glance sent no time.",
    )
    updated_at: datetime | None = resolved(
        meaning_of("updated_at", moment),
        ("When the image was last changed. Null if Glance sent no time."),
    )
    self: str = resolved(_self, "Path of the image, relative to Glance's endpoint.")
    file: str = resolved(
        _file, "Path of the image's data, relative to Glance's endpoint."
    )
    schema: str = resolved(
        _schema, ("Path of the JSON schema for images, relative to Glance's endpoint.")
    )
    stores: list[Store] = resolved(
        _stores,
        ("The stores that hold the data. Empty if the cloud has only one store."),
    )
    locations: list[ImageLocation | None] | None = resolved(
        _locations,
        (
            "All copies of the data. Null unless the operator has made"
            " locations visible. A malformed location is null, with an"
            " error."
        ),
    )
    direct_url: str | None = resolved(
        meaning_of("direct_url", text),
        ("URL of one copy of the data. Null unless the operator has made it visible."),
    )
    tasks: list[Task | None] | None = resolved(
        _tasks,
        (
            "Imports and copies of the image that the token may see,"
            " newest last. Costs one call to Glance for each image. If"
            " that fails, only this field is null, with an error such as"
            " `UNSUPPORTED_BY_CLOUD` if the cloud is too old. Null without"
            " an error if the image has been deleted meanwhile. A"
            " malformed task is null, with an error."
        ),
    )
