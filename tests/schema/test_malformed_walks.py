"""Walks of a list by cursor, which pass images that have no id."""

from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

TOKEN = "any token will do"
PAGE = """query ($first: Int!, $after: String, $orderBy: [ImageOrder!]) {
    images(first: $first, after: $after, orderBy: $orderBy) {
        edges { cursor node { id } } nodes { id }
        pageInfo { hasNextPage endCursor } } }"""
BY_SIZE = [{"field": "SIZE", "direction": "ASC"}]
# A letter is an image with this id, a dot one without an id.
LISTS = [".a", "a.", ".", "..", "a..b", "..a..b..", "ab...c.d", "abc"]


def glance_with(double: GlanceDouble, letters: str, page_max: int = 1000) -> None:
    """Let Glance have a list of images."""
    rows = [{"name": one} if one == "." else {"id": one} for one in letters]

    def answer(request: Received) -> Reply:
        asked = dict(request.query)
        start = letters.index(asked["marker"]) + 1 if "marker" in asked else 0
        limit = min(int(asked["limit"]), page_max)
        page = rows[start : start + limit]
        more = {"next": "/v2/images?marker=x"} if len(page) == limit else {}
        return json_reply({"images": page, **more})

    double.script = answer


def shown(nodes: list[Any]) -> str:
    """Return what a page shows, as letters."""
    return "".join([node["id"] if node else "." for node in nodes])


def walk(gateway: Gateway, letters: str, **variables: Any) -> str:
    """Return the letters that a walk shows."""
    after, seen = None, ""
    for _ in range(len(letters) + 1):
        result = gateway.answer(PAGE, token=TOKEN, after=after, **variables)
        page = result["data"]["images"]
        missing = shown(page["nodes"]).count(".")
        assert len(result.get("errors", [])) == 2 * missing
        seen += shown(page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
    return seen


@pytest.mark.parametrize("letters", LISTS)
@pytest.mark.parametrize("first", [1, 2, 3, 25])
def test_walk_shows_each_image_once(
    gateway: Gateway, double: GlanceDouble, letters: str, first: int
) -> None:
    """Cursors go on after images that have no id, wherever these are."""
    glance_with(double, letters)

    assert walk(gateway, letters, first=first) == letters


@pytest.mark.parametrize("letters", LISTS)
@pytest.mark.parametrize("first", [1, 3, 25])
def test_walk_by_size_shows_each_image_once(
    gateway: Gateway, double: GlanceDouble, letters: str, first: int
) -> None:
    """Also where the list is read from its start, as no image has a size."""
    glance_with(double, letters)

    assert walk(gateway, letters, first=first, orderBy=BY_SIZE) == letters


@pytest.mark.parametrize("letters", ["a..b", "..a..b..", "ab...c.d"])
@pytest.mark.parametrize("first", [1, 3, 25])
def test_walk_over_small_pages_of_glance_shows_each_image_once(
    gateway: Gateway, double: GlanceDouble, letters: str, first: int
) -> None:
    """A page of ours may need several of Glance's."""
    glance_with(double, letters, page_max=4)

    assert walk(gateway, letters, first=first) == letters


def test_list_that_cannot_be_continued_ends_with_an_error(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A page of Glance's in which no image has an id is not its end."""
    glance_with(double, "....", page_max=2)

    error = gateway.error(PAGE, token=TOKEN, first=25)

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert error["message"] == (
        "Could not list images: Glance's list cannot be continued after 2 images"
        " without an id."
    )


def test_image_that_got_an_id_meanwhile_is_shown(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A cursor skips what has no id, and nothing else."""
    glance_with(double, "a..b")
    page = gateway.answer(PAGE, token=TOKEN, first=3)["data"]["images"]
    glance_with(double, "acdb")

    assert shown(page["nodes"]) == "a.."
    after = page["pageInfo"]["endCursor"]
    data = gateway.data(PAGE, token=TOKEN, first=25, after=after)
    assert shown(data["images"]["nodes"]) == "cdb"


@pytest.mark.parametrize("following", [None, "", 5, False])
def test_list_with_an_image_without_id_ends_as_any_other(
    gateway: Gateway, double: GlanceDouble, following: object
) -> None:
    """What is no link in `next` names no page."""
    page = {"images": [{"name": "x"}, {"id": "a"}], "next": following}
    double.always(json_reply(page))

    result = gateway.answer(PAGE, token=TOKEN, first=25)

    assert shown(result["data"]["images"]["nodes"]) == ".a"
    assert len(double.calls) == 1
