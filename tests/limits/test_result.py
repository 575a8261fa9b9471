"""How large a result may be, estimated before anything is executed."""

import pytest
from graphql import GraphQLObjectType, parse
from graphql.type import is_list_type, is_non_null_type

from gateway.facts import Facts
from gateway.limits.cost import OperationCosts
from gateway.limits.field_costs import Circumstances
from gateway.schema.costs import TABLES, VALUES
from gateway.schema.root import build_schema
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, json_reply

SCHEMA = build_schema()._schema  # noqa: SLF001 - Strawberry has no other name
ESTIMATES = {
    "{ image(id: 1) { id } }": 2,
    "{ images { nodes { id } } }": 1 + 25 * 2,
    "{ images(first: 10) { nodes { id } edges { node { id } } } }": 1 + 10 * 5,
    "query ($n: Int!) { images(first: $n) { nodes { id } } }": 1 + 7 * 2,
    "query ($m: Int = 3) { images(first: $m) { nodes { id } } }": 1 + 3 * 2,
    "{ images(first: 1) { nodes { properties { name } } } }": 1 + 1 + 1 + 16,
    "{ a: images(first: 2) { nodes { ...F } } } fragment F on Image { id x: id }": 7,
    "{ images { nodes { id @include(if: false) name } } }": 1 + 25 * 2,
    "query ($n: Int!) { image(id: 1) { id @skip(if: $yes) } }".replace(
        "$n: Int!", "$yes: Boolean!"
    ): 1,
    "{ images(first: -1) { nodes { id } } }": 0,
    "{ images(first: 2) { nodes { a: __typename __typename } } }": 1 + 2 * 3,
}


@pytest.mark.parametrize(("document", "values"), ESTIMATES.items())
def test_each_field_counts_as_often_as_its_list_has_items(
    document: str, values: int
) -> None:
    """`first` is the number of images, the table has the other lengths."""
    parsed = parse(document)
    costs = OperationCosts(SCHEMA, parsed, parsed.definitions[0], TABLES)  # type: ignore[arg-type] # an operation
    variables = {"n": 7, "yes": True}

    estimate = costs.values.estimate(variables, Circumstances(1000))

    assert estimate == values


def test_every_list_of_the_schema_has_a_size() -> None:
    """A list without a row would count as one value."""
    lists = {
        (type_.name, name)
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_list_type(
            field.type.of_type if is_non_null_type(field.type) else field.type
        )
    }

    assert VALUES.fields.keys() == lists | {("Query", "images")}


def test_result_that_would_be_too_large_is_rejected(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The error has the estimate, and Glance is not called."""
    aliases = " ".join(f"p{n}: properties {{ name value }}" for n in range(10))
    document = "{ images(first: 1000) { nodes { %s } } }" % aliases

    error = gateway.error(document, token="t")

    assert error["extensions"]["code"] == "RESULT_LIMIT_EXCEEDED"
    assert error["extensions"]["measured"] == 331_001
    assert error["extensions"]["limit"] == 200_000
    assert double.calls == []


def test_largest_page_with_all_that_images_have_passes(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A client may show everything of a thousand images at once."""
    image = recorded_json("show-image")
    double.always(json_reply({"images": [image]}))
    type_ = SCHEMA.type_map["Image"]
    assert isinstance(type_, GraphQLObjectType)
    leaves = [
        name
        for name, field in type_.fields.items()
        if name not in {"tasks", "property"} and "Image" not in str(field.type)
    ]
    plain = " ".join(one for one in leaves if one not in {"stores", "locations"})
    document = """{ images(first: 1000) { nodes { %s
        hash { algorithm value } properties { name value } stores { id }
        locations { url metadata } } } }"""

    data = gateway.data(document % plain, token="t")

    assert [one["id"] for one in data["images"]["nodes"]] == [image["id"]]


def test_hooks_receive_the_estimated_size_of_a_result(double: GlanceDouble) -> None:
    """Of a request that passes."""
    told: list[Facts] = []
    double.always(json_reply({"images": []}))
    with running_gateway(double.url, hooks=[told.append]) as gateway:
        gateway.data("{ images(first: 3) { nodes { id } } }", token="t")

    (facts,) = told
    assert facts.measures["values"] == 7  # type: ignore[union-attr]
