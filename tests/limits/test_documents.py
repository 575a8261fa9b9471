"""Limits on a document: what is at the limit passes, one more is rejected."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import get_introspection_query

from gateway.facts import Facts, RejectionFacts
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble

TOLD: list[Facts] = []

SMALL: Mapping[str, Any] = {
    "limit_document_bytes": 3_000,
    "limit_tokens": 200,
    "limit_depth": 5,
    "limit_aliases": 10,
    "limit_root_fields": 12,
    "limit_directives": 4,
    "limit_operations": 3,
    "limit_fragments": 4,
    "limit_list_items": 6,
    "limit_introspection": 300,
    "limit_variables_bytes": 500,
    "limit_variables_depth": 3,
}


@pytest.fixture(scope="module")
def small(shared_double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway with limits that are easily reached."""
    with running_gateway(shared_double.url, hooks=[TOLD.append], **SMALL) as running:
        yield running


def aliases(count: int) -> str:
    """Return a document of so many aliases."""
    return "{%s}" % " ".join(f"a{number}: __typename" for number in range(count))


def depth(levels: int) -> str:
    """Return a document of so many levels of fields, the last one in a fragment."""
    of_types = "ofType {" * (levels - 3) + "name" + "}" * (levels - 3)
    return (
        '{ __type(name: "Query") { ...F } } fragment F on __Type { ofType { %s } }'
        % (of_types)
    )


def fragments(count: int) -> str:
    """Return a document of so many fragments."""
    spreads = " ".join(f"...F{number}" for number in range(count))
    defined = "fragment F%d on Query { __typename }"
    return "{%s} %s" % (spreads, " ".join(defined % number for number in range(count)))


def ids(count: int) -> str:
    """Return a document with a list of so many items."""
    return "{ images(filter: {id: [%s]}) { __typename } }" % ("1 " * count)


def names(count: int) -> str:
    """Return introspection of so many values, about."""
    return "{ __schema { types { %s } } }" % " ".join(
        f"a{number}: name" for number in range(count)
    )


