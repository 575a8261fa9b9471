"""Answers in the media type that a client takes."""

import pytest

from tests.support.gateway import Gateway

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"

TAKEN = [
    (None, JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (f"{JSON}; charset=utf-8", JSON),
    (RESPONSE, RESPONSE),
    (RESPONSE.upper(), RESPONSE),
    (f"{RESPONSE}, {JSON}", RESPONSE),
    (f"{JSON}, {RESPONSE}", RESPONSE),
    (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
    (f"{RESPONSE};q=0.8, {JSON};q=0.9", JSON),
    (f"{RESPONSE};q=0, */*", JSON),
    (f"{JSON};q=0, */*", RESPONSE),
    (f"{RESPONSE};q=x, {JSON};q=0.1", JSON),
    (f"text/html, application/xhtml+xml, {JSON};q=0.1, */*;q=0.8", RESPONSE),
    (
        f"{RESPONSE}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed",
        RESPONSE,
    ),
    ("x" * 1_000 + f", {JSON}", JSON),
]


@pytest.mark.parametrize(("accept", "media_type"), TAKEN)
def test_answer_has_the_media_type_that_is_preferred(
    gateway: Gateway, accept: str | None, media_type: str
) -> None:
    """By qualities; JSON where nothing is said."""
    request = gateway.client.build_request(
        "POST", "/graphql", json={"query": "{ __typename }"}
    )
    del request.headers["Accept"]
    if accept is not None:
        request.headers["Accept"] = accept

    response = gateway.client.send(request)

    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", f"{RESPONSE};q=2", ""])
def test_client_that_takes_no_json_is_told_so(gateway: Gateway, accept: str) -> None:
    """In JSON, for whoever looks."""
    response = gateway.post("{ __typename }", headers={"Accept": accept})

    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


REFUSED = [
    pytest.param("{ image(", {}, id="no GraphQL"),
    pytest.param("{ nothing }", {}, id="no such field"),
    pytest.param("query ($i: ID!) { image(id: $i) { id } }", {}, id="no variable"),
    pytest.param("{ __typename @defer }", {}, id="@defer"),
    pytest.param("{ images { nodes @stream { id } } }", {}, id="@stream"),
]


@pytest.mark.parametrize(("accept", "status"), [(RESPONSE, 400), (JSON, 200)])
@pytest.mark.parametrize(("document", "variables"), REFUSED)
def test_request_that_is_not_executed_has_no_data(
    gateway: Gateway,
    document: str,
    variables: dict[str, object],
    accept: str,
    status: int,
) -> None:
    """Its status says so to clients that know GraphQL's own media type."""
    headers = {"Accept": accept}

    response = gateway.post(document, token="t", headers=headers, **variables)

    assert response.status_code == status
    assert list(response.json()) == ["errors"]
