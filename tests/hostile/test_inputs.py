"""No value that a client sends is an internal error, as a literal or a variable."""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.schema.root import build_schema
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

Texts = st.SearchStrategy[str]

SCHEMA = build_schema()._schema  # noqa: SLF001
IMAGE = recorded_json("show-image")
TOO_LONG = "1" * 4301
MUTATIONS = 1_100


def cursor(content: bytes) -> str:
    """Return what looks like a cursor."""
    return f'"{urlsafe_b64encode(content).decode()}"'


# What may stand for any value, as a literal and in JSON.
ODD = [
    *("null", "true", "[]", "{}", "[null]", "[[[]]]", '""', '" "', '"/"', '".."'),
    *([TOO_LONG] * 4),
    *("0", "-1", "1.0", "1.5", "1e5", "1e999", "-1e999", TOO_LONG, f"-{TOO_LONG}"),
    *("2147483648", "9223372036854775808", "18446744073709551616", f'"{TOO_LONG}"'),
    *('"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u202e"', '"a\\nb"', '"é"'),
    *('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"'),
    *('"2026-01-31T12:00:60Z"', '"2026-01-31T24:00:00Z"', '"2026-02-30T12:00:00Z"'),
    *('"2026-01-31T12:00:00+99:99"', '"2026-01-31T12:00:00.123456789Z"'),
    *(cursor(b"[" * 5000), cursor(b"[" * 900 + b"]" * 900), cursor(b"1" * 5000)),
    *(cursor(b"null"), cursor(b"[1,2,3]"), cursor(b'["a",null,{}]'), '"===="'),
]
ONLY_LITERAL = ["UNKNOWN", "ACTIVE", '"""\n\\u0000"""', '"\\u{110000}"', "{a: {a: 1}}"]
ONLY_JSON = ["NaN", "Infinity", "[" * 900 + "]" * 900, '{"eq": null}', '{"": 1}']
PLAIN = {"Int": "1", "BigInt": "1", "Boolean": "true"}


SELECTIONS = {
    "images": "{ edges { cursor } pageInfo { hasNextPage } }",
    "jsonSchema": "",
}
NESTED = """properties(names: %s) { name } property(name: %s)
    prefixed: properties(prefix: %s) { name }"""


