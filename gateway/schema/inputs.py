"""Which images a list holds, and in which order, as clients ask for it.

`to_glance` converts; it raises InvalidArgument, naming the argument, for what
Glance cannot be asked. A filter that is null is a filter not given.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import strawberry
from strawberry import ID, UNSET

from gateway.glance.errors import InvalidArgument
from gateway.glance.id_lists import check_length
from gateway.glance.listing import (
    ImageQuery,
    Parameter,
    one_of,
    property_filters,
)
from gateway.schema.types.enums import (
    ImageOrderField,
    ImageStatus,
    MemberStatusFilter,
    SortDirection,
    VisibilityFilter,
)
from gateway.schema.types.scalars import BigInt

# Arguments by the parameters of Glance's; all others are of filter.properties.
_ARGUMENTS = {
    "name": "filter.name.in",
    "status": "filter.status",
    "disk_format": "filter.diskFormat",
    "container_format": "filter.containerFormat",
    "owner": "filter.owner",
    "tag": "filter.tags",
    "os_hash_value": "filter.hashValue",
    "checksum": "filter.checksum",
    "sort": "orderBy",
}


@strawberry.input(
    one_of=True, description="A condition on a text: exactly one of `eq` and `in`."
)
class StringFilter:
    """Glance's `eq:` and `in:`."""

    eq: str | None = strawberry.field(
        default=UNSET, description="Exactly this text, case-sensitive."
    )
    in_: list[str] | None = strawberry.field(
        default=UNSET,
        name="in",
        description=(
            "Any of these texts. An empty list matches no image. A text"
            " with a double quote is only possible if it is the only one."
        ),
    )

    def values(self) -> Sequence[str]:
        """Return the values of which any will do."""
        return [self.eq] if isinstance(self.eq, str) else self.in_ or []


@strawberry.input(
    one_of=True,
    description=(
        "A condition on a time: exactly one bound, because Glance"
        " accepts one for each attribute. Glance compares with the"
        " stored time, which on some databases is more precise than"
        " the seconds that it shows."
    ),
)
class DateTimeFilter:
    """Glance's comparison operators, by their own names."""

    eq: datetime | None = strawberry.field(
        default=UNSET, description="Exactly this time."
    )
    neq: datetime | None = strawberry.field(
        default=UNSET, description="Any other time."
    )
    gt: datetime | None = strawberry.field(
        default=UNSET, description="Later than this time."
    )
    gte: datetime | None = strawberry.field(
        default=UNSET, description="This time or later."
    )
    lt: datetime | None = strawberry.field(
        default=UNSET, description="Earlier than this time."
    )
    lte: datetime | None = strawberry.field(
        default=UNSET, description="This time or earlier."
    )

    def to_glance(self, argument: str) -> str:
        """Return operator and time, in UTC; raises InvalidArgument."""
        operator, moment = next(
            (name, bound) for name, bound in vars(self).items() if bound
        )
        try:
            utc = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError as error:
            reason = f"{moment.isoformat()} lies outside of the years 1 to 9999 UTC"
            raise InvalidArgument(argument, reason) from error
        return f"{operator}:{utc.isoformat()}Z"


@strawberry.input(description="A range of numbers that includes both bounds.")
class IntRange:
    """Glance's `_min` and `_max` parameters."""

    min: BigInt | None = strawberry.field(default=UNSET, description="The lower bound.")
    max: BigInt | None = strawberry.field(default=UNSET, description="The upper bound.")

    def __post_init__(self) -> None:
        """Take what is not given as null."""
        _clear_unset(self)

    def to_glance(self, name: str) -> Iterator[Parameter]:
        """Yield the bounds that are given."""
        if self.min is not None:
            yield f"{name}_min", str(self.min)
        if self.max is not None:
            yield f"{name}_max", str(self.max)


@strawberry.input(description="A condition on an additional property.")
class PropertyFilter:
    """A query parameter that Glance takes for a property."""

    name: str = strawberry.field(
        description=(
            "The property's name. Names of image attributes, and names"
            " that end in `_min` or `_max`, are `BAD_USER_INPUT`: Glance"
            " would not read them as properties."
        )
    )
    value: str = strawberry.field(description="The exact value, case-sensitive.")


