"""Lists before a Glance whose operator allows pages of three images only."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest

from gateway.demo.glance import configure, create_database, glance
from gateway.listening import free_port
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, glance_double
from tests.support.images import create_image, glance_rest

PAGE = """query ($first: Int!, $after: String, $orderBy: [ImageOrder!]) {
    images(first: $first, after: $after, orderBy: $orderBy) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""

TOKEN = f"alice:project-{uuid4()}:member,reader"
BY_SIZE = [{"field": "SIZE", "direction": "ASC"}]


@pytest.fixture(scope="module")
def small_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a Glance of small pages."""
    data, port = tmp_path_factory.mktemp("small"), free_port()
    configure(data, port=port, options="api_limit_max = 3")
    create_database(data)
    with glance(data, port=port):
        yield port


@pytest.fixture(scope="module")
def ids(small_port: int) -> Sequence[str]:
    """Register nine images and return their ids, newest first."""
    with glance_rest(small_port, TOKEN) as rest:
        created = [create_image(rest) for _ in range(9)]
    return created[::-1]


@pytest.fixture(scope="module")
def small_double(small_port: int) -> Iterator[GlanceDouble]:
    """Run what records the calls."""
    with glance_double(small_port) as running:
        yield running


@pytest.fixture
def gateway(small_double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway of which nothing is recorded yet."""
    small_double.reset()
    with running_gateway(small_double.url) as running:
        yield running


def test_page_larger_than_glance_s_is_put_together(
    gateway: Gateway, small_double: GlanceDouble, ids: Sequence[str]
) -> None:
    """Glance's pages are walked by marker until `first` and one more are there."""
    page = page_of(gateway, first=8)

    assert [node["id"] for node in page["nodes"]] == ids[:8]
    assert page["pageInfo"]["hasNextPage"] is True
    assert [call.query for call in small_double.calls] == [
        [("limit", "9")],
        [("limit", "6"), ("marker", ids[2])],
        [("limit", "3"), ("marker", ids[5])],
    ]


def test_page_of_exactly_all_images_ends_where_glance_has_no_more(
    gateway: Gateway, small_double: GlanceDouble, ids: Sequence[str]
) -> None:
    """Glance's last page may be empty: only it tells that the list ends."""
    page = page_of(gateway, first=9)

    assert [node["id"] for node in page["nodes"]] == ids
    assert page["pageInfo"]["hasNextPage"] is False
    assert [dict(call.query)["limit"] for call in small_double.calls] == [
        "10",
        "7",
        "4",
        "1",
    ]


def test_walk_over_glance_s_pages_meets_every_image_once(
    gateway: Gateway, ids: Sequence[str]
) -> None:
    """A cursor goes on within a page of Glance."""
    first_page = page_of(gateway, first=4)

    second_page = page_of(gateway, first=5, after=first_page["pageInfo"]["endCursor"])

    nodes = first_page["nodes"] + second_page["nodes"]
    assert [node["id"] for node in nodes] == ids


@pytest.mark.usefixtures("ids")
def test_order_by_size_beyond_images_without_size_is_refused(
    gateway: Gateway, small_double: GlanceDouble
) -> None:
    """Where Glance can't go on, the error says so instead of losing images."""
    error = gateway.error(PAGE, token=TOKEN, first=8, orderBy=BY_SIZE)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "orderBy"
    assert "the first 3 images do not reach further" in error["message"]
    assert len(small_double.calls) == 2


def page_of(gateway: Gateway, **arguments: Json) -> Json:
    """Return a page."""
    return gateway.data(PAGE, token=TOKEN, **arguments)["images"]
