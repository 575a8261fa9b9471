"""GraphQL over WebSockets, as graphql-transport-ws has it."""

import asyncio
from collections.abc import Iterator

import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from gateway.asgi import socket_connection
from tests.gateway import Gateway, running_gateway
from tests.glance_double import GlanceDouble
from tests.websocket import Socket, socket

TYPENAME = {"data": {"__typename": "Query"}}
WATCH = "subscription ($id: ID!) { imageChanged(id: $id) { kind image { name } } }"
MAX = 2


@pytest.fixture
def connection(gateway: Gateway) -> Iterator[Socket]:
    """Return an open connection on which nobody has said who asks."""
    with socket(gateway) as opened:
        yield opened


TOKENS = [
    pytest.param({"X-Auth-Token": "{}"}, {}, id="payload"),
    pytest.param({"x-auth-token": "{}"}, {}, id="payload in lower case"),
    pytest.param({"Authorization": "Bearer {}"}, {}, id="bearer"),
    pytest.param({}, {"X-Auth-Token": "{}"}, id="upgrade request"),
    pytest.param({"X-Auth-Token": "{}"}, {"X-Auth-Token": "t"}, id="payload wins"),
]


@pytest.mark.parametrize(("payload", "headers"), TOKENS)
def test_token_comes_in_the_payload_or_with_the_upgrade(
    gateway: Gateway, token: str, payload: dict[str, str], headers: dict[str, str]
) -> None:
    """It says who asks for all operations of the connection."""
    image_id = gateway.create(token, name="mine")
    own = {name: value.format(token) for name, value in headers.items()}

    with socket(gateway, **own) as opened:
        opened.init(**{name: value.format(token) for name, value in payload.items()})
        opened.subscribe(WATCH, id=image_id)
        event = opened.event()

    assert event == {"kind": "SNAPSHOT", "image": {"name": "mine"}}


def test_query_is_answered_and_complete(connection: Socket) -> None:
    """Clients may send all their operations over one connection."""
    connection.init()
    connection.subscribe("{ __typename }")

    assert connection.answer() == TYPENAME
    assert connection.message() == {"id": "1", "type": "complete"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ image(", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (WATCH, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST"),
        ('subscription { imageChanged(id: "1") { kind } }', "UNAUTHENTICATED"),
    ],
)
def test_operation_that_can_not_begin_is_an_error(
    connection: Socket, document: str, code: str
) -> None:
    """The connection goes on."""
    connection.init()
    connection.subscribe(document)
    error = connection.error()
    connection.subscribe("{ __typename }")

    assert error["extensions"]["code"] == code
    assert connection.answer() == TYPENAME


VIOLATIONS = [
    pytest.param("{", 4400, id="no JSON"),
    pytest.param("[]", 4400, id="no object"),
    pytest.param('{"id": "1"}', 4400, id="no type"),
    pytest.param('{"type": "connect"}', 4400, id="unknown type"),
    pytest.param('{"type": "connection_init"}', 4429, id="second init"),
    pytest.param('{"type": "subscribe", "id": "1"}', 4400, id="no payload"),
    pytest.param(
        '{"type": "subscribe", "payload": {"query": "{a}"}}', 4400, id="no id"
    ),
]


@pytest.mark.parametrize(("text", "code"), VIOLATIONS)
def test_violation_of_the_protocol_closes(
    connection: Socket, text: str, code: int
) -> None:
    """With the code that the protocol has for it."""
    connection.init()
    connection.connection.send(text)

    assert connection.closed()[0] == code


def test_operation_before_the_acknowledgement_closes(connection: Socket) -> None:
    """Nobody has said who asks."""
    connection.subscribe("{ __typename }")

    assert connection.closed() == (4401, "Unauthorized")


def test_token_that_is_none_closes_without_showing_it(connection: Socket) -> None:
    """The reason does not hold it."""
    payload = {"X-Auth-Token": "sécret"}
    connection.send(type="connection_init", payload=payload)

    code, reason = connection.closed()

    assert code == 4403
    assert "cret" not in reason


def test_client_that_says_nothing_is_not_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection costs memory."""
    monkeypatch.setattr(socket_connection, "INIT_SECONDS", 0.01)

    with socket(gateway) as opened:
        assert opened.closed() == (4408, "Connection initialisation timeout")


def test_other_subprotocols_are_not_spoken(gateway: Gateway) -> None:
    """Such as the older graphql-ws."""
    with socket(gateway, protocol="graphql-ws") as opened:
        assert opened.closed() == (4406, "Speak graphql-transport-ws.")


def test_second_operation_of_an_id_closes(
    gateway: Gateway, connection: Socket, token: str
) -> None:
    """Its answers could not be told apart."""
    image_id = gateway.create(token, name="mine")
    connection.init(**{"X-Auth-Token": token})
    connection.subscribe(WATCH, id=image_id)
    connection.event()

    connection.subscribe(WATCH, id=image_id)

    assert connection.closed() == (4409, "Subscriber for 1 already exists")


def test_ping_is_answered_at_any_time(connection: Socket) -> None:
    """Before the acknowledgement, too."""
    connection.send(type="ping")
    first = connection.message()
    connection.init()
    connection.send(type="ping")

    assert first == connection.message() == {"type": "pong"}


def test_operations_of_a_connection_are_bounded(
    double: GlanceDouble, token: str
) -> None:
    """One that ends makes room for another."""
    with (
        running_gateway(double.url, subscriptions_per_connection=MAX) as gateway,
        socket(gateway) as opened,
    ):
        image_id = gateway.create(token, name="mine")
        opened.init(**{"X-Auth-Token": token})
        for name in ("1", "2"):
            opened.subscribe(WATCH, name=name, id=image_id)
            opened.event()
        opened.subscribe(WATCH, name="3", id=image_id)
        error = opened.error()
        opened.send(type="complete", id="1")
        opened.subscribe(WATCH, name="4", id=image_id)
        event = opened.event()

    assert error["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert event["kind"] == "SNAPSHOT"


def test_subscriptions_of_a_worker_are_bounded(
    double: GlanceDouble, token: str
) -> None:
    """However they come."""
    with (
        running_gateway(double.url, subscriptions=1) as gateway,
        socket(gateway) as one,
        socket(gateway) as other,
    ):
        image_id = gateway.create(token, name="mine")
        for opened in (one, other):
            opened.init(**{"X-Auth-Token": token})
        one.subscribe(WATCH, id=image_id)
        one.event()
        other.subscribe(WATCH, id=image_id)

        assert other.error()["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"


def test_gql_subscribes(gateway: Gateway, token: str) -> None:
    """A client library of Python's, with the token in its payload."""
    image_id = gateway.create(token, name="mine")
    url = str(gateway.client.base_url.join("/graphql")).replace("http", "ws", 1)

    async def first_event() -> object:
        transport = WebsocketsTransport(
            url=url,
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            init_payload={"X-Auth-Token": token},
        )
        document = gql(WATCH)
        document.variable_values = {"id": image_id}
        async with Client(transport=transport) as session:
            return await anext(aiter(session.subscribe(document)))

    event = {"kind": "SNAPSHOT", "image": {"name": "mine"}}
    assert asyncio.run(first_event()) == {"imageChanged": event}
