"""Pages of a list: where they begin and end, and what Glance is asked for them."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import httpx
import pytest

from gateway.glance.listing import Parameter
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.images import create_image, glance_rest

ARGUMENTS = "$first: Int! = 25, $after: String, $filter: ImageFilter"
PAGE = f"""query ({ARGUMENTS}, $orderBy: [ImageOrder!]) {{
    images(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{
        edges {{ cursor node {{ name }} }} nodes {{ name }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
NODES = f"""query ({ARGUMENTS}) {{
    images(first: $first, after: $after, filter: $filter) {{ nodes {{ name }} }} }}"""

TOKEN = f"alice:project-{uuid4()}:member,reader"
SHARED = {"visibility": "SHARED"}
NAMES = ["five", "four", "three", "two", "one"]


@pytest.fixture(scope="module")
def ids(glance_port: int) -> Mapping[str, str]:
    """Register five images, `one` first, and return their ids by name."""
    with glance_rest(glance_port, TOKEN) as rest:
        return {name: create_image(rest, name=name) for name in reversed(NAMES)}


@pytest.fixture(scope="module")
def cursors(
    shared_gateway: Gateway, shared_double: GlanceDouble, ids: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the cursors of the five images by name."""
    shared_double.reset()
    page = page_of(shared_gateway, TOKEN)
    assert len(page["edges"]) == len(ids)
    return {edge["node"]["name"]: edge["cursor"] for edge in page["edges"]}


@pytest.mark.parametrize(
    ("first", "after", "names", "has_next"),
    [
        pytest.param(2, None, ["five", "four"], True, id="first page"),
        pytest.param(2, "four", ["three", "two"], True, id="second page"),
        pytest.param(2, "two", ["one"], False, id="last page"),
        pytest.param(2, "one", [], False, id="after the last page"),
        pytest.param(5, None, NAMES, False, id="all, exactly"),
        pytest.param(4, None, NAMES[:4], True, id="all but one"),
        pytest.param(1000, None, NAMES, False, id="all and more"),
        pytest.param(2, "three", ["two", "one"], False, id="rest, exactly"),
        pytest.param(0, None, [], True, id="none of some"),
        pytest.param(0, "two", [], True, id="none of one"),
        pytest.param(0, "one", [], False, id="none of none"),
    ],
)
def test_page_holds_its_images_and_tells_what_lies_around_them(
    gateway: Gateway,
    cursors: Mapping[str, str],
    *,
    first: int,
    after: str | None,
    names: list[str],
    has_next: bool,
) -> None:
    """Nodes, edges and page info are those of Relay's connections."""
    cursor = None if after is None else cursors[after]

    page = page_of(gateway, TOKEN, first=first, after=cursor)

    around = {"hasNextPage": has_next, "hasPreviousPage": after is not None}
    assert page == connection({name: cursors[name] for name in names}, around)


@pytest.mark.parametrize(
    ("first", "after", "asked"),
    [
        pytest.param(2, None, [("limit", "3")], id="first page"),
        pytest.param(2, "four", [("limit", "3"), ("marker", "four")], id="next page"),
        pytest.param(5, None, [("limit", "6")], id="all"),
        pytest.param(0, None, [("limit", "1")], id="none"),
        pytest.param(999, None, [("limit", "1000")], id="999"),
        pytest.param(1000, None, [("limit", "1000")], id="1000"),
    ],
)
def test_page_is_one_call_for_one_image_more(
    gateway: Gateway,
    double: GlanceDouble,
    ids: Mapping[str, str],
    cursors: Mapping[str, str],
    *,
    first: int,
    after: str | None,
    asked: list[Parameter],
) -> None:
    """The image that follows tells that the list goes on."""
    cursor = None if after is None else cursors[after]

    page_of(gateway, TOKEN, first=first, after=cursor)

    sent = [(key, ids.get(value, value)) for key, value in asked]
    assert [call.query for call in double.calls] == [[("visibility", "shared"), *sent]]


def test_page_without_arguments_holds_25_images(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Null arguments are arguments not given."""
    double.play(json_reply({"images": [record() for _ in range(26)]}))

    page = gateway.data(PAGE, token=TOKEN, after=None, filter=None, orderBy=None)

    assert len(page["images"]["nodes"]) == 25
    assert [call.query for call in double.calls] == [[("limit", "26")]]


@pytest.mark.parametrize("first", [-1, 1001, 2**31 - 1])
def test_page_of_a_wrong_size_is_refused(
    gateway: Gateway, double: GlanceDouble, first: int
) -> None:
    """A page holds 0 to 1000 images."""
    error = gateway.error(PAGE, token=TOKEN, first=first)

    assert error["message"] == f"first: must be 0 to 1000, not {first}"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "first"
    assert double.calls == []


def test_page_of_no_image_has_no_cursors(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Where nothing can match, Glance is not asked what follows either."""
    page = page_of(gateway, TOKEN, filter={"id": []})

    around = {"hasNextPage": False, "hasPreviousPage": False}
    assert page == connection({}, around)
    assert double.calls == []


def test_image_registered_between_two_pages_shifts_nothing(
    gateway: Gateway, token: str, rest: httpx.Client
) -> None:
    """A page goes on after the image of its cursor, whatever came before it."""
    for name in ("one", "two"):
        create_image(rest, name=name)
    first_page = page_of(gateway, token, first=1)
    create_image(rest, name="three")

    page = page_of(gateway, token, after=first_page["pageInfo"]["endCursor"])

    assert page["nodes"] == [{"name": "one"}]


def test_largest_page_is_one_call_where_nobody_asks_what_follows(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """1000 images and no more are asked for."""
    double.play(LARGEST_PAGE)

    answer = gateway.data(NODES, token=TOKEN, first=1000)

    assert len(answer["images"]["nodes"]) == 1000
    assert [call.query for call in double.calls] == [[("limit", "1000")]]


@pytest.mark.parametrize("following", [1, 0])
def test_what_follows_the_largest_page_is_a_call_of_its_own(
    gateway: Gateway, double: GlanceDouble, following: int
) -> None:
    """After a page that Glance fills, one image more is asked for."""
    double.play(LARGEST_PAGE, json_reply({"images": [record()] * following}))

    page = gateway.data(PAGE, token=TOKEN, first=1000)["images"]

    assert page["pageInfo"]["hasNextPage"] is bool(following)
    peek = [("limit", "1"), ("marker", LAST["id"])]
    assert [call.query for call in double.calls] == [[("limit", "1000")], peek]


def test_largest_page_that_glance_does_not_continue_is_the_last(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Without a `next` of Glance nothing follows, and it is not asked again."""
    double.play(json_reply({"images": [record() for _ in range(1000)]}))

    page = gateway.data(PAGE, token=TOKEN, first=1000)["images"]

    assert page["pageInfo"]["hasNextPage"] is False
    assert [call.query for call in double.calls] == [[("limit", "1000")]]


@pytest.mark.parametrize("link", [None, "", False, {}])
def test_page_whose_next_is_no_link_is_the_last(
    gateway: Gateway, double: GlanceDouble, link: Json
) -> None:
    """Some servers send `next: null` with the last page."""
    double.play(json_reply({"images": [record()], "next": link}))

    page = gateway.data(PAGE, token=TOKEN)["images"]

    assert len(page["nodes"]) == 1
    assert page["pageInfo"]["hasNextPage"] is False
    assert [call.query for call in double.calls] == [[("limit", "26")]]


@pytest.mark.parametrize("first", [3, 4, 8, 1000])
def test_walk_over_a_page_that_comes_again_ends_with_an_error(
    gateway: Gateway, double: GlanceDouble, first: int
) -> None:
    """A server that ignores `marker` and caps its pages shows no image twice."""
    images = [record() for _ in range(3)]

    def script(received: Received) -> Reply:
        limit = int(dict(received.query)["limit"])
        return json_reply({"images": images[:limit], "next": "/v2/images?marker=x"})

    double.script = script
    error = gateway.error(PAGE, token=TOKEN, first=first)

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert error["message"] == (
        "Could not list images: Glance has sent the same images again, instead of"
        f" those after {images[-1]['id']}."
    )
    assert len(double.calls) == 2


def test_cursor_that_a_server_ignores_ends_with_an_error(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The page after a cursor does not hold the cursor's image."""
    images = [record() for _ in range(3)]
    double.always(json_reply({"images": images, "next": "/v2/images?marker=x"}))
    page = gateway.data(PAGE, token=TOKEN, first=2)["images"]

    cursor = page["pageInfo"]["endCursor"]
    error = gateway.error(PAGE, token=TOKEN, first=2, after=cursor)

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert images[1]["id"] in error["message"]


def test_page_without_images_is_the_last_whatever_glance_says(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A `next` that leads nowhere is not followed in circles."""
    double.play(json_reply({"images": [], "next": "/v2/images?marker=x"}))

    page = gateway.data(PAGE, token=TOKEN)["images"]

    around = {"hasNextPage": False, "hasPreviousPage": False}
    assert page == connection({}, around)
    assert [call.query for call in double.calls] == [[("limit", "26")]]


def page_of(gateway: Gateway, token: str, **arguments: Json) -> Json:
    """Return a page of the shared images, which are the project's own."""
    answer = gateway.data(PAGE, token=token, **{"filter": SHARED, **arguments})
    return answer["images"]


def connection(cursors: Mapping[str, str], around: Json) -> Json:
    """Return the page of images given as cursors by name."""
    bounds: Sequence[str | None] = [*cursors.values()] or [None]
    nodes = [{"name": name} for name in cursors]
    return {
        "edges": [
            {"cursor": cursor, "node": node}
            for cursor, node in zip(cursors.values(), nodes, strict=True)
        ],
        "nodes": nodes,
        "pageInfo": {**around, "startCursor": bounds[0], "endCursor": bounds[-1]},
    }


def record() -> dict[str, Json]:
    """Return as much of an image as a page needs."""
    return {"id": str(uuid4()), "name": None, "size": 1}


LAST = record()
LARGEST_PAGE = json_reply(
    {"images": [*(record() for _ in range(999)), LAST], "next": "/v2/images?marker=x"}
)
