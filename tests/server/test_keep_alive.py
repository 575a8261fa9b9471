"""How long a connection is kept for its client's next request."""

import gc
import socket
import struct

from gateway.server.config import limited_config
from gateway.server.http_connection import HttpConnection
from gateway.settings import Settings
from tests.support.gateway import running_gateway

GET = b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\n\r\n"
# nginx, HAProxy and Amazon's balancers keep theirs for a minute at most.
PROXIES_SECONDS = 60
FEW = 20


def test_connection_is_kept_as_long_as_the_setting_says() -> None:
    """Then it is closed without any data, which could be taken for a response."""
    with running_gateway("http://127.0.0.1:1", keep_alive_seconds=1) as gateway:
        url = gateway.client.base_url
        with socket.create_connection((url.host, url.port or 80), 10) as connection:
            connection.sendall(GET + GET)
            received = b""
            while more := connection.recv(65536):
                received += more

    assert received.count(b"HTTP/1.1 200") == 2


def test_connections_that_are_reset_hold_nothing() -> None:
    """Not even for the time that they would have been kept."""
    linger = struct.pack("ii", 1, 0)
    with running_gateway("http://127.0.0.1:1") as gateway:
        url = gateway.client.base_url
        for _ in range(200):
            with socket.create_connection((url.host, url.port or 80), 10) as connection:
                connection.sendall(GET)
                assert connection.recv(65536)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        gateway.data("{ __typename }", token=None)
        gc.collect()
        held = sum(isinstance(one, HttpConnection) for one in gc.get_objects())

    assert held < FEW


def test_connections_outlast_those_of_common_proxies() -> None:
    """A proxy that sends a request while its connection is closed loses it."""
    settings = Settings(glance_url="http://127.0.0.1:1")

    config = limited_config(lambda: None, settings)  # type: ignore[arg-type,return-value]

    assert config.timeout_keep_alive > PROXIES_SECONDS
