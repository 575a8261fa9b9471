"""What the values of a filter may hold, and which filters are refused."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.glance.listing import NOT_PROPERTIES
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble, json_reply
from tests.support.images import create_image, glance_rest

NAMES = """query ($filter: ImageFilter) {
    images(filter: $filter) { nodes { name } } }"""

TOKEN = f"alice:project-{uuid4()}:member,reader"

# Texts that mean something to GraphQL, to URLs or to Glance's reader of filters.
TEXTS: Mapping[str, str] = {
    "ampersand": "a&limit=1",
    "backslash": "a\\b",
    "backslash at the end": "a\\",
    "backslash at a line's end": "a\\\nb",
    "colon": "eq:a",
    "comma": "a,b",
    "double quote": 'say "hi"',
    "empty": "",
    "hash": "a#b?c",
    "list": "in:a,b",
    "percent": "100%41",
    "plus": "a+b c",
    "single quote": "it's",
    "time": "2026-01-01T00:00:00Z",
    "unicode": "naïve 日本",
    "white space": " a\t",
}
each_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
AMONG_SEVERAL = [text for text in TEXTS.values() if '"' not in text]
AS_TAGS = [text for text in TEXTS.values() if text == text.strip()]

REFUSED: Mapping[str, tuple[dict[str, Json], str]] = {
    "unknown status": ({"status": ["ACTIVE", "UNKNOWN"]}, "filter.status"),
    "quoted name": ({"name": {"in": ["a", 'b"']}}, "filter.name.in"),
    "quoted id": ({"id": ["a", 'b"']}, "filter.id"),
    "quoted disk format": ({"diskFormat": ["a", 'b"']}, "filter.diskFormat"),
    "quoted container format": (
        {"containerFormat": ["a", 'b"']},
        "filter.containerFormat",
    ),
    "tag that begins with a space": ({"tags": ["a", " b"]}, "filter.tags"),
    "tag that ends with a line": ({"tags": ["a\n"]}, "filter.tags"),
    "created before all time": (
        {"createdAt": {"gt": "0001-01-01T00:00:00+01:00"}},
        "filter.createdAt",
    ),
    "updated after all time": (
        {"updatedAt": {"lt": "9999-12-31T23:59:59-01:00"}},
        "filter.updatedAt",
    ),
    "longer than a URL": (
        {"diskFormat": [f"{one:070}" for one in range(100)]},
        "filter.diskFormat",
    ),
    "names longer than a URL": (
        {"name": {"in": [f"{one:070}" for one in range(100)]}},
        "filter.name.in",
    ),
    "tags longer than a URL": (
        {"tags": [f"{one:070}" for one in range(120)]},
        "filter.tags",
    ),
    "properties longer than a URL": (
        {"properties": [{"name": f"p{one}", "value": "x" * 70} for one in range(120)]},
        "filter.properties",
    ),
    "id longer than a URL": ({"id": ["x" * 7500]}, "filter.id"),
    "name too long beside so many ids": (
        {"id": [f"{one:036}" for one in range(150)], "name": {"eq": "x" * 2000}},
        "filter.name.in",
    ),
    "property twice": (
        {"properties": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
        "filter.properties",
    ),
}


@pytest.fixture(scope="module")
def images(glance_port: int) -> None:
    """Register an image of each text."""
    with glance_rest(glance_port, TOKEN) as rest:
        for text in TEXTS.values():
            create_image(rest, name=text, tags=[text], odd=text)


@pytest.mark.usefixtures("images")
@each_text
def test_name_is_found_whatever_it_holds(gateway: Gateway, text: str) -> None:
    """No character of a name means anything else on its way to Glance."""
    wanted = {"name": {"eq": text}}

    names = names_found(gateway, wanted)

    assert names == [text]


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("text", AMONG_SEVERAL, ids=repr)
def test_name_is_found_among_several_whatever_it_holds(
    gateway: Gateway, text: str
) -> None:
    """No character of a name means anything else inside of a list."""
    wanted = {"name": {"in": ["before", text, "after"]}}

    names = names_found(gateway, wanted)

    assert names == [text]


@pytest.mark.usefixtures("images")
def test_names_are_found_together_whatever_they_hold(gateway: Gateway) -> None:
    """No name of a list changes another one."""
    wanted = {"name": {"in": AMONG_SEVERAL}}

    names = names_found(gateway, wanted)

    assert names == sorted(AMONG_SEVERAL)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("text", AS_TAGS, ids=repr)
def test_tag_is_found_whatever_it_holds(gateway: Gateway, text: str) -> None:
    """No character of a tag means anything else on its way to Glance."""
    wanted = {"tags": [text]}

    names = names_found(gateway, wanted)

    assert names == [text]


@pytest.mark.usefixtures("images")
@each_text
def test_value_of_a_property_is_found_whatever_it_holds(
    gateway: Gateway, text: str
) -> None:
    """No character of a value means anything else on its way to Glance."""
    wanted = {"properties": [{"name": "odd", "value": text}]}

    names = names_found(gateway, wanted)

    assert names == [text]


@settings(deadline=None, max_examples=50)
@given(text=st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["C"])))
def test_any_name_reaches_glance_as_it_is(
    shared_gateway: Gateway, shared_double: GlanceDouble, text: str
) -> None:
    """The parameter holds the whole name and nothing but the name."""
    shared_double.always(json_reply({"images": []}))

    names_found(shared_gateway, {"name": {"eq": text}})

    asked = [("name", f"eq:{text}"), ("limit", "26")]
    assert shared_double.calls[-1].query == asked


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": {"in": []}},
        {"id": []},
        {"status": []},
        {"diskFormat": []},
        {"containerFormat": []},
        {"visibility": "ALL", "id": []},
    ],
    ids=str,
)
def test_empty_list_of_values_matches_no_image(
    gateway: Gateway, double: GlanceDouble, wanted: Json
) -> None:
    """None of no values can match: Glance is not asked."""
    names = names_found(gateway, wanted)

    assert names == []
    assert double.calls == []


@pytest.mark.parametrize(("wanted", "argument"), REFUSED.values(), ids=REFUSED.keys())
def test_filter_that_glance_cannot_be_asked_is_refused(
    gateway: Gateway, double: GlanceDouble, wanted: Json, argument: str
) -> None:
    """The error names the argument, and Glance is not asked something else."""
    error = gateway.error(NAMES, token=TOKEN, filter=wanted)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert double.calls == []


@pytest.mark.parametrize("name", ["size", "tag", "limit", "marker", "mro", "__class__"])
def test_property_named_as_something_of_glance_s_own_is_refused(
    gateway: Gateway, double: GlanceDouble, name: str
) -> None:
    """A filter on a property never becomes another question."""
    wanted = {"properties": [{"name": name, "value": "1"}]}

    error = gateway.error(NAMES, token=TOKEN, filter=wanted)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "filter.properties"
    assert double.calls == []


@pytest.mark.parametrize("name", ["__os_type", "__imagetype", "__", "_x", "__x__"])
def test_property_is_found_whose_name_begins_like_glances_own(
    gateway: Gateway, glance_port: int, name: str
) -> None:
    """Every image of some large public clouds has properties like `__os_type`."""
    with glance_rest(glance_port, TOKEN) as rest:
        image: Json = {"name": f"has {name}", name: "Linux"}
        create_image(rest, **image)
    wanted = {"properties": [{"name": name, "value": "Linux"}]}

    names = names_found(gateway, wanted)

    assert names == [f"has {name}"]


def test_only_names_that_glance_cannot_take_are_rejected(glance_port: int) -> None:
    """Glance finds no image by a property whose name its own class has."""
    names = sorted(name for name in NOT_PROPERTIES if name.startswith("__"))
    with glance_rest(glance_port, TOKEN) as rest:
        image: Json = dict.fromkeys(names, "x")
        create_image(rest, **image)
        found = [rest.get("/images", params={name: "x"}).json() for name in names]

    assert [answer["images"] for answer in found] == [[]] * len(names)


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": {}},
        {"name": {"eq": "a", "in": ["a"]}},
        {"name": {"eq": None}},
        {"createdAt": {"gt": "2026-01-01T00:00:00Z", "lt": "2026-02-01T00:00:00Z"}},
        {"createdAt": {"gt": "2026-01-01T00:00:00"}},
        {"size": {"min": 2**63}},
        {"status": ["active"]},
    ],
    ids=str,
)
def test_filter_that_the_schema_forbids_is_refused(
    gateway: Gateway, double: GlanceDouble, wanted: Json
) -> None:
    """One condition each, times with an offset, sizes of 64 bits, known words."""
    error = gateway.error(NAMES, token=TOKEN, filter=wanted)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert double.calls == []


def names_found(gateway: Gateway, wanted: Json) -> list[str]:
    """Return the sorted names of the images that a filter finds."""
    found = gateway.data(NAMES, token=TOKEN, filter=wanted)
    return sorted(node["name"] for node in found["images"]["nodes"])