@pytest.fixture(scope="module")
def played(shared_double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway before a Glance that accepts all."""
    shared_double.reset()
    shared_double.script = accepted
    with running_gateway(
        shared_double.url,
        cache_url="none",
        limit_root_fields=MUTATIONS,
        limit_aliases=MUTATIONS,
        limit_tokens=100_000,
        limit_document_bytes=1_000_000,
    ) as gateway:
        yield gateway
    shared_double.reset()


def accepted(received: Received) -> Reply:
    """Return what Glance sends where all is well."""
    if received.path == "/v2/images" and received.method == "GET":
        return json_reply({"images": [IMAGE]})
    if received.method in {"DELETE", "PUT"}:
        return Reply(204)
    if received.path.startswith("/v2/schemas/"):
        return json_reply({"properties": {}})
    if received.method == "POST":
        return json_reply(IMAGE | {"id": orjson.loads(received.body)["id"]}, 201)
    return json_reply(IMAGE)


class Form:
    """How values are written: as literals of GraphQL, or as JSON."""

    def __init__(self, odd: Sequence[str], quote: str) -> None:
        """Write odd values of these, and quotation marks around names."""
        self.odd = st.sampled_from(odd)
        self.quote = quote

    def values(self, type_: object) -> Texts:
        """Return values of a type; any part of them may be odd."""
        if isinstance(type_, GraphQLNonNull):
            return self.values(type_.of_type)
        usual = st.just(PLAIN.get(str(type_), '"2026-01-31T12:00:00Z"'))
        if isinstance(type_, GraphQLList):
            items = st.lists(self.values(type_.of_type), max_size=3)
            usual = items.map(lambda values: f"[{', '.join(values)}]")
        elif isinstance(type_, GraphQLInputObjectType):
            usual = self.fields(type_.fields).map(lambda fields: f"{{{fields}}}")
        elif isinstance(type_, GraphQLEnumType):
            names = st.sampled_from([*type_.values])
            usual = names.map(lambda name: f"{self.quote}{name}{self.quote}")
        return st.one_of(usual, usual, self.odd)

    def fields(self, fields: Mapping[str, Any]) -> Texts:
        """Return some of the fields or arguments, and all that are required."""
        values = {name: self.values(one.type) for name, one in fields.items()}
        needed = {name: values.pop(name) for name in fields if is_needed(fields[name])}
        given_fields = st.fixed_dictionaries(needed, optional=values)
        return given_fields.map(
            lambda texts: ", ".join(
                f"{self.quote}{name}{self.quote}: {text}"
                for name, text in texts.items()
            )
        )


def is_needed(field: Any) -> bool:
    """Return whether a field or an argument has to be given."""
    return isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined


LITERAL, JSON = Form([*ODD, *ONLY_LITERAL], ""), Form([*ODD, *ONLY_JSON], '"')
ROOTS = [
    (kind, name, field.args)
    for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
    for name, field in (root.fields.items() if root else ())
    if field.args
]


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Draw a request that gives a root field's arguments as literals or variables."""
    kind, name, arguments = draw(st.sampled_from(ROOTS))
    selection = SELECTIONS.get(name, "{ __typename }")
    if draw(st.booleans()):
        nested = NESTED % tuple(draw(LITERAL.odd) for _ in range(3))
        selection = f"{{ {nested} }}" if name == "image" else selection
        literals = draw(LITERAL.fields(arguments).filter(bool))
        return request(f"{kind} {{ {name}({literals}) {selection} }}", "{}")
    declared = " ".join(f"${one}: {arguments[one].type}" for one in arguments)
    used = " ".join(f"{one}: ${one}" for one in arguments)
    document = f"{kind} ({declared}) {{ {name}({used}) {selection} }}"
    return request(document, f"{{{draw(JSON.fields(arguments))}}}")


def request(document: str, variables: str) -> str:
    """Return a body whose variables need not be JSON."""
    query = orjson.dumps(document).decode()
    return f'{{"query": {query}, "variables": {variables}}}'


def errors_of(gateway: Gateway, body: str) -> Sequence[Json]:
    """Send a body and return the errors, none of which may be ours."""
    headers = {"X-Auth-Token": "t", "Content-Type": "application/json"}
    response = gateway.client.post("/graphql", content=body, headers=headers)
    errors = response.json().get("errors", [])
    codes = {error["extensions"]["code"] for error in errors}
    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, response.text
    assert not codes & {"INTERNAL_SERVER_ERROR", "GLANCE_UNAVAILABLE"}, response.text
    return list(errors)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=bodies())
def test_no_input_is_an_internal_error(
    played: Gateway, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    """Neither for the client nor in the log."""
    errors_of(played, body)

    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("digits", [TOO_LONG, f"-{TOO_LONG}"], ids=["plus", "minus"])
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{ images(first: %s) { __typename } }", "Int cannot represent"),
        (
            "{ images(filter: {size: {min: %s}}) { __typename } }",
            "BigInt cannot represent value: ",
        ),
        (
            "mutation { createImage(input: {minDisk: %s}) { __typename } }",
            "Int cannot represent",
        ),
    ],
    ids=["argument", "of 64 bits", "input"],
)
def test_integer_of_any_length_is_an_error_of_the_document(
    played: Gateway, document: str, message: str, digits: str
) -> None:
    """Python converts no text of more than 4,300 digits."""
    (error,) = errors_of(played, request(document % digits, "{}"))

    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert error["message"].startswith(message)
    assert digits[:20] in error["message"]


def test_mutations_of_any_number_run_one_after_the_other(played: Gateway) -> None:
    """Where operators allow so many; each fails by itself."""
    update = 'updateImage(input: {id: "x", minDisk: null}) { __typename }'
    fields = " ".join(f"m{number}: {update}" for number in range(MUTATIONS))

    errors = errors_of(played, request(f"mutation {{ {fields} }}", "{}"))

    codes = [error["extensions"]["code"] for error in errors]
    assert set(codes[:-1]) == {"BAD_USER_INPUT"}
    assert codes[-1] == "ERRORS_OMITTED"