@strawberry.input(
    description=(
        "Which images to list. An image must match all conditions; a"
        " condition that is null is ignored. Without `visibility`,"
        " `memberStatus` and `hidden`, Glance lists public images, the"
        " project's own images, and images shared with the project"
        " that it has accepted. It leaves out other projects'"
        " community images and hidden images."
    )
)
class ImageFilter:
    """The filters of `GET /v2/images`."""

    name: StringFilter | None = strawberry.field(
        default=UNSET, description="The image's name."
    )
    id: list[ID] | None = strawberry.field(
        default=UNSET,
        description=(
            "Any of these ids. More than about 130 cost several calls to"
            " Glance, because servers limit the length of URLs."
        ),
    )
    status: list[ImageStatus] | None = strawberry.field(
        default=UNSET, description="Any of these statuses. `UNKNOWN` is not allowed."
    )
    disk_format: list[str] | None = strawberry.field(
        default=UNSET, description="Any of these disk formats."
    )
    container_format: list[str] | None = strawberry.field(
        default=UNSET, description="Any of these container formats."
    )
    visibility: VisibilityFilter | None = strawberry.field(
        default=UNSET, description="This visibility, or all of them."
    )
    member_status: MemberStatusFilter | None = strawberry.field(
        default=UNSET,
        description=(
            "Of the images that other projects share with this one: those"
            " that it has accepted, rejected or not decided on. By default"
            " accepted ones. Does not affect other images."
        ),
    )
    owner: ID | None = strawberry.field(
        default=UNSET, description="Images of the project with this id."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET,
        description="true: only hidden images. false or null: no hidden images.",
    )
    protected: bool | None = strawberry.field(
        default=UNSET,
        description=("true: only protected images. false: only unprotected images."),
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "All of these tags. Tags that begin or end with white space"
            " are `BAD_USER_INPUT`: Glance cannot filter by them."
        ),
    )
    size: IntRange | None = strawberry.field(
        default=UNSET,
        description=("Size of the data in bytes. Images without data match no range."),
    )
    min_disk: IntRange | None = strawberry.field(
        default=UNSET, description="`minDisk` of the image, in GiB."
    )
    min_ram: IntRange | None = strawberry.field(
        default=UNSET, description="`minRam` of the image, in MiB."
    )
    created_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="When the image was created."
    )
    updated_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="When the image was last changed."
    )
    hash_value: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The digest (`hash.value`) of the data. Finds copies of the same data."
        ),
    )
    checksum: str | None = strawberry.field(
        default=UNSET, description="The MD5 digest (`checksum`) of the data."
    )
    properties: list[PropertyFilter] | None = strawberry.field(
        default=UNSET, description="All of these additional properties."
    )

    def __post_init__(self) -> None:
        """Take what is not given as null."""
        _clear_unset(self)

    def to_glance(self) -> Iterator[Parameter]:
        """Yield Glance's parameters but ids; raises InvalidArgument."""
        for name, argument, values in self._choices():
            yield name, one_of(argument, sorted({*values}))
        yield from self._words()
        yield from self._tags()
        yield from self._ranges()
        yield from self._properties()

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids that are asked for; raises InvalidArgument."""
        ids = sorted({*self.id}) if self.id else []
        if ids:
            one_of("filter.id", ids)
        return tuple(ids)

    @property
    def matches_nothing(self) -> bool:
        """Return whether an empty list of values was asked for."""
        choices = [values for _, _, values in self._choices()]
        return self.id == [] or not all(choices)

    def _choices(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        if self.name is not None:
            yield "name", "filter.name.in", self.name.values()
        if self.status is not None:
            yield "status", "filter.status", [_status_word(one) for one in self.status]
        if self.disk_format is not None:
            yield "disk_format", "filter.diskFormat", self.disk_format
        if self.container_format is not None:
            yield "container_format", "filter.containerFormat", self.container_format

    def _words(self) -> Iterator[Parameter]:
        words: dict[str, str | None] = {
            "visibility": _word(self.visibility),
            "member_status": _word(self.member_status),
            "owner": self.owner,
            "os_hidden": _boolean(self.hidden),
            "protected": _boolean(self.protected),
            "os_hash_value": self.hash_value,
            "checksum": self.checksum,
        }
        for name, word in words.items():
            if word is not None:
                yield name, word

    def _tags(self) -> Iterator[Parameter]:
        for tag in self.tags or ():
            if tag != tag.strip():
                reason = f"Glance cannot look for {tag!r}: it strips white space"
                raise InvalidArgument("filter.tags", reason)
            yield "tag", tag

    def _ranges(self) -> Iterator[Parameter]:
        for name in ("size", "min_disk", "min_ram"):
            bounds: IntRange | None = getattr(self, name)
            if bounds is not None:
                yield from bounds.to_glance(name)
        if self.created_at is not None:
            yield "created_at", self.created_at.to_glance("filter.createdAt")
        if self.updated_at is not None:
            yield "updated_at", self.updated_at.to_glance("filter.updatedAt")

    def _properties(self) -> Sequence[Parameter]:
        argument = "filter.properties"
        wanted = named(
            argument, ((one.name, one.value) for one in self.properties or ())
        )
        return property_filters(argument, wanted)


@strawberry.input(description="A sort key.")
class ImageOrder:
    """One key of Glance's `sort`."""

    field: ImageOrderField = strawberry.field(description="The field to sort by.")
    direction: SortDirection = strawberry.field(
        default=SortDirection.DESC, description="The direction to sort in."
    )


def image_query(
    image_filter: ImageFilter | None, order_by: Sequence[ImageOrder]
) -> ImageQuery:
    """Return the query that Glance is asked; raises InvalidArgument."""
    sort = tuple((str(by.field.value), str(by.direction.value)) for by in order_by)
    query = ImageQuery(sort=sort)
    if image_filter is not None and image_filter.matches_nothing:
        query = ImageQuery(sort=sort, matches_nothing=True)
    elif image_filter is not None:
        filters = tuple(image_filter.to_glance())
        query = ImageQuery(filters=filters, sort=sort, ids=image_filter.ids)
    check_length(query, lambda name: _ARGUMENTS.get(name, "filter.properties"))
    return query


def named(argument: str, pairs: Iterator[tuple[str, str]]) -> Mapping[str, str]:
    """Return names and values; raises InvalidArgument for a name given twice."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidArgument(argument, f"{name!r} is given twice")
        values[name] = value
    return values


def _clear_unset(given: IntRange | ImageFilter) -> None:
    for name, value in vars(given).items():
        if value is UNSET:
            setattr(given, name, None)


def _boolean(value: bool | None) -> str | None:  # noqa: FBT001 - what it converts
    return None if value is None else str(value).lower()


def _word(choice: VisibilityFilter | MemberStatusFilter | None) -> str | None:
    return None if choice is None else str(choice.value)


def _status_word(status: ImageStatus) -> str:
    if status is ImageStatus.UNKNOWN:
        reason = "UNKNOWN stands for words that Glance can't be asked with"
        raise InvalidArgument("filter.status", reason)
    return str(status.value)
