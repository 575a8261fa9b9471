"""Lists in parts: what one URL holds, and in which order parts are merged."""

from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.glance.errors import InvalidArgument
from gateway.glance.id_lists import IDS_MAX_CHARACTERS, chunks, merged, parts_of
from gateway.glance.listing import ImageQuery, ListCall, parameters
from gateway.glance.transport import Request

IDS = st.lists(st.text(max_size=400), min_size=1, max_size=60, unique=True)
UUIDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(1000)]


@given(ids=IDS)
def test_parts_hold_each_id_once(ids: list[str]) -> None:
    """No id is missing or requested twice."""
    assert [one for part in chunks(ids) for one in part] == ids


def test_request_line_of_each_part_is_below_8_kib() -> None:
    """Nginx and Apache take no longer ones by default."""
    filters = (("name", "x" * 1000), ("visibility", "all"))
    query = ImageQuery(filters, sort=(("name", "asc"),), ids=tuple(UUIDS))

    parts = parts_of(query)

    lines = [_line(part) for part in parts]
    assert max(map(len, lines)) < 7700
    assert len(parts) == 8


def _line(query: ImageQuery) -> str:
    asked = parameters(query, ListCall(1000, marker=UUIDS[0]))
    target = Request("GET", "http://x/v2/images", asked, {}, None, 1, 200).target
    return f"GET {target.raw_path_qs} HTTP/1.1\r\n"


Key = Callable[[Any], Any]
# Ways in which databases order: SQLite, MySQL, PostgreSQL.
COLLATIONS: dict[str, tuple[Key, bool]] = {
    "by code points": (lambda text: text, False),
    "ignoring case": (lambda text: text.lower(), False),
    "none last": (lambda text: text.lower(), True),
    "ignoring accents": (lambda text: text.lower().replace("é", "e"), False),
}


def ordered(images: list[Any], query: ImageQuery, collation: str) -> list[Any]:
    """Return the images as such a database orders them."""
    fold, is_none_last = COLLATIONS[collation]

    def comparable(value: str | None) -> tuple[bool, str]:
        return (value is None) == is_none_last, fold(value or "")

    way = query.sort[0][1] if query.sort else "desc"
    result = list(images)
    for name, direction in [*query.sort, ("created_at", way), ("id", way)][::-1]:
        values = {one["id"]: comparable(one[name]) for one in images}
        pairs = sorted(
            zip((values[one["id"]] for one in result), result, strict=True),
            key=itemgetter(0),
            reverse=direction == "desc",
        )
        result = [one for _, one in pairs]
    return result


NAMES = st.sampled_from(["a", "B", "C", "é", "f", "Z", None, "b"])
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])


@pytest.mark.parametrize("collation", COLLATIONS)
@given(
    rows=st.lists(st.tuples(NAMES, TIMES), min_size=60, max_size=60),
    direction=st.sampled_from(["asc", "desc"]),
)
def test_merged_list_is_in_the_order_of_the_database(
    collation: str, rows: list[tuple[str | None, str]], direction: str
) -> None:
    """Parts show how the database orders, and the whole list is ordered so."""
    images = [
        {"id": one, "name": name, "created_at": created_at}
        for one, (name, created_at) in zip(UUIDS, rows, strict=False)
    ]
    query = ImageQuery(sort=(("name", direction),), ids=tuple(UUIDS[:60]))
    halves = images[:30], images[30:]

    whole = merged(query, [ordered([*half], query, collation) for half in halves])

    assert whole == ordered(images, query, collation)


def test_order_that_no_known_database_has_is_rejected() -> None:
    """A list in some other order would lose images between its pages."""
    part: list[Any] = [
        {"id": str(n), "name": name, "created_at": "2026-01-01T00:00:00Z"}
        for n, name in enumerate(["b", "c", "a"])
    ]
    query = ImageQuery(sort=(("name", "asc"),), ids=("0", "1", "2"))

    with pytest.raises(InvalidArgument) as caught:
        merged(query, [part])

    assert caught.value.argument == "filter.id"
    assert str(IDS_MAX_CHARACTERS) in str(caught.value)


def test_list_without_many_ids_is_one_part() -> None:
    """Other filters cannot be split."""
    query = ImageQuery(filters=(("name", "x" * 7000),))

    assert parts_of(query) == [query]
    assert parts_of(replace(query, ids=("1",))) == [replace(query, ids=("1",))]
