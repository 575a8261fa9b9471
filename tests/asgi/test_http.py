"""GraphQL over HTTP: what is answered how."""

import json
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble

JSON = {"Content-Type": "application/json"}
TYPENAME = {"data": {"__typename": "Query"}}


def test_query_can_be_asked_with_get(gateway: Gateway) -> None:
    """GET carries query, variables and operation name as parameters."""
    asked = {
        "query": "query A { __typename } query B($x: ID!) { image(id: $x) { id } }",
        "operationName": "A",
        "variables": json.dumps({"x": "1"}),
    }

    response = gateway.client.get("/graphql", params=asked)

    assert (response.status_code, response.json()) == (200, TYPENAME)


def test_mutation_is_refused_with_get(gateway: Gateway, double: GlanceDouble) -> None:
    """A link must not change anything."""
    query = "mutation { deleteImage(input: {id: 1}) { deletedId } }"

    response = gateway.client.get(
        "/graphql", params={"query": query}, headers={"X-Auth-Token": "t"}
    )

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    assert response.json()["errors"][0]["message"] == (
        "mutations are not allowed when using GET"
    )
    assert double.calls == []


HASH = {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}
NOT_SUPPORTED = ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("application/graphql-response+json", 400)],
)
def test_persisted_query_is_told_to_send_its_document(
    gateway: Gateway, method: str, accept: str, status: int
) -> None:
    """The message and the code are those that Apollo's and urql's clients look for."""
    asked: dict[str, Any] = {"operationName": "A", "variables": {}, "extensions": HASH}
    in_url = {**asked, "variables": "{}", "extensions": json.dumps(HASH)}
    is_post = method == "POST"

    response = gateway.client.request(
        method,
        "/graphql",
        headers={"Accept": accept},
        json=asked if is_post else None,
        params=None if is_post else in_url,
    )

    (error,) = response.json()["errors"]
    assert response.status_code == status
    assert (error["message"], error["extensions"]["code"]) == NOT_SUPPORTED


def test_persisted_query_with_its_document_is_executed(gateway: Gateway) -> None:
    """Nothing is looked up by the hash, so it need not be right."""
    asked = {"query": "{ __typename }", "extensions": HASH}

    response = gateway.client.post("/graphql", json=asked)

    assert (response.status_code, response.json()) == (200, TYPENAME)


BAD_BODIES = [
    pytest.param(b"", 400, "The body is not JSON", id="nothing"),
    pytest.param(b"{", 400, "The body is not JSON", id="no JSON"),
    pytest.param(b'"\xff"', 400, "The body is not JSON", id="no UTF-8"),
    pytest.param(b"5", 400, "The body must be a JSON object.", id="number"),
    pytest.param(b'"{a}"', 400, "The body must be a JSON object.", id="string"),
    pytest.param(b"[]", 400, "The body must be a JSON object.", id="list"),
    pytest.param(b"{}", 400, "The request needs query", id="no query"),
    pytest.param(b'{"query": 5}', 400, "The request needs query", id="odd query"),
    pytest.param(
        b'{"extensions": {"persistedQuery": null}}',
        400,
        "The request needs query",
        id="no persisted query",
    ),
    pytest.param(
        b'{"query": "{a}", "variables": []}',
        400,
        "variables must be a JSON object.",
        id="odd variables",
    ),
    pytest.param(
        b'{"query": "{a}", "operationName": 1}',
        400,
        "operationName must be text.",
        id="odd name",
    ),
    pytest.param(
        b'{"query": "query A { __typename }", "operationName": "B"}',
        400,
        'Unknown operation named "B".',
        id="unknown operation",
    ),
    pytest.param(
        b'{"query": "query A { __typename } mutation B { __typename }"}',
        400,
        "The document has several operations: say which by operationName.",
        id="several operations",
    ),
    pytest.param(
        b'{"query": "fragment A on Query { __typename }"}',
        400,
        "The document has no operation.",
        id="no operation",
    ),
    pytest.param(
        b'{"query": "{a}", "extensions": []}',
        400,
        "extensions must be a JSON object.",
        id="odd extensions",
    ),
    pytest.param(b" " * 1_048_577, 413, "The body is larger", id="too large"),
]


@pytest.mark.parametrize(("body", "status", "message"), BAD_BODIES)
def test_bad_request_says_what_is_wrong(
    gateway: Gateway, body: bytes, status: int, message: str
) -> None:
    """A request that can't be executed is a 4xx with a JSON error."""
    response = gateway.client.post("/graphql", content=body, headers=JSON)

    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert error["message"].startswith(message)
    assert error["extensions"]["code"] == "BAD_REQUEST"


BAD_QUERIES = [
    pytest.param("query=%FF", "The query of the URL is not UTF-8", id="no UTF-8"),
    pytest.param("query={a}&variables={", "The parameter variables", id="no JSON"),
    pytest.param("[%22%26query={__typename}%26%22]", "The request needs", id="list"),
    pytest.param("", "The request needs query", id="nothing"),
]


@pytest.mark.parametrize(("query", "message"), BAD_QUERIES)
def test_bad_query_of_a_url_says_what_is_wrong(
    gateway: Gateway, query: str, message: str
) -> None:
    """Nothing of it is guessed."""
    response = gateway.client.get(f"/graphql?{query}")

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"].startswith(message)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", ""])
def test_body_that_is_not_declared_json_is_refused(gateway: Gateway, kind: str) -> None:
    """Only JSON, which a foreign page can't send without asking first."""
    body, headers = b'{"query": "{ __typename }"}', {"Content-Type": kind}

    response = gateway.client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 415
    (error,) = response.json()["errors"]
    assert error["message"].startswith("The body must be JSON")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(gateway: Gateway, method: str) -> None:
    """POST and GET, no others."""
    response = gateway.client.request(method, "/graphql")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    (error,) = response.json()["errors"]
    assert error["message"].startswith("Send GraphQL requests with POST")


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{ image(", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ images(first: 1.5) { __typename } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($i: ID!) { image(id: $i) { id } }", {}, "BAD_USER_INPUT"),
        ("query ($i: Int!) { images(first: $i) { __typename } }", {"i": "x"}, ""),
        ("query ($i: Int = 1) { images(first: $i) { __typename } }", {"i": None}, ""),
    ],
)
def test_document_that_does_not_fit_the_schema_has_a_code(
    gateway: Gateway,
    double: GlanceDouble,
    document: str,
    variables: dict[str, Any],
    code: str,
) -> None:
    """GraphQL's own errors have codes, too, and cost Glance nothing."""
    error = gateway.error(document, token="t", **variables)

    assert error["extensions"]["code"] == (code or "BAD_USER_INPUT")
    assert double.calls == []


TIMES = ["2026-01-31T12:00:00", "2026-01-31", "2026-02-31T12:00:00Z", "now", 5]


@pytest.mark.parametrize("moment", TIMES)
def test_time_without_an_offset_is_refused(gateway: Gateway, moment: object) -> None:
    """A time in a filter is RFC 3339, with its offset."""
    document = """query ($filter: ImageFilter) {
        images(filter: $filter) { nodes { id } } }"""

    error = gateway.error(document, token="t", filter={"createdAt": {"gt": moment}})

    assert "DateTime" in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
