"""Errors stay short and few, whatever a client sends and Glance answers."""

from typing import Any

import pytest

from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, json_reply

LONG = "x" * 5_000
WORDS = "x y " * 1_000


DOCUMENTS = {
    "field": "{ %s }" % LONG,
    "argument": "{ image(%s: 1) { id } }" % LONG,
    "literal of another type": '{ images(first: "%s") { __typename } }' % WORDS,
    "literal list": "{ image(id: [%s]) { id } }" % ('"a b", ' * 900),
    "enum value": "{ images(filter: {status: [%s]}) { __typename } }" % LONG,
    "variable name": "{ image(id: $%s) { id } }" % LONG,
    "fragment": "{ ...%s }" % LONG,
    "date": '{ images(filter: {createdAt: {gt: "%s"}}) { __typename } }' % WORDS,
    "name": "{ images(filter: {properties: [%s]}) { __typename } }"
    % ('{name: "%s_min", value: ""}' % WORDS),
    "syntax": '{ image(id: "%s' % LONG,
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_message_echoes_no_more_than_a_hundred_characters(
    gateway: Gateway, document: str
) -> None:
    """Of a document's own text."""
    errors = gateway.answer(document, token="t")["errors"]

    for error in errors:
        assert "x" * 101 not in error["message"]
        assert len(error["message"]) < 400


VARIABLES = {
    "text for a number": ("Int!", LONG),
    "list for a number": ("Int!", [LONG] * 20),
    "object for a number": ("Int!", {LONG: LONG}),
    "text for an object": ("ImageFilter!", WORDS),
    "unknown key": ("ImageFilter!", {LONG: 1}),
}


@pytest.mark.parametrize(("type_", "value"), VARIABLES.values(), ids=VARIABLES.keys())
def test_message_about_a_variable_echoes_no_more_than_that(
    gateway: Gateway, type_: str, value: Any
) -> None:
    """Of a variable's value."""
    name = "first" if type_ == "Int!" else "filter"
    document = "query ($v: %s) { images(%s: $v) { __typename } }" % (type_, name)

    errors = gateway.answer(document, token="t", v=value)["errors"]

    for error in errors:
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "x" * 101 not in error["message"]
        assert len(error["message"]) < 400


def test_list_of_errors_ends_with_how_many_are_left_out(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Twenty entries, in the order of the errors."""
    image = recorded_json("show-image") | {"size": "odd"}
    double.always(json_reply({"images": [image] * 100}))

    errors = gateway.answer("{ images(first: 100) { nodes { size } } }", token="t")[
        "errors"
    ]

    assert len(errors) == 20
    assert errors[0]["path"] == ["images", "nodes", 0, "size"]
    assert errors[19]["message"] == "81 more errors are left out."
    assert errors[19]["extensions"]["code"] == "ERRORS_OMITTED"
    assert errors[19]["extensions"]["omitted"] == 81


def test_error_names_no_more_than_ten_places(gateway: Gateway) -> None:
    """However often a field is written."""
    document = "{ %s }" % ("images(first: -1) { __typename } " * 50)

    error = gateway.error(document, token="t")

    assert len(error["locations"]) == 10


@pytest.mark.parametrize(
    ("before", "line", "column"),
    [("", 1, 3), ("\n", 2, 3), ("\r\n\r\n", 3, 3), ("# a\r", 2, 3), ("{a\n", 2, 3)],
)
def test_error_is_located_where_the_field_stands(
    gateway: Gateway, before: str, line: int, column: int
) -> None:
    """Lines and columns begin with 1, and all three line ends count."""
    opening = "" if before.startswith("{") else "{ "
    document = f"{before}{opening or '  '}zzz }}"

    errors = gateway.answer(document, token="t")["errors"]

    assert errors[-1]["locations"] == [{"line": line, "column": column}]


INTROSPECTION = [
    "{ __schema { __typename } }",
    '{ __type(name: "A") { name } }',
]


@pytest.mark.parametrize("document", [*INTROSPECTION, "{ imagez { nodes { id } } }"])
def test_schema_can_be_hidden(double: GlanceDouble, document: str) -> None:
    """Introspection and suggestions of names are switched off together."""
    with running_gateway(double.url, introspection=False) as gateway:
        error = gateway.error(document, token="t")
        shown = gateway.data("{ __typename }", token=None)

    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "Did you mean" not in error["message"]
    assert shown == {"__typename": "Query"}


def test_name_that_is_nearly_right_is_suggested(gateway: Gateway) -> None:
    """Unless the schema is hidden."""
    error = gateway.error("{ imagez { nodes { id } } }", token="t")

    assert "Did you mean" in error["message"]


VARIABLES_NEARLY_RIGHT = {
    "field": {"naem": "x"},
    "enum value": {"status": ["ACTVE"]},
    "enum": {"visibility": "PUBLC"},
    "nested field": {"name": {"qe": "x"}},
}


@pytest.mark.parametrize(
    "value", VARIABLES_NEARLY_RIGHT.values(), ids=VARIABLES_NEARLY_RIGHT.keys()
)
def test_hidden_schema_is_not_suggested_for_variables(
    double: GlanceDouble, value: Any
) -> None:
    """Where it is shown, the nearest name is suggested."""
    document = "query ($f: ImageFilter) { images(filter: $f) { __typename } }"
    with running_gateway(double.url, introspection=False) as gateway:
        hidden = gateway.answer(document, token="t", f=value)["errors"]
    with running_gateway(double.url) as gateway:
        shown = gateway.answer(document, token="t", f=value)["errors"]

    assert not any("Did you mean" in one["message"] for one in hidden)
    assert any("Did you mean" in one["message"] for one in shown)
