"""Lists by more ids than one URL holds, before a server with nginx's limits."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.recorded import recorded_json
from tests.support.error_pages import nginx
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.images import create_image, date_images, glance_rest

PAGE = """query ($orderBy: [ImageOrder!], $filter: ImageFilter, $after: String,
    $first: Int!) {
    images(first: $first, orderBy: $orderBy, filter: $filter, after: $after) {
        nodes { id name } pageInfo { hasNextPage endCursor } } }"""
CHANGED = """subscription ($filter: ImageFilter) {
    imagesChanged(filter: $filter) { kind } }"""

TOKEN = f"alice:project-{uuid4()}:member,reader"
NAMES = ["b", None, "A", "a", "B", "é", "e", None, "z", "a", "_", "10", "9", "f"]
# Of some images equal to the second, of some different in a fraction of it.
TIMES = [f"2026-01-0{1 + n % 3} 12:00:00.{n % 5}00000" for n in range(len(NAMES))]
ORDERS = [
    "NAME",
    "STATUS",
    "CONTAINER_FORMAT",
    "DISK_FORMAT",
    "SIZE",
    "ID",
    "CREATED_AT",
    "UPDATED_AT",
]
LINE_MAX_BYTES = 8192


@pytest.fixture(scope="module")
def rest(glance_port: int, glance_data: Path) -> Iterator[httpx.Client]:
    """Return a client for Glance's REST whose project has the images."""
    with glance_rest(glance_port, TOKEN) as client:
        ids = [create_image(client, name=name) for name in NAMES]
        date_images(glance_data, zip(TIMES, TIMES[::-1], ids, strict=True))
        yield client


@pytest.fixture
def ids(rest: httpx.Client) -> list[str]:
    """Return 300 ids, of which the images have some."""
    listed = rest.get("/images", params={"visibility": "shared"}).json()["images"]
    own = [image["id"] for image in listed]
    return [*own, *(str(uuid4()) for _ in range(300 - len(own)))]


@pytest.fixture(autouse=True)
def limited(double: GlanceDouble) -> None:
    """Let the double take request lines as long as nginx does by default."""

    def script(received: Received) -> Reply | None:
        line = f"{received.method} {received.target} HTTP/1.1\r\n"
        is_too_long = len(line) > LINE_MAX_BYTES
        return nginx(414, "Request-URI Too Large") if is_too_long else None

    double.script = script


