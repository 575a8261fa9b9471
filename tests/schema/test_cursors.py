"""Cursors: which lists they hold for, and what happens to all others."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble
from tests.support.images import create_image, glance_rest

PAGE = """query ($after: String, $filter: ImageFilter, $orderBy: [ImageOrder!]) {
    images(after: $after, filter: $filter, orderBy: $orderBy) {
        nodes { name } pageInfo { startCursor endCursor } } }"""

TOKEN = f"alice:project-{uuid4()}:member,reader"
SHARED = {"visibility": "SHARED"}
BY_SIZE = [{"field": "SIZE", "direction": "ASC"}]


@pytest.fixture(scope="module")
def cursor(
    shared_gateway: Gateway, shared_double: GlanceDouble, glance_port: int
) -> str:
    """Return the cursor of the newer of two shared images."""
    shared_double.reset()
    with glance_rest(glance_port, TOKEN) as rest:
        for name in ("older", "newer"):
            create_image(rest, name=name)
    return str(page_of(shared_gateway, TOKEN)["pageInfo"]["startCursor"])


def test_cursor_holds_for_the_same_filter_written_otherwise(
    gateway: Gateway, cursor: str
) -> None:
    """Null conditions and the order of fields do not make another list."""
    same: Json = {
        "size": {"min": None},
        "tags": [],
        "name": None,
        "visibility": "SHARED",
    }

    page = page_of(gateway, TOKEN, after=cursor, filter=same, orderBy=[])

    assert page["nodes"] == [{"name": "older"}]


@pytest.mark.parametrize(
    "other",
    [
        {"filter": None},
        {"filter": {**SHARED, "protected": False}},
        {"filter": {"visibility": "ALL"}},
        {"orderBy": [{"field": "NAME"}]},
        {"orderBy": [{"field": "CREATED_AT"}]},
    ],
    ids=str,
)
def test_cursor_of_another_list_is_refused(
    gateway: Gateway, double: GlanceDouble, cursor: str, other: Json
) -> None:
    """Going on in a list that was not begun would lose images."""
    arguments = {"after": cursor, "filter": SHARED, **other}

    error = gateway.error(PAGE, token=TOKEN, **arguments)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "after"
    assert double.calls == []


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("", id="empty"),
        pytest.param("*", id="no base64"),
        pytest.param("WyJh", id="half of a JSON text"),
        pytest.param("WyJhI", id="half of a base64 group"),
        pytest.param("naïve", id="not ASCII"),
        pytest.param(urlsafe_b64encode(b"\xff\xfe").decode(), id="not UTF-8"),
    ],
)
def test_text_that_is_no_cursor_is_refused(
    gateway: Gateway, double: GlanceDouble, after: str
) -> None:
    """What was never a cursor is the client's error, not ours."""
    error = gateway.error(PAGE, token=TOKEN, after=after)

    assert error["message"] == "after: is not a cursor of this gateway"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "after"
    assert double.calls == []


@pytest.mark.parametrize(
    "content",
    [
        None,
        1,
        "abc",
        [],
        ["a", "b"],
        ["a", "b", "c", "d"],
        [None, None, None],
        [["a"], {}, []],
        {"a": 1},
        {"a": 1, "b": 2, "c": 3},
    ],
    ids=repr,
)
def test_cursor_of_other_content_is_refused(
    gateway: Gateway, double: GlanceDouble, content: Json
) -> None:
    """JSON of another shape is no cursor, however well it is encoded."""
    error = gateway.error(PAGE, token=TOKEN, after=encoded(content))

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "after"
    assert double.calls == []


@pytest.mark.parametrize(
    "image_id",
    [None, 1, True, ["a"], {}, "x" * 37, "x" * 70_000],
    ids=lambda one: repr(one)[:9],
)
def test_forged_cursor_is_refused(
    gateway: Gateway, double: GlanceDouble, cursor: str, image_id: Json
) -> None:
    """A cursor of this list whose image can have no such id reaches no URL."""
    after = forged(cursor, image_id)

    error = gateway.error(PAGE, token=TOKEN, after=after, filter=SHARED)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "after"
    assert double.calls == []


@pytest.mark.parametrize("image_id", ["", "none", "é", "a&limit=9", "\0"], ids=repr)
def test_cursor_of_an_image_that_never_was_is_refused(
    gateway: Gateway, cursor: str, image_id: str
) -> None:
    """Glance knows no such marker: the client's error."""
    after = forged(cursor, image_id)

    error = gateway.error(PAGE, token=TOKEN, after=after, filter=SHARED)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["status"] == 400


def test_cursor_of_a_deleted_image_is_refused(
    gateway: Gateway, token: str, rest: httpx.Client
) -> None:
    """Where a list goes on can't be told without the image."""
    image_id = create_image(rest)
    after = page_of(gateway, token)["pageInfo"]["endCursor"]
    rest.delete(f"/images/{image_id}").raise_for_status()

    error = gateway.error(PAGE, token=token, after=after, filter=SHARED)

    assert image_id in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_cursor_of_a_deleted_image_without_size_is_refused(
    gateway: Gateway, token: str, rest: httpx.Client
) -> None:
    """A list by size that is read from its start misses the image, too."""
    image_id = create_image(rest)
    after = page_of(gateway, token, orderBy=BY_SIZE)["pageInfo"]["endCursor"]
    rest.delete(f"/images/{image_id}").raise_for_status()
    arguments = {"after": after, "filter": SHARED, "orderBy": BY_SIZE}

    error = gateway.error(PAGE, token=token, **arguments)

    assert error["message"] == f"after: image {image_id} is not in the list any more"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_cursor_of_an_image_that_the_token_cannot_see_is_forbidden(
    gateway: Gateway, other_token: str, cursor: str
) -> None:
    """A cursor opens nothing to another project."""
    error = gateway.error(PAGE, token=other_token, after=cursor, filter=SHARED)

    assert error["extensions"]["code"] == "FORBIDDEN"


def page_of(gateway: Gateway, token: str, **arguments: Json) -> Json:
    """Return a page of the shared images, which are the project's own."""
    answer = gateway.data(PAGE, token=token, **{"filter": SHARED, **arguments})
    return answer["images"]


def encoded(content: Json) -> str:
    """Return what looks like a cursor."""
    return urlsafe_b64encode(orjson.dumps(content)).decode()


def forged(cursor: str, image_id: Json) -> str:
    """Return the cursor of the same list for another image."""
    fingerprint, _, is_unsized = orjson.loads(urlsafe_b64decode(cursor))
    return encoded([fingerprint, image_id, is_unsized])
