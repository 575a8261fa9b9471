"""The query parameters of image lists, and the images kept of their pages."""

import importlib
import warnings
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.glance.errors import InvalidArgument
from gateway.glance.listing import (
    ImagePage,
    ImageQuery,
    ListCall,
    Parameter,
    Position,
    equals,
    images_after,
    next_call,
    one_of,
    parameters,
    position_of,
    property_filters,
)
from gateway.glance.records import ImageRecord

NEWEST_FIRST = ImageQuery()
BY_SIZE = ImageQuery(sort=(("name", "asc"), ("size", "desc")))
SIZED_BY_SIZE = ImageQuery(filters=(("size_min", "0"),), sort=(("size", "asc"),))
SMALL_BY_SIZE = ImageQuery(filters=(("size_max", "9"),), sort=(("size", "asc"),))

SIZED = Position("sized", is_unsized=False)
UNSIZED = Position("unsized", is_unsized=True)

# What `in:` can write, of the characters that mean something to its reader.
WRITABLE = st.text(st.sampled_from("ab,\\\n: ")).filter(
    lambda value: "," not in value or "\\\n" not in value + "\n"
)


@pytest.fixture(scope="module")
def glance_utils() -> ModuleType:
    """Return Glance's own reader of filters; what it imports warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("glance.common.utils")


@pytest.fixture(scope="module")
def glance_names() -> set[str]:
    """Return the names that Glance's list takes for attributes of an image."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = importlib.import_module("glance.db.sqlalchemy.models").Image
        importlib.import_module("sqlalchemy.orm").configure_mappers()
    return {name for name in [*dir(model), *dir(type(model))] if hasattr(model, name)}


@given(value=st.text())
def test_glance_reads_the_filter_for_a_value_as_that_value(
    glance_utils: ModuleType, value: str
) -> None:
    """Whatever a value holds, Glance compares with the whole of it."""
    expression = equals(value)

    read = glance_utils.split_filter_op(expression)

    assert read == ("eq", value)


@given(values=st.lists(WRITABLE, min_size=2))
def test_glance_reads_the_filter_for_several_values_as_those_values(
    glance_utils: ModuleType, values: list[str]
) -> None:
    """Values arrive at Glance one by one as they are."""
    expression = one_of("filter.name.in", values)

    operator, quoted = glance_utils.split_filter_op(expression)

    assert operator == "in"
    assert glance_utils.split_filter_value_for_quotes(quoted) == values


@pytest.mark.parametrize(
    ("values", "expression"),
    [
        pytest.param(["a"], "eq:a", id="one"),
        pytest.param(['say "a", \\'], 'eq:say "a", \\', id="one that in cannot write"),
        pytest.param(["a", "b"], 'in:"a","b"', id="two"),
        pytest.param(["a,b", "in:c"], 'in:"a,b","in:c"', id="comma and colon"),
        pytest.param(["", "b"], 'in:"","b"', id="empty"),
        pytest.param(["a\\b", "b"], 'in:"a\\b","b"', id="backslash"),
        pytest.param(["a\\", "b"], 'in:a\\,"b"', id="backslash at the end"),
        pytest.param(["a\\\nc", "b"], 'in:a\\\nc,"b"', id="backslash at a line's end"),
    ],
)
def test_several_values_are_one_filter(values: list[str], expression: str) -> None:
    """One value is compared alone, several are quoted where Glance can unquote."""
    asked = one_of("filter.name.in", values)

    assert asked == expression


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('say "hi"', id="double quote"),
        pytest.param("a,b\\", id="comma, backslash at the end"),
        pytest.param("a,b\\\nc", id="comma, backslash at a line's end"),
    ],
)
def test_value_that_glance_cannot_read_among_several_is_rejected(value: str) -> None:
    """A value that `in:` cannot express is rejected, not changed."""
    values = ["a", value]

    with pytest.raises(InvalidArgument) as refusal:
        one_of("filter.name.in", values)

    assert refusal.value.argument == "filter.name.in"


@pytest.mark.parametrize(
    ("record", "position"),
    [
        pytest.param(
            {"id": "a", "size": 1}, Position("a", is_unsized=False), id="size"
        ),
        pytest.param({"id": "a", "size": 0}, Position("a", is_unsized=True), id="0"),
        pytest.param(
            {"id": "a", "size": None}, Position("a", is_unsized=True), id="null"
        ),
        pytest.param({"id": "a"}, Position("a", is_unsized=True), id="missing"),
    ],
)
def test_position_records_whether_its_image_has_a_size(
    record: ImageRecord, position: Position
) -> None:
    """Glance takes a missing size for 0: both count as none."""
    place = position_of(record)

    assert place == position


