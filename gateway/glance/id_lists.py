"""Splits lists by more ids than fit into one URL, and merges their images. Pure.

nginx and Apache accept request lines of 8 KiB unless their operators set more.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import NoneType
from urllib.parse import quote_plus, urlencode

from gateway.glance.errors import InvalidArgument
from gateway.glance.listing import (
    ImagePage,
    ImageQuery,
    Parameter,
    Position,
    condition_parameters,
)
from gateway.glance.records import ImageRecord

# With method, path, limit and marker a request line is below 8 KiB.
QUERY_MAX_CHARACTERS = 7500
# Of one part of a list that is split; 133 UUIDs.
IDS_MAX_CHARACTERS = 6000

# The quotes and the comma of an id in `in:"...","..."`, quoted for a URL.
_AROUND_ID_CHARACTERS = len("%22%22%2C")

_TIMES = frozenset({"created_at", "updated_at"})
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+")

Fold = Callable[[str], str]
Images = list[ImageRecord]


def parts_of(query: ImageQuery) -> Sequence[ImageQuery]:
    """Return queries that fit into a URL each and together list the same images."""
    if not query.ids or _characters(query) <= QUERY_MAX_CHARACTERS:
        return [query]
    return [replace(query, ids=ids) for ids in chunks(query.ids)]


def chunks(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the ids in groups that fit into the URL of one part each."""
    groups: list[list[str]] = []
    room = 0
    for one in ids:
        needed = len(quote_plus(one)) + _AROUND_ID_CHARACTERS
        if not groups or needed > room:
            groups.append([])
            room = IDS_MAX_CHARACTERS
        groups[-1].append(one)
        room -= needed
    return [tuple(group) for group in groups]


def check_length(query: ImageQuery, argument_of: Callable[[str], str]) -> None:
    """Raise InvalidArgument for a query that cannot be split to fit into URLs.

    `argument_of` returns the GraphQL argument of one of Glance's parameters.
    """
    if _characters(query) <= QUERY_MAX_CHARACTERS:
        return
    longest = max(query.ids, key=len, default="")
    if len(quote_plus(longest)) + _AROUND_ID_CHARACTERS > IDS_MAX_CHARACTERS:
        raise _too_long("filter.id", IDS_MAX_CHARACTERS)
    others = condition_parameters(replace(query, ids=()))
    room = QUERY_MAX_CHARACTERS - (IDS_MAX_CHARACTERS if query.ids else 0)
    if len(urlencode(others)) > room:
        raise _too_long(argument_of(_longest_name(others)), room)


def merged(query: ImageQuery, parts: Sequence[Sequence[ImageRecord]]) -> Images:
    """Return the images of all parts in the order of the query.

    Databases differ in how they order names, missing values and images of the same
    second. The order is the first known one that all parts follow. Images without an
    id, or with a malformed value to sort by, come last. Raises InvalidArgument if the
    parts follow no known order.
    """
    is_sortable = partial(_is_sortable, [name for name, _ in query.sort])
    listed = [[image for image in part if is_sortable(image)] for part in parts]
    others = [image for part in parts for image in part if not is_sortable(image)]
    together = {image["id"]: image for part in listed for image in part}
    for in_order in _orders(query.sort):
        if all(_ids(in_order(part)) == _ids(part) for part in listed):
            return in_order([*together.values()]) + others
    reason = (
        f"{len(query.ids)} ids do not fit into one URL ({IDS_MAX_CHARACTERS}"
        " characters), and the order of this cloud's database cannot be kept over"
        " several: ask for fewer"
    )
    raise InvalidArgument("filter.id", reason)


def page_after(images: Images, count: int, after: Position | None) -> ImagePage:
    """Return the next images of a complete list.

    Raises InvalidArgument if the image of the position is no longer in the list.
    """
    start = after.skipped if after is not None else 0
    if after is not None and after.image_id is not None:
        ids = _ids(images)
        if after.image_id not in ids:
            reason = f"image {after.image_id} is not in the list any more"
            raise InvalidArgument("after", reason)
        start += ids.index(after.image_id) + 1
    end = start + count
    return ImagePage(images[start:end], has_more=end < len(images))


def _orders(sort: Sequence[Parameter]) -> Iterator[Callable[[Images], Images]]:
    """Yield the orders that databases may use for these keys.

    Glance appends the time of creation and the id, in the direction of a single
    key, else descending (glance.db.sqlalchemy.api).
    """
    direction = sort[0][1] if len(sort) == 1 else "desc"
    names = {name for name, _ in sort}
    more = [(one, direction) for one in ("created_at", "id") if one not in names]
    whole = [*sort, *more]
    # Times are shown in seconds, and some databases order by fractions of them.
    by_second = whole[:-1] if "id" not in names else whole
    for fold in (str, str.casefold, _without_accents):
        for null_rank in (-1, 1):
            for keys in (whole, by_second):
                yield _order(keys, fold, null_rank)


def _order(
    keys: Sequence[Parameter], fold: Fold, null_rank: int
) -> Callable[[Images], Images]:
    """Return a function that orders images by the keys, the first one first."""

    def in_order(images: Images) -> Images:
        ordered = list(images)
        for name, direction in reversed(keys):
            key = partial(_comparable, name, fold, null_rank)
            ordered.sort(key=key, reverse=direction == "desc")
        return ordered

    return in_order


def _is_sortable(names: Sequence[str], image: ImageRecord) -> bool:
    """Return whether the values that an image is sorted by have their types."""
    values = {name: image.get(name) for name in (*names, "created_at", "id")}
    times = [value for name, value in values.items() if name in _TIMES]
    are_plain = all(type(one) in {str, int, NoneType} for one in values.values())
    are_times = all(isinstance(one, str) and _TIME.match(one) for one in times)
    return are_plain and are_times and type(values["id"]) is str


def _comparable(
    name: str, fold: Fold, null_rank: int, image: ImageRecord
) -> tuple[int, float, str]:
    value = image.get(name)
    if value is None:
        return null_rank, 0, ""
    if isinstance(value, int | float):
        return 0, value, ""
    return 0, 0, fold(str(value))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def _ids(images: Images) -> list[str | None]:
    return [image.get("id") for image in images]


def _characters(query: ImageQuery) -> int:
    return len(urlencode(condition_parameters(query)))


def _longest_name(parameters: Sequence[Parameter]) -> str:
    """Return the name whose values together take the most characters of a URL."""
    lengths: dict[str, int] = {}
    for name, value in parameters:
        lengths[name] = lengths.get(name, 0) + len(urlencode([(name, value)]))
    return max(lengths, key=lengths.__getitem__)


def _too_long(argument: str, max_characters: int) -> InvalidArgument:
    reason = f"is longer than {max_characters} characters in Glance's URL"
    return InvalidArgument(argument, reason)
