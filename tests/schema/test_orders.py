"""In which order images are listed, walked page by page."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from gateway.glance.listing import Parameter
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble, json_reply
from tests.support.images import create_image, date_images, glance_rest

PAGE = """query ($orderBy: [ImageOrder!], $filter: ImageFilter, $after: String) {
    images(first: 2, orderBy: $orderBy, filter: $filter, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""

TOKEN = f"alice:project-{uuid4()}:member,reader"
SHARED = {"visibility": "SHARED"}
SHARED_BY_SIZE = [("visibility", "shared"), ("sort", "size:asc")]

RAW = {"disk_format": "raw", "container_format": "bare"}
# Without name, formats or size; with equal ones; in no order of their own.
IMAGES: list[dict[str, Json]] = [
    {},
    {"name": "b", **RAW, "data": b""},
    {"name": "a", "disk_format": "iso"},
    {"name": "b", **RAW, "data": b"12345"},
    {**RAW, "data": b"1"},
    {"name": "a", **RAW, "data": b""},
    {"name": "c", "container_format": "ovf"},
]

FIELDS = {
    "NAME": "name",
    "STATUS": "status",
    "CONTAINER_FORMAT": "container_format",
    "DISK_FORMAT": "disk_format",
    "SIZE": "size",
    "ID": "id",
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
}
# Days of creation and of change: some are equal, and the two orders differ.
CREATED = [f"2026-01-0{day} 12:00:00.000000" for day in (3, 1, 2, 3, 1, 4, 5)]
UPDATED = [f"2026-02-0{day} 12:00:00.000000" for day in (1, 3, 1, 5, 2, 3, 4)]

each_field = pytest.mark.parametrize("field", FIELDS)
each_direction = pytest.mark.parametrize("direction", ["ASC", "DESC"])


@pytest.fixture(scope="module")
def rest(glance_port: int, glance_data: Path) -> Iterator[httpx.Client]:
    """Return a client for Glance's REST whose project has the images."""
    with glance_rest(glance_port, TOKEN) as client:
        ids = [create_image(client, **image) for image in IMAGES]
        date_images(glance_data, zip(CREATED, UPDATED, ids, strict=True))
        yield client


@each_field
@each_direction
def test_walk_in_any_order_meets_every_image_once(
    gateway: Gateway, rest: httpx.Client, field: str, direction: str
) -> None:
    """Pages together are Glance's own list in that order."""
    order = [{"field": field, "direction": direction}]

    walked = walk(gateway, order)

    assert walked == glance_order(rest, order)


@pytest.mark.parametrize(
    ("first_key", "second_key"),
    [
        (("STATUS", "ASC"), ("SIZE", "DESC")),
        (("STATUS", "DESC"), ("SIZE", "ASC")),
        (("SIZE", "ASC"), ("NAME", "DESC")),
        (("SIZE", "DESC"), ("CREATED_AT", "ASC")),
        (("NAME", "ASC"), ("DISK_FORMAT", "DESC")),
    ],
    ids=str,
)
def test_walk_by_two_keys_meets_every_image_once(
    gateway: Gateway, rest: httpx.Client, first_key: Json, second_key: Json
) -> None:
    """The second key orders what the first one leaves equal."""
    keys = [first_key, second_key]
    order = [{"field": field, "direction": direction} for field, direction in keys]

    walked = walk(gateway, order)

    assert walked == glance_order(rest, order)


def test_walk_without_order_is_newest_first(
    gateway: Gateway, rest: httpx.Client
) -> None:
    """Without orderBy the list is Glance's own: newest first."""
    walked = walk(gateway, [])

    assert walked == glance_order(rest, [{"field": "CREATED_AT", "direction": "DESC"}])


@each_direction
def test_walk_by_size_of_images_that_have_one_meets_every_image_once(
    gateway: Gateway, rest: httpx.Client, double: GlanceDouble, direction: str
) -> None:
    """Without images that have no size, markers are enough."""
    order = [{"field": "SIZE", "direction": direction}]
    wanted = {**SHARED, "size": {"min": 0}}

    walked = walk(gateway, order, wanted)

    assert walked == glance_order(rest, order, size_min="0")
    assert [dict(call.query)["limit"] for call in double.calls] == ["3", "3"]


@each_field
@each_direction
def test_order_is_asked_of_glance(
    gateway: Gateway, double: GlanceDouble, field: str, direction: str
) -> None:
    """Glance sorts: it is asked with its own key and direction."""
    double.play(json_reply({"images": []}))

    walk(gateway, [{"field": field, "direction": direction}], None)

    asked = [("sort", f"{FIELDS[field]}:{direction.lower()}"), ("limit", "3")]
    assert [call.query for call in double.calls] == [asked]


@pytest.mark.parametrize(
    ("order", "asked"),
    [
        (None, []),
        ([], []),
        ([{"field": "NAME"}], [("sort", "name:desc")]),
        (
            [{"field": "SIZE"}, {"field": "ID", "direction": "ASC"}],
            [("sort", "size:desc,id:asc")],
        ),
    ],
    ids=["null", "empty", "no direction", "two keys"],
)
def test_orders_are_asked_with_one_parameter(
    gateway: Gateway, double: GlanceDouble, order: Json, asked: list[Parameter]
) -> None:
    """No key is no order, no direction is descending, several keys are one sort."""
    double.play(json_reply({"images": []}))

    walk(gateway, order, None)

    assert [call.query for call in double.calls] == [[*asked, ("limit", "3")]]


def test_order_longer_than_a_url_is_refused(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The error names the argument, and Glance is not asked."""
    order = [{"field": "NAME"}] * 1000

    error = gateway.error(PAGE, token=TOKEN, orderBy=order)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "orderBy"
    assert double.calls == []


@pytest.mark.usefixtures("rest")
def test_order_by_size_is_read_from_its_start_after_an_image_without_size(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Markers serve where Glance keeps its own order: after images with bytes."""
    order = [{"field": "SIZE", "direction": "ASC"}]

    walked = walk(gateway, order)

    asked = [*SHARED_BY_SIZE, ("limit", "1000")]
    by_marker = [*SHARED_BY_SIZE, ("limit", "3"), ("marker", walked[5])]
    first = [*SHARED_BY_SIZE, ("limit", "3")]
    assert [call.query for call in double.calls] == [first, asked, asked, by_marker]


def walk(gateway: Gateway, order: Json, wanted: Json = SHARED) -> list[str]:
    """Return the ids of all pages of two images."""
    ids: list[str] = []
    after = None
    while True:
        answer = gateway.data(
            PAGE, token=TOKEN, orderBy=order, filter=wanted, after=after
        )
        page = answer["images"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"] or len(ids) > len(IMAGES):
            return ids
        after = page["pageInfo"]["endCursor"]


def glance_order(rest: httpx.Client, order: Json, **filters: str) -> list[str]:
    """Return the ids of the same images as one page of Glance."""
    keys = [f"{FIELDS[by['field']]}:{by['direction'].lower()}" for by in order]
    asked = {"visibility": "shared", "sort": ",".join(keys), **filters}
    listed = rest.get("/images", params=asked).raise_for_status()
    return [image["id"] for image in listed.json()["images"]]
