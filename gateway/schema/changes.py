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
            "The name, at most 255 characters. Names of image attributes,"
            " such as `status`, are `BAD_USER_INPUT`."
        )
    )
    value: str = strawberry.field(description="The value. Glance accepts text only.")


@strawberry.input(
    description=(
        "A new image. For a field that is left out or null, Glance"
        " uses its own default."
    )
)
class CreateImageInput:
    """The body of `POST /v2/images`."""

    id: ID | None = strawberry.field(
        default=UNSET,
        description=(
            "The image's id, a UUID that you choose. `CONFLICT` if an"
            " image has it or once had it. By default the id is generated."
        ),
    )
    name: str | None = strawberry.field(
        default=UNSET, description="At most 255 characters. Names need not be unique."
    )
    container_format: str | None = strawberry.field(
        default=UNSET,
        description=(
            "For example `bare`. Must be set before data can be uploaded or imported."
        ),
    )
    disk_format: str | None = strawberry.field(
        default=UNSET,
        description=(
            "For example `qcow2`. Must be set before data can be uploaded or imported."
        ),
    )
    min_disk: int | None = strawberry.field(
        default=UNSET,
        description="The smallest disk that the image can boot from, in GiB.",
    )
    min_ram: int | None = strawberry.field(
        default=UNSET,
        description="The least memory that the image can boot with, in MiB.",
    )
    protected: bool | None = strawberry.field(
        default=UNSET, description="Whether the image is protected from deletion."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET, description="Whether the image is left out of lists by default."
    )
    visibility: ImageVisibility | None = strawberry.field(
        default=UNSET,
        description=(
            "Who can see the image. Glance's default is `SHARED`."
            " `UNKNOWN` is not allowed."
        ),
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description="At most 128 tags, each of at most 255 characters."
    )
    properties: list[PropertyInput] | None = strawberry.field(
        default=UNSET, description="Additional properties, at most 128."
    )
    owner: ID | None = strawberry.field(
        default=UNSET,
        description=(
            "The id of the project that owns the image. Only"
            " administrators may set another project than the token's."
        ),
    )

    def to_glance(self) -> Mapping[str, object]:
        """Return the image as Glance's JSON; raises InvalidArgument."""
        given = {key: value for key, value in _given(self) if value is not None}
        return given | _properties(_CREATE, self.properties or ())


@strawberry.input(
    description=(
        "Changes to an image. Fields that are left out keep their"
        " values. Glance applies all changes or none."
    )
)
class UpdateImageInput:
    """A patch of `PATCH /v2/images/{id}`."""

    id: ID = strawberry.field(description="The image.")
    name: str | None = strawberry.field(
        default=UNSET, description="At most 255 characters. Null removes the name."
    )
    container_format: str | None = strawberry.field(
        default=UNSET,
        description="Null clears it. Cannot be changed once there is data.",
    )
    disk_format: str | None = strawberry.field(
        default=UNSET,
        description="Null clears it. Cannot be changed once there is data.",
    )
    min_disk: int | None = strawberry.field(
        default=UNSET,
        description="The smallest disk that the image can boot from, in GiB.",
    )
    min_ram: int | None = strawberry.field(
        default=UNSET,
        description="The least memory that the image can boot with, in MiB.",
    )
    protected: bool | None = strawberry.field(
        default=UNSET, description="Whether the image is protected from deletion."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET, description="Whether the image is left out of lists by default."
    )
    visibility: ImageVisibility | None = strawberry.field(
        default=UNSET,
        description="Who can see the image. `UNKNOWN` is not allowed.",
    )
    owner: ID | None = strawberry.field(
        default=UNSET,
        description=(
            "The id of the project that owns the image. Only"
            " administrators may set another project than the token's."
        ),
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "Replaces all tags: at most 128, each of at most 255"
            " characters. Null or an empty list removes all tags."
        ),
    )
    set_properties: list[PropertyInput] | None = strawberry.field(
        default=UNSET, description="Additional properties to add or replace."
    )
    remove_properties: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "Names of additional properties to remove. `CONFLICT` if the"
            " image does not have one of them."
        ),
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


@strawberry.input(description="Which image to delete.")
class DeleteImageInput:
    """The argument of `DELETE /v2/images/{id}`."""

    id: ID = strawberry.field(
        description=("The image's id. A protected image is not deleted: `FORBIDDEN`.")
    )


@strawberry.input(description="An image and a tag.")
class ImageTagInput:
    """The arguments of Glance's tag route."""

    id: ID = strawberry.field(description="The image.")
    tag: str = strawberry.field(
        description=("The tag, at most 255 characters. May have slashes and accents.")
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
