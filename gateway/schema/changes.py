"""What clients may change: the inputs of the mutations.

`to_glance` converts; it raises InvalidArgument, naming the argument, for what
Glance could not be sent.
"""

from collections.abc import Iterator, Mapping, Sequence

import strawberry
from strawberry import ID, UNSET

from gateway.glance.errors import InvalidArgument
from gateway.glance.patch import Operation, image_patch
from gateway.glance.records import IMAGE_ATTRIBUTES
from gateway.schema.inputs import named
from gateway.schema.names import field_name
from gateway.schema.types.enums import ImageVisibility

# GraphQL's name for an attribute of Glance's, where it is not the camelCase.
_KEYS = {"hidden": "os_hidden"}
_CLEARABLE = frozenset({"name", "disk_format", "container_format", "owner", "tags"})
_NOT_ATTRIBUTES = frozenset({"properties", "set_properties", "remove_properties"})
_CREATE, _UPDATE = "input.properties", "input.setProperties"


@strawberry.input(description="An additional (custom) property to set.")
class PropertyInput:
    """A key that Glance's schema does not name."""

    name: str = strawberry.field(
        description=(
            "The name, at most 255 characters. Names of image attributes, such as"
            " `status`, are refused."
        )
    )
    value: str = strawberry.field(description="The value; Glance knows text only.")


@strawberry.input(
    description="An image to register; what is left out or null is Glance's to choose."
)
class CreateImageInput:
    """The body of `POST /v2/images`."""

    id: ID | None = strawberry.field(
        default=UNSET, description="A UUID of your own; taken or once used: `CONFLICT`."
    )
    name: str | None = strawberry.field(
        default=UNSET, description="At most 255 characters; not unique."
    )
    container_format: str | None = strawberry.field(
        default=UNSET, description="Such as `bare`; needed before data can come."
    )
    disk_format: str | None = strawberry.field(
        default=UNSET, description="Such as `qcow2`; needed before data can come."
    )
    min_disk: int | None = strawberry.field(
        default=UNSET, description="The smallest disk that it boots from, in GiB."
    )
    min_ram: int | None = strawberry.field(
        default=UNSET, description="The least memory that it boots with, in MiB."
    )
    protected: bool | None = strawberry.field(
        default=UNSET, description="Whether it refuses to be deleted."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET, description="Whether lists leave it out."
    )
    visibility: ImageVisibility | None = strawberry.field(
        default=UNSET,
        description="Who may see it; Glance's default is `SHARED`; not `UNKNOWN`.",
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description="At most 128 tags of at most 255 characters."
    )
    properties: list[PropertyInput] | None = strawberry.field(
        default=UNSET, description="Additional properties, at most 128."
    )
    owner: ID | None = strawberry.field(
        default=UNSET, description="The owning project; for administrators."
    )

    def to_glance(self) -> Mapping[str, object]:
        """Return the image as Glance's JSON; raises InvalidArgument."""
        given = {key: value for key, value in _given(self) if value is not None}
        return given | _properties(_CREATE, self.properties or ())


@strawberry.input(
    description=(
        "Changes to an image: what is left out stays as it is, null clears what can"
        " be cleared. All of them are made, or none."
    )
)
class UpdateImageInput:
    """A patch of `PATCH /v2/images/{id}`."""

    id: ID = strawberry.field(description="The image.")
    name: str | None = strawberry.field(
        default=UNSET, description="At most 255 characters; null clears it."
    )
    container_format: str | None = strawberry.field(
        default=UNSET, description="Null clears it; cannot change once there is data."
    )
    disk_format: str | None = strawberry.field(
        default=UNSET, description="Null clears it; cannot change once there is data."
    )
    min_disk: int | None = strawberry.field(
        default=UNSET, description="The smallest disk that it boots from, in GiB."
    )
    min_ram: int | None = strawberry.field(
        default=UNSET, description="The least memory that it boots with, in MiB."
    )
    protected: bool | None = strawberry.field(
        default=UNSET, description="Whether it refuses to be deleted."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET, description="Whether lists leave it out."
    )
    visibility: ImageVisibility | None = strawberry.field(
        default=UNSET,
        description="Who may see it; not `UNKNOWN`.",
    )
    owner: ID | None = strawberry.field(
        default=UNSET, description="The owning project; for administrators."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "Replaces all tags: at most 128 of at most 255 characters; null or an"
            " empty list removes them."
        ),
    )
    set_properties: list[PropertyInput] | None = strawberry.field(
        default=UNSET, description="Additional properties to add or to replace."
    )
    remove_properties: list[str] | None = strawberry.field(
        default=UNSET,
        description="Additional properties to remove; one that is missing: `CONFLICT`.",
    )

    def to_glance(self) -> list[Operation]:
        """Return the smallest patch; raises InvalidArgument."""
        attributes = {
            key: _cleared(key, value) for key, value in _given(self) if key != "id"
        }
        set_properties = _properties(_UPDATE, self.set_properties or ())
        removed = _removable(self.remove_properties or (), set_properties)
        return image_patch(
            attributes, set_properties=set_properties, remove_properties=removed
        )


@strawberry.input(description="An image to delete.")
class DeleteImageInput:
    """The argument of `DELETE /v2/images/{id}`."""

    id: ID = strawberry.field(description="The image; a protected one: `FORBIDDEN`.")


@strawberry.input(description="A tag of an image.")
class ImageTagInput:
    """The arguments of Glance's tag route."""

    id: ID = strawberry.field(description="The image.")
    tag: str = strawberry.field(
        description="The tag, at most 255 characters; slashes and accents are fine."
    )


def _given(
    changes: CreateImageInput | UpdateImageInput,
) -> Iterator[tuple[str, object]]:
    """Yield Glance's key and the value of each attribute that is given."""
    for name, value in vars(changes).items():
        if value is not UNSET and name not in _NOT_ATTRIBUTES:
            yield _KEYS.get(name, name), _plain(value)


def _plain(value: object) -> object:
    if value is ImageVisibility.UNKNOWN:
        reason = "UNKNOWN stands for words that Glance can't be sent"
        raise InvalidArgument("input.visibility", reason)
    return value.value if isinstance(value, ImageVisibility) else value


def _cleared(key: str, value: object) -> object:
    """Return what a null of the client's means for the attribute."""
    if value is None and key not in _CLEARABLE:
        raise InvalidArgument(f"input.{field_name(key)}", "null cannot clear it")
    return [] if value is None and key == "tags" else value


def _properties(argument: str, given: Sequence[PropertyInput]) -> dict[str, str]:
    """Return the properties to set; raises InvalidArgument for attributes."""
    properties = named(argument, ((one.name, one.value) for one in given))
    for name in properties:
        _check_property(argument, name)
    return dict(properties)


def _removable(names: Sequence[str], kept: Mapping[str, str]) -> Sequence[str]:
    argument = "input.removeProperties"
    for name in names:
        _check_property(argument, name)
        if name in kept:
            raise InvalidArgument(argument, f"{name!r} is in setProperties, too")
    return [*dict.fromkeys(names)]


def _check_property(argument: str, name: str) -> None:
    if name in IMAGE_ATTRIBUTES:
        reason = f"{name!r} is an attribute of images, not an additional property"
        raise InvalidArgument(argument, reason)
    if argument != _CREATE and name != name.strip():
        reason = f"Glance cannot patch {name!r}: it strips white space"
        raise InvalidArgument(argument, reason)
