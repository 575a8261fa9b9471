"""Documents that are made to cost: rejected before they do, and others go on."""

from collections.abc import Iterator, Mapping

import pytest

from tests.hostile.served import Served, served
from tests.support.glance_double import GlanceDouble

# On a busy machine, five times what the limits are tuned for.
STALL_SECONDS = 0.5

ALIASES = "{%s}" % " ".join(f"a{n}: image(id: 1) {{ id }}" for n in range(10_000))
WIDE = "{%s}" % " ".join(
    f"a{n}: __schema {{ types {{ fields {{ args {{ type {{ name }} }} }} }} }}"
    for n in range(100)
)
CHAIN = " ".join(
    f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} __typename }}"
    for n in range(99)
)
DOCUMENTS = {
    "10,000 aliases": (ALIASES, "DOCUMENT_BYTES_LIMIT_EXCEEDED"),
    "as many aliases as bytes allow": (
        "{%s}" % " ".join(f"a{n}:stores{{id}}" for n in range(3_500)),
        "TOKEN_LIMIT_EXCEEDED",
    ),
    "as many aliases as tokens allow": (
        "{%s}" % " ".join(f"a{n}:__typename" for n in range(999)),
        "ALIAS_LIMIT_EXCEEDED",
    ),
    "introspection many times": (WIDE, "INTROSPECTION_LIMIT_EXCEEDED"),
    "introspection deep": (
        "{ __schema { types { %s name %s } } }" % ("fields { type { " * 5, "} } " * 5),
        "INTROSPECTION_LIMIT_EXCEEDED",
    ),
    "one field many times": (
        "{ __schema { %s } }" % ("__typename " * 2_900),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unknown fields": (
        "{ __schema { %s } }" % " ".join(f"a{n}" for n in range(2_900)),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fragments that double": (
        f"{{ ...F0 }} {CHAIN} fragment F99 on Query {{ __typename }}",
        "ROOT_FIELD_LIMIT_EXCEEDED",
    ),
    "lines": ("\n" * 60_000 + "{ a b c d e f g h i }", "GRAPHQL_VALIDATION_FAILED"),
    "quotes": ('"""' + '\\"""' * 15_000, "TOKEN_LIMIT_EXCEEDED"),
    "braces": ("{" * 2_900, "GRAPHQL_PARSE_FAILED"),
    "lists": ("{ image(id: %s) }" % ("[" * 2_900), "GRAPHQL_PARSE_FAILED"),
    "value": (
        'query ($a: Int = "%s") { __typename }' % ("x" * 60_000),
        "GRAPHQL_VALIDATION_FAILED",
    ),
}


@pytest.fixture(scope="module")
def gateway(shared_double: GlanceDouble) -> Iterator[Served]:
    """Run a gateway with the settings that it has by itself."""
    with served(shared_double.url) as running:
        yield running


@pytest.mark.parametrize(("document", "code"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_costly_document_is_rejected_and_stalls_nobody(
    gateway: Served, double: GlanceDouble, document: str, code: str
) -> None:
    """With few short errors, nothing asked of Glance, and no memory kept."""
    double.reset()
    before_mib = gateway.rss_mib()
    bodies: list[str] = []

    def attack() -> None:
        response = gateway.post(document, token="alice:p:member,reader")
        bodies.append(response.text)
        codes = {one["extensions"]["code"] for one in response.json()["errors"]}
        assert codes == {code}

    stall_seconds = gateway.stall_seconds(attack)

    assert stall_seconds < STALL_SECONDS
    assert len(bodies[0]) < 20_000
    assert double.calls == []
    assert gateway.rss_mib() - before_mib < 50


LARGE: Mapping[str, object] = {
    "variables": {"query": "{ __typename }", "variables": {"x": "y" * 1_040_000}},
    "nested variables": {
        "query": "{ __typename }",
        "variables": {"x": [[[[["y"] * 10] * 10] * 10] * 10] * 10},
    },
    "extensions": {"query": "{ __typename }", "extensions": {"x": ["y"] * 200_000}},
    "document": {"query": "{ __typename }" + " " * 1_040_000},
    "operation name": {"query": "{ __typename }", "operationName": "x" * 1_040_000},
}


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE.keys())
def test_body_of_a_mebibyte_stalls_nobody(gateway: Served, body: object) -> None:
    """Whatever in it is large."""
    statuses: list[int] = []

    def attack() -> None:
        statuses.append(gateway.client.post("/graphql", json=body).status_code)

    stall_seconds = gateway.stall_seconds(attack)

    assert stall_seconds < STALL_SECONDS
    assert statuses[0] < 500


@pytest.mark.parametrize(
    "document",
    [
        ALIASES[:60_000],
        "{ images { nodes { %s } } }" % ("id " * 2_000),
        "mutation { a }",
    ],
    ids=["aliases", "fields", "mutation"],
)
def test_request_for_data_without_a_token_costs_no_more_than_a_small_one(
    gateway: Served, double: GlanceDouble, document: str
) -> None:
    """One error, whatever the document has; it is not even parsed."""
    double.reset()
    small = cpu_seconds(gateway, "{ images { __typename } }")

    large = cpu_seconds(gateway, document)

    assert large < 5 * small
    assert double.calls == []


def cpu_seconds(gateway: Served, document: str) -> float:
    """Return the CPU of fifty requests without a token, of which each has one error."""
    before = gateway.cpu_seconds()
    for _ in range(50):
        (error,) = gateway.answer(document, token=None)["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
    return gateway.cpu_seconds() - before