def walked(gateway: Gateway, first: int, **variables: Json) -> list[Json]:
    """Return the images of all pages."""
    images, page = [], {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        data = gateway.data(
            PAGE, token=TOKEN, first=first, after=page["endCursor"], **variables
        )
        images += data["images"]["nodes"]
        page = data["images"]["pageInfo"]
    return images


@pytest.mark.parametrize("field", ORDERS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_images_are_in_glances_order_page_by_page(
    gateway: Gateway, rest: httpx.Client, ids: list[str], field: str, direction: str
) -> None:
    """However many calls a list by ids takes, it is the list that one call gives."""
    order = {"visibility": "shared", "sort": f"{field.lower()}:{direction}"}
    whole = rest.get("/images", params=order).json()["images"]

    images = walked(
        gateway,
        4,
        filter={"id": ids},
        orderBy=[{"field": field, "direction": direction.upper()}],
    )

    # Images of one second may be in either order: that is all that is shown of it.
    shown = {one["id"]: (one[field.lower()], one["created_at"]) for one in whole}
    assert sorted(one["id"] for one in images) == sorted(shown)
    assert [shown[one["id"]] for one in images] == [*shown.values()]


def test_three_hundred_ids_are_a_few_calls_at_a_time(
    gateway: Gateway, double: GlanceDouble, ids: list[str]
) -> None:
    """Each call's URL fits into what servers take by default."""
    data = gateway.data(PAGE, token=TOKEN, first=100, filter={"id": ids})

    assert len(data["images"]["nodes"]) == len(NAMES)
    assert data["images"]["pageInfo"]["hasNextPage"] is False
    assert len(double.calls) == 3


def test_ids_that_fit_into_a_url_are_one_call(
    gateway: Gateway, double: GlanceDouble, ids: list[str]
) -> None:
    """Nothing is split that need not be."""
    gateway.data(PAGE, token=TOKEN, first=5, filter={"id": ids[:150]})

    assert len(double.calls) == 1


def test_other_conditions_hold_in_each_part(
    gateway: Gateway, double: GlanceDouble, ids: list[str]
) -> None:
    """A split list is filtered as a whole one."""
    wanted = {"id": ids, "name": {"in": ["a", "é"]}, "visibility": "SHARED"}

    names = [one["name"] for one in walked(gateway, 10, filter=wanted)]

    assert sorted(names) == ["a", "a", "é"]
    assert all(("visibility", "shared") in call.query for call in double.calls)


def test_id_given_twice_is_one_image(gateway: Gateway, ids: list[str]) -> None:
    """A list shows an image once, as Glance's does."""
    images = walked(gateway, 100, filter={"id": [*ids, *ids]})

    assert len(images) == len(NAMES)


def test_page_after_an_image_that_is_gone_is_rejected(
    gateway: Gateway, rest: httpx.Client, ids: list[str]
) -> None:
    """As where Glance is given a marker that is deleted."""
    gone = create_image(rest, name="gone")
    wanted = {"id": [*ids, gone]}
    data = gateway.data(PAGE, token=TOKEN, first=1, filter=wanted)
    rest.delete(f"/images/{gone}")

    error = gateway.error(
        PAGE,
        token=TOKEN,
        first=1,
        filter=wanted,
        after=data["images"]["pageInfo"]["endCursor"],
    )

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "after"


def test_image_without_an_id_is_told_and_the_others_are_shown(
    gateway: Gateway, double: GlanceDouble, ids: list[str]
) -> None:
    """A malformed image costs neither the list nor its pages anything."""
    record = recorded_json("show-image")

    def script(received: Received) -> Reply:
        asked = dict(received.query)["id"]
        malformed = [{"name": "no id"}, {**record, "id": None, "size": "big"}]
        found = [record | {"id": one} for one in ids[:7] if one in asked]
        return json_reply({"images": found + malformed})

    double.script = script
    answers = [
        gateway.answer(PAGE, token=TOKEN, first=first, filter={"id": ids})
        for first in (3, 100)
    ]

    assert [len(one["data"]["images"]["nodes"]) for one in answers] == [3, 13]
    assert answers[1]["data"]["images"]["nodes"][7:] == [None] * 6
    assert len(answers[1]["errors"]) == 6


@pytest.mark.parametrize("created_at", [None, "garbage", 5, []])
def test_image_with_a_malformed_time_does_not_cost_the_order(
    gateway: Gateway, double: GlanceDouble, ids: list[str], created_at: object
) -> None:
    """The order of the others shows how the database orders."""
    record = recorded_json("show-image")

    def script(received: Received) -> Reply:
        asked = dict(received.query)["id"]
        found = [record | {"id": one} for one in sorted(ids[:9])[::-1] if one in asked]
        if found:
            found[len(found) // 2] |= {"created_at": created_at}
        return json_reply({"images": found})

    double.script = script
    document = "query ($filter: ImageFilter) { images(first: 50, filter: $filter) {"
    data = gateway.data(document + " nodes { id } } }", token=TOKEN, filter={"id": ids})

    shown = {node["id"] for node in data["images"]["nodes"]}
    assert shown == set(ids[:9])


def test_part_that_fails_fails_the_list(
    gateway: Gateway, double: GlanceDouble, ids: list[str]
) -> None:
    """A list without one of its parts would look whole."""
    bad = nginx(502, "Bad Gateway")
    double.script = lambda received: bad if ids[0] in received.target else None

    error = gateway.error(PAGE, token=TOKEN, first=5, filter={"id": ids})

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
