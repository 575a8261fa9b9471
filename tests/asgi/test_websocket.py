"""GraphQL over WebSockets, as the protocol graphql-transport-ws has it.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import orjson
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble
from tests.support.websocket import socket, subscription

WATCH = "subscription ($id: ID!) { imageChanged(id: $id) { kind image { name } } }"
IMAGE = "query ($id: ID!) { image(id: $id) { name } }"
RENAME = """mutation ($id: ID!) {
    updateImage(input: {id: $id, name: "silver"}) { image { name } } }"""
SELDOM: Json = {"poll_seconds": 3600, "poll_transient_seconds": 3600}
LARGE = 1024 * 1024 + 1


@pytest.fixture
def few(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that allows few subscriptions."""
    limits: Json = {"subscriptions": 3, "subscriptions_per_connection": 2}
    with running_gateway(double.url, **limits, **SELDOM) as running:
        yield running


@pytest.mark.parametrize(
    "name", ["X-Auth-Token", "x-auth-token", "X-AUTH_TOKEN", "Authorization"]
)
def test_token_is_in_the_first_payload(gateway: Gateway, token: str, name: str) -> None:
    """By the names of the headers, in any case."""
    image_id = gateway.create(token, name="golden")
    prefix = "Bearer " if name == "Authorization" else ""

    with socket(gateway) as opened:
        opened.init(**{name: prefix + token})
        opened.subscribe(IMAGE, id=image_id)
        answer = opened.answer()

    assert answer == {"data": {"image": {"name": "golden"}}}


def test_token_is_in_the_upgrade_request(gateway: Gateway, token: str) -> None:
    """For clients that can set its headers."""
    image_id = gateway.create(token, name="golden")

    with socket(gateway, **{"X-Auth-Token": token}) as opened:
        opened.init()
        opened.subscribe(IMAGE, id=image_id)
        answer = opened.answer()

    assert answer == {"data": {"image": {"name": "golden"}}}


def test_token_of_the_payload_comes_before_that_of_the_upgrade(
    gateway: Gateway, token: str, other_token: str
) -> None:
    """A client knows what it says; what a proxy adds comes second."""
    image_id = gateway.create(token, name="golden", visibility="PRIVATE")

    with socket(gateway, **{"X-Auth-Token": other_token}) as opened:
        opened.init(**{"X-Auth-Token": token})
        opened.subscribe(IMAGE, id=image_id)
        answer = opened.answer()

    assert answer == {"data": {"image": {"name": "golden"}}}


