"""Messages of WebSockets that no client of ours sends."""

import logging
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.websocket import Socket, socket

NOBODY = "http://127.0.0.1:1"
TYPES = ["subscribe", "complete", "ping", "pong", "connection_init", "next"]
OF_A_PROTOCOL = {1002, 1003, 1007, 1009, *range(4400, 4500)}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([*TYPES, "{ __typename }"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(TYPES) | values,
        "id": values,
        "payload": values
        | st.fixed_dictionaries(
            {},
            optional={
                "query": st.just("query ($a: ID!) { image(id: $a) { id } }") | values,
                "variables": values | st.fixed_dictionaries({"a": values}),
                "operationName": values,
                "extensions": values,
            },
        ),
    },
)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Run a gateway that has no Glance."""
    with running_gateway(NOBODY) as running:
        yield running


def assert_no_bug(opened: Socket, text: str) -> None:
    """Send a message, which may neither be answered as a bug of ours nor be one."""
    told: list[Json] = []
    opened.connection.send(text)
    opened.connection.close()
    with pytest.raises(ConnectionClosed) as closed:
        told.extend(iter(opened.message, None))

    received = closed.value.rcvd
    assert received is not None
    assert received.code in {1000, *OF_A_PROTOCOL}
    assert b"INTERNAL_SERVER_ERROR" not in orjson.dumps(told)


@pytest.mark.parametrize("is_initialised", [False, True], ids=["first", "later"])
def test_any_json_gets_a_response_or_closes(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, *, is_initialised: bool
) -> None:
    """No message of a client is logged as an error."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(message=messages | values)
    def check(message: Json) -> None:
        with socket(gateway) as opened:
            if is_initialised:
                opened.init()
            assert_no_bug(opened, _text(message))

    check()

    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param('{"type": ["ping"]}', id="type is a list"),
        pytest.param('{"type": {"a": 1}}', id="type is an object"),
        pytest.param('{"type": null}', id="type is null"),
        pytest.param(b'{"type": "ping"}', id="binary"),
        pytest.param('{"type": "\\ud800"}', id="lone surrogate"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"type": ' + "9" * 5000 + "}", id="large number"),
        pytest.param('{"type": "complete", "id": []}', id="id is a list"),
    ],
)
@pytest.mark.parametrize("is_initialised", [False, True], ids=["first", "later"])
def test_malformed_message_closes_the_connection(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    sent: str | bytes,
    *,
    is_initialised: bool,
) -> None:
    """With a code of the protocol; a type that is unknown before it is said who."""
    with socket(gateway) as opened:
        if is_initialised:
            opened.init()
        opened.connection.send(sent)
        code, _ = opened.closed()

    assert code == 4400 or (not is_initialised and code == 4401)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_text_that_is_not_utf8_closes_the_connection(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """As RFC 6455 has it, without a traceback."""
    with socket(gateway) as opened:
        opened.init()
        opened.connection.send(b'{"type": "\xff"}', text=True)
        code, _ = opened.closed()

    assert code == 1007
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_long_id_closes_the_connection(gateway: Gateway) -> None:
    """It would come back with every message."""
    with socket(gateway) as opened:
        opened.init()
        opened.subscribe("{ __typename }", name="a" * 257)
        closed = opened.closed()

    assert closed == (4400, "An id may have 256 characters at most.")


@pytest.mark.parametrize("levels", [33, 260, 1000])
def test_deep_variables_are_an_error_of_their_operation(
    gateway: Gateway, levels: int
) -> None:
    """The connection, and what else runs in it, goes on."""
    deep = "[" * levels + "]" * levels
    payload = '{"query": "{ __typename }", "variables": {"v": %s}}' % deep

    with socket(gateway) as opened:
        opened.init()
        text = '{"type": "subscribe", "id": "1", "payload": %s}' % payload
        opened.connection.send(text)
        rejected = opened.message()
        opened.subscribe("{ __typename }", name="2")
        shown = opened.message()

    (error,) = rejected["payload"]
    assert error["extensions"]["code"] == "VARIABLES_DEPTH_LIMIT_EXCEEDED"
    assert shown["payload"]["data"] == {"__typename": "Query"}


def _text(message: Json) -> str:
    """Return JSON; Python writes integers of any size."""
    try:
        return orjson.dumps(message).decode()
    except TypeError:
        return str(message).replace("'", '"')
