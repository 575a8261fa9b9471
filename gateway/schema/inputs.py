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


@strawberry.input(one_of=True, description="One value, or any of several.")
class StringFilter:
    """Glance's `eq:` and `in:`."""

    eq: str | None = strawberry.field(
        default=UNSET, description="Exactly this; case matters."
    )
    in_: list[str] | None = strawberry.field(
        default=UNSET,
        name="in",
        description=(
            "Any of these; an empty list matches no image. Glance can look for a"
            " value with a double quote only alone."
        ),
    )

    def values(self) -> Sequence[str]:
        """Return the values of which any will do."""
        return [self.eq] if isinstance(self.eq, str) else self.in_ or []


@strawberry.input(
    one_of=True,
    description=(
        "One bound, as Glance takes one for each attribute. It compares with the"
        " stored time, which on some databases is finer than the second it shows."
    ),
)
class DateTimeFilter:
    """Glance's comparison operators, by their own names."""

    eq: datetime | None = strawberry.field(default=UNSET, description="At this time.")
    neq: datetime | None = strawberry.field(
        default=UNSET, description="At any other time."
    )
    gt: datetime | None = strawberry.field(default=UNSET, description="After it.")
    gte: datetime | None = strawberry.field(
        default=UNSET, description="At this time or after it."
    )
    lt: datetime | None = strawberry.field(default=UNSET, description="Before it.")
    lte: datetime | None = strawberry.field(
        default=UNSET, description="At this time or before it."
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


@strawberry.input(description="A range; both ends belong to it.")
class IntRange:
    """Glance's `_min` and `_max` parameters."""

    min: BigInt | None = strawberry.field(default=UNSET, description="At least this.")
    max: BigInt | None = strawberry.field(default=UNSET, description="At most this.")

    def __post_init__(self) -> None:
        """Take what is not given as null."""
        _clear_unset(self)

    def to_glance(self, name: str) -> Iterator[Parameter]:
        """Yield the bounds that are given."""
        if self.min is not None:
            yield f"{name}_min", str(self.min)
        if self.max is not None:
            yield f"{name}_max", str(self.max)


@strawberry.input(description="An exact value of an additional property.")
class PropertyFilter:
    """A query parameter that Glance takes for a property."""

    name: str = strawberry.field(
        description=(
            "The property's name. Names of image attributes, and those that end in"
            " `_min` or `_max`, are refused: Glance would take them for its own."
        )
    )
    value: str = strawberry.field(description="The whole value; case matters.")


@strawberry.input(
    description=(
        "Which images to list; all conditions must hold. Without `visibility`,"
        " `memberStatus` and `hidden`, Glance lists public images, the project's own"
        " and those shared with it that it has accepted, and leaves out community"
        " images of other projects and hidden images."
    )
)
class ImageFilter:
    """The filters of `GET /v2/images`."""

    name: StringFilter | None = strawberry.field(default=UNSET, description="By name.")
    id: list[ID] | None = strawberry.field(
        default=UNSET,
        description=(
            "Any of these UUIDs. More than about 130 are several calls to Glance, as"
            " servers take no longer URLs."
        ),
    )
    status: list[ImageStatus] | None = strawberry.field(
        default=UNSET, description="Any of these states; `UNKNOWN` is refused."
    )
    disk_format: list[str] | None = strawberry.field(
        default=UNSET, description="Any of these disk formats."
    )
    container_format: list[str] | None = strawberry.field(
        default=UNSET, description="Any of these container formats."
    )
    visibility: VisibilityFilter | None = strawberry.field(
        default=UNSET, description="Only this visibility, or all of them."
    )
    member_status: MemberStatusFilter | None = strawberry.field(
        default=UNSET,
        description=(
            "Of the images that others share with the project, those it has answered"
            " so; without it, accepted ones. Other images are listed as ever."
        ),
    )
    owner: ID | None = strawberry.field(
        default=UNSET, description="Owned by this project, as far as the token may see."
    )
    hidden: bool | None = strawberry.field(
        default=UNSET, description="true: hidden images only. Otherwise none of them."
    )
    protected: bool | None = strawberry.field(
        default=UNSET, description="Protected images only, or unprotected ones only."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "All of these tags. Glance can't look for tags that begin or end with"
            " white space: they are refused."
        ),
    )
    size: IntRange | None = strawberry.field(
        default=UNSET,
        description="Size in bytes; images without data match no range.",
    )
    min_disk: IntRange | None = strawberry.field(
        default=UNSET, description="Smallest disk, in GiB."
    )
    min_ram: IntRange | None = strawberry.field(
        default=UNSET, description="Least memory, in MiB."
    )
    created_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By time of creation."
    )
    updated_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By time of the last change."
    )
    hash_value: str | None = strawberry.field(
        default=UNSET,
        description="This digest (`hash.value`) exactly: finds copies of data.",
    )
    checksum: str | None = strawberry.field(
        default=UNSET, description="This MD5 (`checksum`) exactly."
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
        """Tell whether an empty list of values was asked for."""
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


@strawberry.input(description="One key of an order.")
class ImageOrder:
    """One key of Glance's `sort`."""

    field: ImageOrderField = strawberry.field(description="What to order by.")
    direction: SortDirection = strawberry.field(
        default=SortDirection.DESC, description="Which way."
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