@pytest.mark.parametrize(
    ("query", "wanted", "after", "call"),
    [
        pytest.param(NEWEST_FIRST, 26, None, ListCall(26), id="first page"),
        pytest.param(NEWEST_FIRST, 1001, None, ListCall(1000), id="too many"),
        pytest.param(
            NEWEST_FIRST, 26, SIZED, ListCall(26, marker="sized"), id="next page"
        ),
        pytest.param(
            NEWEST_FIRST,
            1001,
            SIZED,
            ListCall(1000, marker="sized"),
            id="too many next",
        ),
        pytest.param(
            NEWEST_FIRST,
            26,
            UNSIZED,
            ListCall(26, marker="unsized"),
            id="unsized, by time",
        ),
        pytest.param(
            BY_SIZE, 26, SIZED, ListCall(26, marker="sized"), id="sized, by size"
        ),
        pytest.param(
            BY_SIZE,
            26,
            UNSIZED,
            ListCall(1000, skip_through="unsized"),
            id="unsized, by size",
        ),
        pytest.param(
            SIZED_BY_SIZE,
            26,
            UNSIZED,
            ListCall(26, marker="unsized"),
            id="empty, size.min",
        ),
        pytest.param(
            SMALL_BY_SIZE,
            26,
            UNSIZED,
            ListCall(26, marker="unsized"),
            id="empty, size.max",
        ),
    ],
)
def test_next_images_are_requested_by_marker_if_glance_supports_it(
    query: ImageQuery, wanted: int, after: Position | None, call: ListCall
) -> None:
    """Only an order by size that mixes sized and unsized is read from its start."""
    decided = next_call(query, wanted, after)

    assert decided == call


@pytest.mark.parametrize(
    ("call", "kept"),
    [
        pytest.param(ListCall(3), ["a", "b", "c"], id="first page"),
        pytest.param(ListCall(3, marker="z"), ["a", "b", "c"], id="after a marker"),
        pytest.param(ListCall(3, skip_through="a"), ["b", "c"], id="after the first"),
        pytest.param(ListCall(3, skip_through="b"), ["c"], id="after the second"),
    ],
)
@pytest.mark.parametrize("has_more", [True, False], ids=["goes on", "ends"])
def test_images_that_a_call_skips_are_left_out(
    call: ListCall, kept: list[str], *, has_more: bool
) -> None:
    """A page keeps what lies after the image to skip through."""
    page = ImagePage([{"id": "a"}, {"id": "b"}, {"id": "c"}], has_more=has_more)

    rest = images_after(call, page)

    assert rest == ImagePage([{"id": name} for name in kept], has_more=has_more)


def test_nothing_is_left_after_the_last_image_of_the_list() -> None:
    """Skipping through the last image of the last page leaves an empty page."""
    page = ImagePage([{"id": "a"}], has_more=False)

    rest = images_after(ListCall(1, skip_through="a"), page)

    assert rest == ImagePage([], has_more=False)


@pytest.mark.parametrize(
    ("skip_through", "has_more", "argument"),
    [
        pytest.param("b", True, "orderBy", id="fills the page"),
        pytest.param("z", True, "orderBy", id="beyond the page"),
        pytest.param("z", False, "after", id="not in the list"),
    ],
)
def test_skipping_beyond_the_end_of_the_page_is_rejected(
    skip_through: str, argument: str, *, has_more: bool
) -> None:
    """A list that cannot be continued is an error, never a wrong page."""
    page = ImagePage([{"id": "a"}, {"id": "b"}], has_more=has_more)

    with pytest.raises(InvalidArgument) as refusal:
        images_after(ListCall(2, skip_through=skip_through), page)

    assert refusal.value.argument == argument


@pytest.mark.parametrize(
    ("query", "call", "asked"),
    [
        pytest.param(NEWEST_FIRST, ListCall(26), [("limit", "26")], id="all"),
        pytest.param(
            NEWEST_FIRST,
            ListCall(26, marker="a"),
            [("limit", "26"), ("marker", "a")],
            id="after a marker",
        ),
        pytest.param(
            NEWEST_FIRST,
            ListCall(1000, skip_through="a"),
            [("limit", "1000")],
            id="skipping",
        ),
        pytest.param(
            ImageQuery(filters=(("tag", "a"), ("tag", "b"))),
            ListCall(1),
            [("tag", "a"), ("tag", "b"), ("limit", "1")],
            id="repeated tags",
        ),
        pytest.param(
            BY_SIZE,
            ListCall(1),
            [("sort", "name:asc,size:desc"), ("limit", "1")],
            id="order",
        ),
    ],
)
def test_parameters_hold_filters_order_and_page(
    query: ImageQuery, call: ListCall, asked: list[Parameter]
) -> None:
    """Only the requested parameters reach Glance."""
    sent = parameters(query, call)

    assert sent == asked


def test_property_filters_keep_names_and_values() -> None:
    """Names and values of properties are Glance's parameters as they are."""
    wanted = {"os_distro": "debian", "min_": "a,b", "_private": "", "Size": "1"}

    asked = property_filters("filter.properties", wanted)

    assert asked == [
        ("os_distro", "debian"),
        ("min_", "a,b"),
        ("_private", ""),
        ("Size", "1"),
    ]


def test_every_attribute_of_glance_s_image_is_rejected_as_a_property(
    glance_names: set[str],
) -> None:
    """No filter on a property can turn into a filter on something else."""
    refused = {name for name in glance_names if is_refused(name)}

    assert refused == glance_names


@pytest.mark.parametrize(
    "name",
    [
        "anything_max",
        "anything_min",
        "changes-since",
        "limit",
        "marker",
        "member_status",
        "size_max",
        "size_min",
        "sort",
        "sort_dir",
        "sort_key",
        "tag",
    ],
)
def test_every_parameter_of_glance_s_list_is_rejected_as_a_property(name: str) -> None:
    """No filter on a property can turn into another question."""
    with pytest.raises(InvalidArgument) as refusal:
        property_filters("filter.properties", {"os_distro": "debian", name: "1"})

    assert refusal.value.argument == "filter.properties"


def is_refused(name: str) -> bool:
    """Return whether a property of that name is rejected."""
    try:
        property_filters("filter.properties", {name: "1"})
    except InvalidArgument:
        return True
    return False
