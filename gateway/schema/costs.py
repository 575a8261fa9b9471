"""What the fields of the schema cost, in calls to Glance and in values. Pure.

Every field whose resolver can call Glance has a row in COSTS. Fields without a
row are made of what is there already. Every list has a row in VALUES.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from math import ceil

import orjson

from gateway.glance.id_lists import chunks
from gateway.glance.listing import PAGE_MAX_IMAGES
from gateway.limits.field_costs import (
    Circumstances,
    Costs,
    Mark,
    Marks,
    Source,
    Tables,
    Values,
    whole_number,
)
from gateway.reads import IDS_PER_CALL

# Calls that a field makes by itself.
CALLS = "calls"
# Images by id, which are read together.
IMAGES = "images"
# Whether there is a next page, each time that it is selected.
NEXT = "next"
# The image of a payload, each time that it is selected.
READS = "reads"
# Details of stores: one call for all of a request.
STORES = "stores"
# An image's tasks: one call for the image, however often they are selected.
TASKS = "tasks"


def _image(_: Values, below: Marks, __: Circumstances) -> Marks:
    return _of_images(1, below) | {IMAGES: 1}


def _images(given: Values, below: Marks, circumstances: Circumstances) -> Marks:
    first = _first(given)
    if first is None:
        return {}
    wanted = min(first + 1, PAGE_MAX_IMAGES)
    page_images = circumstances.page_images
    calls = _calls_for_pages(wanted, given["after"], page_images)
    next_calls = 1
    parts = _parts(given["filter"])
    if len(parts) > 1:
        next_calls = sum(_calls_for_pages(ids, None, page_images) for ids in parts)
        calls = max(calls, next_calls)
    if first == PAGE_MAX_IMAGES:
        calls += next_calls * below.get(NEXT, 0)
    return _of_images(first, below, calls)


def _first(given: Values) -> int | None:
    """Return how many images are asked for, None where nothing is executed."""
    first = whole_number(given["first"])
    is_valid = first is not None and 0 <= first <= PAGE_MAX_IMAGES
    return first if is_valid else None


def _parts(given: object) -> list[int]:
    """Return how many ids each part of a list may have that a filter asks for.

    It may be read in one, if all of them fit into a URL.
    """
    ids = given.get("id") if isinstance(given, Mapping) else None
    if not isinstance(ids, list):
        return []
    texts = sorted({str(one) for one in ids if isinstance(one, str | int)})
    return [len(part) for part in chunks(texts)]


def _calls_for_pages(wanted: int, after: object, page_images: int) -> int:
    """Return how many calls a list can take.

    After an image without a size the list may be read from its start, and after one
    without an id from the last that has one: the first page shows less. Several
    pages are read again where Glance has lost the place of the last one.
    """
    pages = ceil(wanted / page_images)
    if isinstance(after, str) and _skips(after):
        pages += 1
    return pages if pages == 1 else 2 * pages


def _skips(cursor: str) -> bool:
    """Return whether images may be listed that the cursor's page does not show."""
    try:
        return any(orjson.loads(urlsafe_b64decode(cursor))[2:])
    except (ValueError, TypeError, LookupError):
        return False


def _of_images(count: int, below: Marks, calls: int = 0) -> dict[str, int]:
    """Return the marks of so many images, and of the calls that got them."""
    calls += count * min(1, below.get(TASKS, 0))
    return {CALLS: calls, STORES: below.get(STORES, 0)}


def _call(_: Values, __: Marks, ___: Circumstances) -> Marks:
    return {CALLS: 1}


def _created(_: Values, below: Marks, __: Circumstances) -> Marks:
    return _of_images(1, below, 1)


def _updated(_: Values, below: Marks, __: Circumstances) -> Marks:
    """Return the marks of a patch, or of reads where there is nothing to patch."""
    return _of_images(1, below, max(1, below.get(READS, 0)))


def _tagged(_: Values, below: Marks, __: Circumstances) -> Marks:
    """Return the marks of the tag route with reads, or of a read and a patch."""
    return _of_images(1, below, max(2, 1 + below.get(READS, 0)))


def _changed(_: Values, below: Marks, __: Circumstances) -> Marks:
    """Return the marks of one event."""
    return _of_images(1, below)


def _calls(marks: Marks, circumstances: Circumstances) -> int:
    """Return the calls that an operation needs at most.

    Several images are a list by id for each 50, and a read of each that lists
    leave out; so is one image that came together with those of other requests.
    """
    images = marks.get(IMAGES, 0)
    calls = marks.get(CALLS, 0) + images + min(1, marks.get(STORES, 0))
    if images > 1 or (images and circumstances.is_listed):
        calls += ceil(images / IDS_PER_CALL)
    return calls


COSTS = Costs(
    {
        ("Query", "image"): Source(_image),
        ("Query", "images"): Source(_images, arguments=("first", "after", "filter")),
        ("Query", "stores"): Mark(STORES),
        ("Query", "jsonSchema"): Source(_call),
        ("Mutation", "createImage"): Source(_created),
        ("Mutation", "updateImage"): Source(_updated),
        ("Mutation", "deleteImage"): Source(_call),
        ("Mutation", "addTag"): Source(_tagged),
        ("Mutation", "removeTag"): Source(_tagged),
        ("Subscription", "imageChanged"): Source(_changed),
        ("Subscription", "imagesChanged"): Source(_changed),
        ("Image", "tasks"): Mark(TASKS),
        ("ImagePayload", "image"): Mark(READS),
        ("PageInfo", "hasNextPage"): Mark(NEXT),
        ("Store", "description"): Mark(STORES),
        ("Store", "isDefault"): Mark(STORES),
        ("Store", "isReadOnly"): Mark(STORES),
    },
    _calls,
)


VALUE = "value"


def _listed(items: int) -> Source:
    """Return the cost of a list that has about so many items."""

    def marks(_: Values, below: Marks, __: Circumstances) -> Marks:
        return {VALUE: 1 + items * below.get(VALUE, 1)}

    return Source(marks)


def _page(given: Values, below: Marks, _: Circumstances) -> Marks:
    first = _first(given)
    if first is None:
        return {}
    return {VALUE: 1 + first * below.get(VALUE, 1)}


def _values(marks: Marks, _: Circumstances) -> int:
    return marks.get(VALUE, 0)


# As many items as images of public clouds have, rounded up.
VALUES = Costs(
    {
        ("Query", "images"): Source(_page, arguments=("first",)),
        ("Query", "stores"): _listed(10),
        ("Image", "tags"): _listed(4),
        ("Image", "properties"): _listed(16),
        ("Image", "stores"): _listed(4),
        ("Image", "locations"): _listed(4),
        ("Image", "tasks"): _listed(4),
        ("ImageEvent", "changed"): _listed(4),
        # Counted by the page that they are of.
        ("ImageConnection", "edges"): Mark(VALUE),
        ("ImageConnection", "nodes"): Mark(VALUE),
    },
    _values,
    other=Mark(VALUE),
)

TABLES = Tables(COSTS, VALUES)
