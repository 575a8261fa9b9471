"""Images that are still bytes are answered as by graphql-core."""

import asyncio
from types import SimpleNamespace

import orjson
import pytest
from graphql import parse

from gateway.glance.listing import ImagePage, Position, position_in
from gateway.glance.responses import Unreadable, page_in
from gateway.glance.rows import Rows
from gateway.schema.root import build_schema
from tests.execution.comparison import Case, Comparison, Difference
from tests.execution.mutants import MUTANTS_OF_ROWS, Mutant
from tests.execution.test_images import IMAGE

FIELDS = """id name status statusRaw visibility owner protected hidden diskFormat
    containerFormat minDisk minRam size virtualSize checksum tags createdAt
    again: createdAt updatedAt self file schema directUrl kind: __typename"""
DOCUMENTS = {
    "nodes": f"{{ images {{ nodes {{ {FIELDS} }} }} }}",
    "nodes and place": """{ images(first: 2) { nodes { id size }
        pageInfo { startCursor endCursor hasNextPage } } }""",
    "edges": "{ images { edges { cursor node { id name } } nodes { id } } }",
    "derived": "{ images { nodes { id hash { value } properties { name } } } }",
    "conditions": """query ($a: Boolean = true) { images { nodes { id
        only: name @include(if: $a) status @skip(if: $a) } } }""",
}
VALUES = [
    *(b"null", b"true", b"1", b"1.0", b"1e2", b"-0", b"0.1", b"2147483648"),
    *(b"9223372036854775807", b"9223372036854775808", b"1" + b"0" * 30),
    *(b'"true"', b'"False"', b'"12"', b"12.0", b'"9223372036854775808"'),
    *(b'""', b'"text"', b'"active"', b'"\\u00e9\\ud83d\\ude00"', '"\u00e9"'.encode()),
    *(b'"2026-01-31T12:00:00Z"', b'"2026-01-31T12:00:00.5"', b'"2026-01-31"'),
    *(b"[]", b'["a"]', b'["a", null]', b"[1]", b"{}", b'{"a": 1}'),
]
KEYS = [*IMAGE, "os_hidden", "disk_format", "virtual_size"]

pytestmark = pytest.mark.usefixtures("dropped_is_collected")


def list_with(key: str, value: bytes) -> bytes:
    """Return a list of which the second image has the value under the key."""
    spoilt = orjson.dumps({name: IMAGE[name] for name in IMAGE if name != key})
    pair = orjson.dumps(key) + b":" + value
    spoilt = spoilt[:-1] + b"," + pair + b"}"
    plain = orjson.dumps(IMAGE)
    return b'{"images":[%s,%s,%s]}' % (plain, spoilt, plain)


LISTS = [list_with(key, value) for key in KEYS if key != "id" for value in VALUES]


def context(content: bytes) -> object:
    """Return what resolvers find the list in, without its first image."""

    async def list_images(*_: object) -> ImagePage:
        page = page_in(content)
        return ImagePage(page.images[1:], page.has_more)

    return SimpleNamespace(
        caller=None, catalog=SimpleNamespace(list_images=list_images)
    )


def check(comparison: Comparison, name: str) -> None:
    """Compare the answers of one document; each key has every value in turn."""
    document = parse(DOCUMENTS[name])

    async def ask() -> None:
        for content in LISTS:
            await comparison.compare(Case(document, context(content)))

    asyncio.run(ask())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_rows_of_any_kind_are_answered_as_by_graphql_core(name: str) -> None:
    """Each key has every kind of JSON value in turn."""
    comparison = Comparison(build_schema()._schema)  # noqa: SLF001

    check(comparison, name)

    assert comparison.cases == len(LISTS)
    assert comparison.plans.projected > len(LISTS)


@pytest.mark.parametrize("mutant", MUTANTS_OF_ROWS, ids=lambda mutant: mutant.name)
def test_wrong_plan_of_rows_is_found_out(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for a compiler with a mistake."""
    mutant.apply(monkeypatch)

    with pytest.raises(Difference):
        check(Comparison(build_schema()._schema), mutant.document)  # noqa: SLF001


def test_rows_are_not_decoded_for_what_plans_read() -> None:
    """Neither for plain fields nor for the place of a page."""
    rows = page_in(list_with("size", b"0")).images
    assert isinstance(rows, Rows)

    part = rows[1:]

    assert position_in(part, 0, None) == Position("i1", is_unsized=True)
    assert (len(rows), len(part), part.window) == (3, 2, slice(1, 3))
    assert rows._records is part._records is None  # noqa: SLF001


def test_rows_are_records_for_everybody_else() -> None:
    """A part of them, too."""
    rows = page_in(list_with("name", b'"x"')).images

    assert [*rows[1:]] == [rows[1], rows[2]] == [IMAGE | {"name": "x"}, IMAGE]


REFUSED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"[]", id="no object"),
    pytest.param(b"{}", id="no images"),
    pytest.param(b'{"images": {}}', id="images are no list"),
    pytest.param(b'{"images": [{"id": "1", "x": "\xff"}]}', id="no UTF-8"),
    pytest.param(b'{"images": [{"id": "1"}]', id="cut off"),
    pytest.param(
        b'{"images": [{"id": "1", "x": %s1%s}]}' % (b"[" * 5000, b"]" * 5000),
        id="too deep",
    ),
]


@pytest.mark.parametrize("content", REFUSED)
def test_list_that_is_none_is_refused_before_anybody_looks_at_it(
    content: bytes,
) -> None:
    """What is remembered is a list of images."""
    with pytest.raises(Unreadable):
        page_in(content)
