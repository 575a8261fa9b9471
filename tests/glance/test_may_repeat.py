"""Which calls may be sent a second time."""

import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from gateway.glance.body import BodyRejected
from gateway.glance.failures import may_repeat
from gateway.glance.transport import ResponseRejected


def connector_error(error: OSError) -> aiohttp.ClientConnectorError:
    """Return aiohttp's error for a connection that could not be made."""
    key = ConnectionKey("glance", 80, False, True, None, None, None)  # noqa: FBT003
    return aiohttp.ClientConnectorError(key, error)


ALWAYS, IF_HARMLESS, IF_IDEMPOTENT, NEVER = "1111", "1110", "1010", "0000"


@pytest.mark.parametrize(
    ("error", "decisions"),
    [
        (connector_error(ConnectionRefusedError()), ALWAYS),
        (connector_error(ConnectionResetError()), ALWAYS),
        (connector_error(socket.gaierror()), NEVER),
        (connector_error(ssl.SSLError()), NEVER),
        (aiohttp.ServerDisconnectedError(), IF_HARMLESS),
        (aiohttp.ClientOSError(), IF_HARMLESS),
        (ResponseRejected(), IF_IDEMPOTENT),
        (aiohttp.ClientPayloadError(), NEVER),
        (aiohttp.ServerTimeoutError(), NEVER),
        (TimeoutError(), NEVER),
        (BodyRejected("too large"), NEVER),
    ],
)
def test_call_is_repeated_where_that_does_no_harm(
    error: Exception, decisions: str
) -> None:
    """It was not sent, or Glance carries it out once."""
    decided = [
        may_repeat(error, was_sent=was_sent, is_idempotent=is_idempotent)
        for was_sent in (False, True)
        for is_idempotent in (True, False)
    ]

    assert decided == [one == "1" for one in decisions]
