"""Several requests in one: a JSON list, where the setting allows it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway import Gateway, running_gateway
from tests.glance_double import GlanceDouble, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { name } }"


@pytest.fixture
def batching(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that takes three requests in one."""
    with running_gateway(double.url, batch_max_requests=3) as running:
        yield running


def send(gateway: Gateway, *requests: Any) -> Any:
    """Send a list of requests and return the answers."""
    headers = {"X-Auth-Token": "t"}
    response = gateway.client.post("/graphql", json=requests, headers=headers)
    assert response.status_code == 200
    return response.json()


def test_each_request_of_a_list_is_answered_in_its_place(
    batching: Gateway, double: GlanceDouble
) -> None:
    """What is wrong with one is nothing to the others."""
    double.always(json_reply({"id": "1", "name": "x", "status": "active"}))

    answers = send(
        batching,
        {"query": "{ nothing }"},
        {"query": SHOW, "variables": {"id": "1"}},
        5,
    )

    assert [list(answer) for answer in answers] == [["errors"], ["data"], ["errors"]]
    assert answers[1] == {"data": {"image": {"name": "x"}}}


DEEP = b'{"a":' * 300 + b"1" + b"}" * 300
ODD = [
    pytest.param(b'{"query": "{ __typename }", "extensions": %s}' % DEEP, id="deep"),
    pytest.param(b'{"query": "\xff"}', id="no UTF-8"),
    pytest.param(b'{"query": "{a}", "variables": {"x": 1e999}}', id="large number"),
]


@pytest.mark.parametrize("body", ODD)
def test_request_of_a_list_is_answered_as_it_is_alone(
    batching: Gateway, body: bytes
) -> None:
    """It is read from the bytes that it was sent as."""
    headers = {"Content-Type": "application/json", "X-OpenStack-Request-ID": "req-1"}

    alone = batching.client.post("/graphql", content=body, headers=headers)
    listed = batching.client.post("/graphql", content=b"[%s]" % body, headers=headers)

    assert (listed.status_code, listed.json()) == (200, [alone.json()])


@pytest.mark.parametrize("body", [b"[", b"[nope]", b"[" * 100_000])
def test_list_that_is_no_json_is_refused(batching: Gateway, body: bytes) -> None:
    """As any other body."""
    headers = {"Content-Type": "application/json"}

    response = batching.client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"].startswith("The body is not JSON")


def test_equal_reads_of_a_list_are_one_call(
    batching: Gateway, double: GlanceDouble
) -> None:
    """As those of requests that come at the same time."""
    double.always(json_reply({"id": "1", "name": "x", "status": "active"}))

    send(batching, *[{"query": SHOW, "variables": {"id": "1"}}] * 3)

    assert len(double.calls) == 1


def test_list_is_no_stream_of_events(batching: Gateway) -> None:
    """Who takes nothing else is told so, and nothing is executed."""
    headers = {"Accept": "text/event-stream"}

    response = batching.client.post(
        "/graphql", json=[{"query": "{ __typename }"}], headers=headers
    )

    assert response.status_code == 406
    (error,) = response.json()["errors"]
    assert error["message"].startswith("A list of requests is answered as JSON")


def test_subscription_of_a_list_is_refused_in_its_place(batching: Gateway) -> None:
    """A stream has no place among answers."""
    watch = "subscription { imagesChanged { kind } }"
    headers = {"Accept": "text/event-stream, application/json"}

    response = batching.client.post(
        "/graphql",
        json=[{"query": watch}, {"query": "{ __typename }"}],
        headers=headers,
    )

    refused, answered = response.json()
    assert refused["errors"][0]["message"] == "A subscription must come alone."
    assert answered == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("number", [0, 4])
def test_list_of_too_many_or_none_is_refused(batching: Gateway, number: int) -> None:
    """As a whole."""
    requests = [{"query": "{ __typename }"}] * number

    response = batching.client.post("/graphql", json=requests)

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"] == "A list must hold 1 to 3 requests."
