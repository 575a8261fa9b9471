"""The query parameters of image lists: filters, order, pages. Pure.

Glance's operators are `eq:`, `in:` and, for times, `gt:` and the like. Its
default page is 25 images, its largest 1000. The links that it sends lose repeated
parameters, so the next page is always requested by marker.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.glance.errors import GlanceUnavailable, InvalidArgument
from gateway.glance.records import ImageRecord
from gateway.glance.rows import Rows

PAGE_MAX_IMAGES = 1000

Parameter = tuple[str, str]

# The names that `GET /v2/images` reads itself, as parameters of the list or as
# attributes of its own class (glance.db.sqlalchemy.models.Image, Glance 33 on Python
# 3.11): a filter on a property of such a name would silently become another filter.
NOT_PROPERTIES = frozenset(
    {
        "_as_dict",
        "_extra_keys",
        "_is_protocol",
        "_sa_class_manager",
        "_sa_registry",
        "changes-since",
        "checksum",
        "container_format",
        "created_at",
        "delete",
        "deleted",
        "deleted_at",
        "disk_format",
        "get",
        "id",
        "items",
        "iteritems",
        "keys",
        "limit",
        "locations",
        "marker",
        "member_status",
        "members",
        "metadata",
        "min_disk",
        "min_ram",
        "mro",
        "name",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "properties",
        "protected",
        "registry",
        "save",
        "size",
        "sort",
        "sort_dir",
        "sort_key",
        "status",
        "tag",
        "tags",
        "to_dict",
        "update",
        "updated_at",
        "values",
        "virtual_size",
        "visibility",
        "__abstract__",
        "__annotations__",
        "__base__",
        "__bases__",
        "__basicsize__",
        "__call__",
        "__class__",
        "__class_getitem__",
        "__contains__",
        "__delattr__",
        "__dict__",
        "__dictoffset__",
        "__dir__",
        "__doc__",
        "__eq__",
        "__flags__",
        "__format__",
        "__ge__",
        "__getattribute__",
        "__getitem__",
        "__getstate__",
        "__gt__",
        "__hash__",
        "__init__",
        "__init_subclass__",
        "__instancecheck__",
        "__itemsize__",
        "__iter__",
        "__le__",
        "__lt__",
        "__mapper__",
        "__module__",
        "__mro__",
        "__name__",
        "__ne__",
        "__new__",
        "__or__",
        "__orig_bases__",
        "__parameters__",
        "__prepare__",
        "__protected_attributes__",
        "__qualname__",
        "__reduce__",
        "__reduce_ex__",
        "__repr__",
        "__ror__",
        "__setattr__",
        "__setitem__",
        "__sizeof__",
        "__slots__",
        "__str__",
        "__subclasscheck__",
        "__subclasses__",
        "__subclasshook__",
        "__table__",
        "__table_args__",
        "__table_initialized__",
        "__tablename__",
        "__text_signature__",
        "__weakref__",
        "__weakrefoffset__",
    }
)


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """Which images a list contains, and in which order.

    `sort` holds (Glance's sort key, `asc` or `desc`); empty means newest
    first. `ids` restricts the list to images with these ids; empty means any.
    `matches_nothing` is True if a filter names an empty set of values.
    """

    filters: tuple[Parameter, ...] = ()
    sort: tuple[Parameter, ...] = ()
    matches_nothing: bool = False
    ids: tuple[str, ...] = ()

    @property
    def sorts_unsized(self) -> bool:
        """Return whether the list may order images without a size by size."""
        is_ranged = any(name in {"size_min", "size_max"} for name, _ in self.filters)
        return not is_ranged and any(key == "size" for key, _ in self.sort)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a list; the next images of the list follow it.

    `image_id` is the last image with an id before the position, None if there is
    none. `skipped` is how many images without an id lie between that image and the
    position. `is_unsized` is True if the image has no size, or a size of 0.
    """

    image_id: str | None
    is_unsized: bool
    skipped: int = 0


START = Position(None, is_unsized=False)


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Images in order; `has_more` is True if Glance names a next page."""

    images: Sequence[ImageRecord]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ListCall:
    """One call for a page.

    Images up to and including `skip_through` are dropped from the page. Then up to
    `skipped` images without an id are dropped from the start of the rest.
    """

    limit: int
    marker: str | None = None
    skip_through: str | None = None
    skipped: int = 0


def equals(value: str) -> str:
    """Return the filter for exactly this value, which may contain colons."""
    return f"eq:{value}"


def one_of(argument: str, values: Sequence[str]) -> str:
    """Return the filter for any of these values.

    Raises InvalidArgument if one of several values contains a double quote, or a
    comma and a backslash at the end of a line: Glance's `in:` cannot express them
    (glance.common.utils.split_filter_value_for_quotes).
    """
    if len(values) == 1:
        return equals(values[0])
    return "in:" + ",".join(_quoted(argument, value) for value in values)


def position_of(record: ImageRecord) -> Position:
    """Return the position after an image in its list."""
    return Position(record["id"], is_unsized=not record.get("size"))


def positions(
    images: Sequence[ImageRecord], start: Position | None
) -> Iterator[Position]:
    """Yield the position after each of the images, which follow `start`."""
    position = start or START
    for image in images:
        if "id" in image:
            position = position_of(image)
        else:
            position = replace(position, skipped=position.skipped + 1)
        yield position


def position_in(
    images: Sequence[ImageRecord], index: int, start: Position | None
) -> Position:
    """Return the position after one of the images, without decoding rows for it.

    `start` is the position that the images follow.
    """
    if isinstance(images, Rows):
        outline = images.outline(index)
        return Position(outline.id, is_unsized=not outline.size)
    return [*positions(images, start)][index]


def next_call(query: ImageQuery, count: int, after: Position | None) -> ListCall:
    """Return the call for the next images, at most `count` of them.

    When it sorts by size, Glance omits or repeats images after a marker without a
    size, or of size 0: it orders a missing number before 0 but compares it as 0,
    and a marker's as an empty string. In this case the call reads the list from
    its start and skips the images before the position.
    """
    if after is None:
        return ListCall(limit=min(count, PAGE_MAX_IMAGES))
    image_id, skipped = after.image_id, after.skipped
    if after.is_unsized and query.sorts_unsized:
        return ListCall(PAGE_MAX_IMAGES, skip_through=image_id, skipped=skipped)
    limit = min(count + skipped, PAGE_MAX_IMAGES)
    return ListCall(limit, marker=image_id, skipped=skipped)


def check_progress(
    call: ListCall, page: ImagePage, images: Sequence[ImageRecord]
) -> None:
    """Raise GlanceUnavailable for a page that was sent before.

    A server that ignores `marker` sends the same page forever. Such a page contains
    the image of the marker, or begins like `images`, the images of all pages so far.
    An image that has changed in between may have moved to this page.
    """
    if call.marker is None:
        return
    beginning = _beginning(images)
    is_repeated = beginning is not None and beginning == _beginning(page.images)
    if is_repeated or call.marker in _ids(page.images):
        message = (
            "Could not list images: Glance has sent the same images again,"
            f" instead of those after {call.marker}."
        )
        raise GlanceUnavailable(message)


def _beginning(images: Sequence[ImageRecord]) -> tuple[str, object] | None:
    """Return the id and time of change of the first image, None without an id."""
    if not images or "id" not in images[0]:
        return None
    return images[0]["id"], images[0].get("updated_at")


def images_after(call: ListCall, page: ImagePage) -> ImagePage:
    """Return the page without the images that the call skips.

    Raises InvalidArgument if they fill the page and more would follow, and if the
    image to skip through is no longer in the list. Raises GlanceUnavailable if the
    page has no image that the list can be continued after.
    """
    if call.skip_through is None and not call.skipped:
        return page
    start = _start_index(call, page)
    start += _leading_without_id(page.images[start : start + call.skipped])
    if start >= len(page.images) and page.has_more:
        message = (
            "Could not list images: Glance's list cannot be continued after"
            f" {call.skipped} images without an id."
        )
        raise GlanceUnavailable(message)
    return ImagePage(page.images[start:], has_more=page.has_more)


def _leading_without_id(images: Sequence[ImageRecord]) -> int:
    has_id = (index for index, image in enumerate(images) if "id" in image)
    return next(has_id, len(images))


def _start_index(call: ListCall, page: ImagePage) -> int:
    """Return the index of the image after the one to skip through."""
    if call.skip_through is None:
        return 0
    ids = [record.get("id") for record in page.images]
    start = ids.index(call.skip_through) + 1 if call.skip_through in ids else len(ids)
    if start == len(ids) and page.has_more:
        reason = (
            "Glance cannot continue an order by size after an image without a"
            f" size, and the first {len(ids)} images do not reach further;"
            " select images that have one with filter: {size: {min: 0}}"
        )
        raise InvalidArgument("orderBy", reason)
    if call.skip_through not in ids:
        reason = f"image {call.skip_through} is not in the list any more"
        raise InvalidArgument("after", reason)
    return start


def parameters(query: ImageQuery, call: ListCall) -> list[Parameter]:
    """Return the query parameters of the call; names may be repeated."""
    result = condition_parameters(query)
    result.append(("limit", str(call.limit)))
    if call.marker is not None:
        result.append(("marker", call.marker))
    return result


def condition_parameters(query: ImageQuery) -> list[Parameter]:
    """Return the query parameters of the filters and the order."""
    result = [*query.filters]
    if query.ids:
        result.append(("id", one_of("filter.id", query.ids)))
    if query.sort:
        result.append(("sort", ",".join(f"{key}:{way}" for key, way in query.sort)))
    return result


def property_filters(argument: str, properties: Mapping[str, str]) -> list[Parameter]:
    """Return filters on the exact values of additional properties.

    Raises InvalidArgument for a name that Glance would not read as a property: a
    parameter or attribute of its own, or a range (`_min`, `_max`).
    """
    for name in properties:
        if name in NOT_PROPERTIES:
            reason = f"{name!r} is a name of Glance's own, not of a property"
            raise InvalidArgument(argument, reason)
        if name.endswith(("_min", "_max")):
            reason = f"Glance takes {name!r} for a range and cannot filter on it"
            raise InvalidArgument(argument, reason)
    return [*properties.items()]


def _ids(images: Sequence[ImageRecord]) -> list[str | None]:
    """Return the images' ids, without decoding rows for them."""
    if isinstance(images, Rows):
        return [images.outline(index).id for index in range(len(images))]
    return [image.get("id") for image in images]


def _quoted(argument: str, value: str) -> str:
    if '"' in value:
        reason = (
            f"Glance cannot look for {value!r} among several values because of"
            " its double quote; ask for it alone"
        )
        raise InvalidArgument(argument, reason)
    # Inside of quotes Glance reads a backslash with the character after it,
    # and no line end as a character.
    if not value.endswith("\\") and "\\\n" not in value:
        return f'"{value}"'
    if "," in value:
        reason = (
            f"Glance cannot look for {value!r} among several values because of its"
            " comma and its backslash at the end of a line; ask for it alone"
        )
        raise InvalidArgument(argument, reason)
    return value