DOCUMENTS = {
    "bytes": ("DOCUMENT_BYTES", 3_000, "{ __typename }".ljust),
    "bytes not ASCII": (
        "DOCUMENT_BYTES",
        3_000,
        lambda n: "{ __typename } #" + "é" * ((n - 16) // 2) + " " * (n % 2),
    ),
    "tokens": ("TOKEN", 200, lambda n: "#\n" * (n - 3) + "{ __typename }"),
    "depth": ("DEPTH", 5, depth),
    "aliases": ("ALIAS", 10, aliases),
    "root fields": ("ROOT_FIELD", 12, lambda n: "{ %s }" % ("__typename " * n)),
    "root fields in a fragment": (
        "ROOT_FIELD",
        12,
        lambda n: (
            "{ ...F __typename } fragment F on Query { %s }" % ("__typename " * (n - 1))
        ),
    ),
    "root fields in inline fragments": (
        "ROOT_FIELD",
        12,
        lambda n: "{ %s }" % ("... on Query { __typename } " * n),
    ),
    "directives": (
        "DIRECTIVE",
        4,
        lambda n: "{ %s }" % ("__typename @skip(if: false) " * n),
    ),
    "fragments": ("FRAGMENT", 4, fragments),
    "list items": ("LIST", 6, ids),
    "introspection": ("INTROSPECTION", 300, lambda n: names(n - 295)),
}


@pytest.mark.parametrize(
    ("code", "limit", "document"), DOCUMENTS.values(), ids=DOCUMENTS.keys()
)
def test_document_at_a_limit_is_executed_and_one_beyond_is_rejected(
    small: Gateway, double: GlanceDouble, code: str, limit: int, document: Any
) -> None:
    """The error has the measure, and Glance is not called."""
    allowed = small.answer(document(limit), token="alice:p:member,reader")
    double.reset()
    TOLD.clear()

    rejected = small.error(document(limit + 1), token="alice:p:member,reader")

    assert "errors" not in allowed, allowed
    extensions = rejected["extensions"]
    assert extensions["code"] == f"{code}_LIMIT_EXCEEDED"
    assert extensions["limit"] == limit < extensions["measured"]
    assert double.calls == []
    (facts,) = TOLD
    assert isinstance(facts, RejectionFacts)
    assert (facts.code, facts.limit) == (extensions["code"], limit)


def test_operations_beyond_their_limit_are_rejected(small: Gateway) -> None:
    """Operations that are not executed count, too."""
    document = " ".join(f"query Q{number} {{ __typename }}" for number in range(4))

    answer = small.client.post(
        "/graphql", json={"query": document, "operationName": "Q0"}
    ).json()

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "OPERATION_LIMIT_EXCEEDED"


def nested(levels: int) -> Any:
    """Return variables of so many levels."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


VARIABLES = {
    "bytes": ("VARIABLES_BYTES", 500, lambda n: "x" * (n - len('{"x":""}'))),
    "depth": ("VARIABLES_DEPTH", 3, nested),
    "list items": ("LIST", 6, lambda n: ["1"] * n),
}


@pytest.mark.parametrize(
    ("code", "limit", "variable"), VARIABLES.values(), ids=VARIABLES.keys()
)
def test_variables_at_a_limit_are_accepted_and_beyond_it_are_rejected(
    small: Gateway, code: str, limit: int, variable: Any
) -> None:
    """Also variables that the operation does not declare."""
    allowed = small.answer("{ __typename }", token="t", x=variable(limit))

    rejected = small.error("{ __typename }", token="t", x=variable(limit + 1))

    assert allowed == {"data": {"__typename": "Query"}}
    assert rejected["extensions"]["code"] == f"{code}_LIMIT_EXCEEDED"


def test_variables_that_are_both_long_and_deep_are_rejected(gateway: Gateway) -> None:
    """What cannot be encoded is not measured by being encoded."""
    value: Any = "x" * 300_000
    for _ in range(300):
        value = [value]

    error = gateway.error("{ __typename }", token="t", x=value)

    assert error["extensions"]["code"] == "VARIABLES_DEPTH_LIMIT_EXCEEDED"


def test_rejected_document_has_status_400_for_clients_of_graphql_over_http(
    small: Gateway,
) -> None:
    """To a client of JSON it is a response as any other."""
    accepts = ["application/graphql-response+json", "application/json"]

    statuses = [
        small.post(aliases(11), token="t", headers={"Accept": accept}).status_code
        for accept in accepts
    ]

    assert statuses == [400, 200]


FIELDS = """id name status visibility size checksum diskFormat containerFormat
    minDisk minRam"""


def stitched(count: int, *, with_variables: bool) -> tuple[str, dict[str, str]]:
    """Return a stitched document: one alias and ten fields each."""
    ids = {
        f"_{number}_id": f"00000000-0000-0000-0000-{number:012}"
        for number in range(count)
    }
    declared = " ".join(f"${name}: ID!" for name in ids)
    fields = " ".join(
        "_%d_image: image(id: %s) { __typename %s }"
        % (number, f"${name}" if with_variables else f'"{image_id}"', FIELDS)
        for number, (name, image_id) in enumerate(ids.items())
    )
    if with_variables:
        return f"query ({declared}) {{ {fields} }}", ids
    return f"{{ {fields} }}", {}


@pytest.mark.parametrize("with_variables", [True, False])
def test_stitched_document_of_a_hundred_images_passes(
    gateway: Gateway, double: GlanceDouble, token: str, *, with_variables: bool
) -> None:
    """A stitching gateway selects as many objects at once."""
    document, variables = stitched(100, with_variables=with_variables)

    data = gateway.data(document, token=token, **variables)

    assert len(data) == 100
    assert len(double.calls) == 102


@pytest.mark.parametrize("is_full", [True, False])
def test_introspection_of_the_whole_schema_passes(
    gateway: Gateway, *, is_full: bool
) -> None:
    """GraphiQL, code generators and gateways begin with it, and bring no token."""
    document = get_introspection_query(
        specified_by_url=is_full,
        directive_is_repeatable=is_full,
        schema_description=is_full,
        input_value_deprecation=is_full,
        one_of=is_full,
    )

    data = gateway.data(document, token=None)

    assert len(data["__schema"]["types"]) > 40


def test_request_facts_have_the_measures(double: GlanceDouble) -> None:
    """Hooks receive each measure of a request that passes, too."""
    told: list[Facts] = []
    with running_gateway(double.url, hooks=[told.append]) as gateway:
        gateway.data("{ a: __typename __typename }", token=None)

    (facts,) = told
    assert facts.measures == {  # type: ignore[union-attr]
        "bytes": 28,
        "tokens": 6,
        "operations": 1,
        "fragments": 0,
        "aliases": 1,
        "directives": 0,
        "list_items": 0,
        "root_fields": 2,
        "depth": 1,
        "introspection": 0,
        "cost": 0,
        "values": 0,
    }