def test_without_a_token_operations_are_unauthenticated(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The connection itself needs none."""
    with socket(gateway) as opened:
        opened.init()
        opened.subscribe(WATCH, id="1")
        error = opened.error()

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert double.calls == []


def test_query_and_mutation_have_one_answer(gateway: Gateway, token: str) -> None:
    """Then they are complete."""
    image_id = gateway.create(token, name="golden")

    with socket(gateway) as opened:
        opened.init(**{"X-Auth-Token": token})
        opened.subscribe(RENAME, id=image_id)
        told = [opened.message(), opened.message()]
        opened.subscribe(IMAGE, id=image_id)
        told += [opened.message(), opened.message()]

    silver, complete = {"name": "silver"}, {"type": "complete", "id": "1"}
    changed = {"data": {"updateImage": {"image": silver}}}
    assert told == [
        {"type": "next", "id": "1", "payload": changed},
        complete,
        {"type": "next", "id": "1", "payload": {"data": {"image": silver}}},
        complete,
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        pytest.param("subscription {", "GRAPHQL_PARSE_FAILED", id="syntax"),
        pytest.param("{ nothing }", "GRAPHQL_VALIDATION_FAILED", id="schema"),
        pytest.param(WATCH, "BAD_USER_INPUT", id="variables"),
        pytest.param("fragment F on Query { __typename }", "BAD_REQUEST", id="none"),
    ],
)
def test_operation_that_cannot_be_executed_is_an_error(
    gateway: Gateway, token: str, document: str, code: str
) -> None:
    """With a code; the connection stays."""
    with subscription(gateway, token, document) as opened:
        error = opened.error()
        opened.subscribe("{ __typename }")
        answer = opened.answer()

    assert error["extensions"]["code"] == code
    assert answer == {"data": {"__typename": "Query"}}


def test_completed_operation_tells_nothing_more(gateway: Gateway, token: str) -> None:
    """Its id may be used again."""
    image_id = gateway.create(token, name="golden")

    with subscription(gateway, token, WATCH, id=image_id) as opened:
        opened.event()
        opened.send(type="complete", id="1")
        gateway.data(RENAME, token=token, id=image_id)
        opened.subscribe(IMAGE, id=image_id)
        message = opened.message()

    data = {"image": {"name": "silver"}}
    assert message == {"type": "next", "id": "1", "payload": {"data": data}}


def test_ping_is_answered(gateway: Gateway) -> None:
    """At any time, before the connection is initialised too."""
    with socket(gateway) as opened:
        opened.send(type="ping")
        before = opened.message()
        opened.init()
        opened.send(type="pong")
        opened.send(type="ping", payload={})
        after = opened.message()

    assert before == after == {"type": "pong"}


INIT = {"type": "connection_init"}
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}
FOREVER = {"query": "subscription { imagesChanged { kind } }"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        pytest.param([SUBSCRIBE], 4401, id="subscribe before init"),
        pytest.param([INIT, INIT], 4429, id="init twice"),
        pytest.param([{**INIT, "payload": 1}], 4400, id="payload is a number"),
        pytest.param(
            [{**INIT, "payload": {"X-Auth-Token": "é"}}], 4403, id="no token at all"
        ),
        pytest.param([INIT, {"type": "shout"}], 4400, id="unknown type"),
        pytest.param([INIT, {"id": "1"}], 4400, id="no type"),
        pytest.param([INIT, [1]], 4400, id="no object"),
        pytest.param([INIT, {**SUBSCRIBE, "id": 1}], 4400, id="id is a number"),
        pytest.param([INIT, {**SUBSCRIBE, "payload": {}}], 4400, id="no query"),
        pytest.param([INIT, {**SUBSCRIBE, "payload": None}], 4400, id="no payload"),
        pytest.param(
            [INIT, *[{**SUBSCRIBE, "payload": FOREVER}] * 2], 4409, id="id is taken"
        ),
        pytest.param([INIT, "{"], 4400, id="no JSON"),
        pytest.param([b"\x00"], 4400, id="bytes"),
        pytest.param(["x" * LARGE], 1009, id="too large"),
    ],
)
def test_violation_closes_the_connection(
    few: Gateway, token: str, messages: list[Any], code: int
) -> None:
    """With the code that the protocol gives it."""
    with socket(few, **{"X-Auth-Token": token}) as opened:
        for message in messages:
            is_raw = isinstance(message, str | bytes)
            text = message if is_raw else orjson.dumps(message).decode()
            opened.connection.send(text)
        seen, _ = opened.closed()

    assert seen == code


def test_other_subprotocols_are_refused(gateway: Gateway) -> None:
    """Clients of the protocol before it are told which one to speak."""
    with socket(gateway, protocol="graphql-ws") as opened:
        closed = opened.closed()

    assert closed == (4406, "Use the subprotocol graphql-transport-ws.")


def test_silent_client_is_closed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who never says who asks does not hold a connection."""
    monkeypatch.setattr(
        "gateway.asgi.streaming.websocket_connection.INIT_SECONDS", 0.05
    )

    with socket(gateway) as opened:
        closed = opened.closed()

    assert closed == (4408, "Connection initialisation timeout")


def test_connection_has_a_limit(few: Gateway, token: str) -> None:
    """One operation more is an error; those that run go on."""
    image_id = few.create(token, name="golden")

    with socket(few) as opened:
        opened.init(**{"X-Auth-Token": token})
        for name in "12":
            opened.subscribe(WATCH, name=name, id=image_id)
            opened.event()
        opened.subscribe(WATCH, name="3", id=image_id)
        error = opened.error()
        few.data(RENAME, token=token, id=image_id)
        kinds = [opened.event()["kind"] for _ in range(2)]

    extensions = error["extensions"]
    assert extensions.pop("requestId").startswith("req-")
    code = "TOO_MANY_SUBSCRIPTIONS"
    assert extensions == {"code": code, "measured": 3, "limit": 2}
    assert kinds == ["UPDATED", "UPDATED"]


def test_worker_has_a_limit(few: Gateway, token: str) -> None:
    """However many connections there are; who leaves makes room."""
    image_id = few.create(token, name="golden")

    with ExitStack() as stack:
        for _ in range(3):
            asked = subscription(few, token, WATCH, id=image_id)
            stack.enter_context(asked).event()
        with subscription(few, token, WATCH, id=image_id) as opened:
            error = opened.error()
    with subscription(few, token, WATCH, id=image_id) as opened:
        event = opened.event()

    assert error["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert event["kind"] == "SNAPSHOT"


@pytest.mark.anyio
async def test_gql_hears_of_a_change(gateway: Gateway, token: str) -> None:
    """A client library that many use, as it comes."""
    image_id = gateway.create(token, name="golden")
    url = str(gateway.client.base_url.join("/graphql")).replace("http", "ws", 1)
    transport = WebsocketsTransport(url=url, init_payload={"X-Auth-Token": token})
    request = gql(WATCH)
    request.variable_values = {"id": image_id}

    async with Client(transport=transport) as session:
        events = session.subscribe(request)
        first = await anext(events)
        gateway.data(RENAME, token=token, id=image_id)
        second = await anext(events)
        await events.aclose()

    told = [one["imageChanged"]["image"]["name"] for one in (first, second)]
    assert told == ["golden", "silver"]
