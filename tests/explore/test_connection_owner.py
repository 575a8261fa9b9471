"""Whose connections are, by the system's own tables."""

import socket
import sys

import pytest

from gateway.explore.connection_owner import is_own, owner_in

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
LINE = "1: {} {} 01 00000000:00000000 00:00000000 00000000  {}  0 {} 1 0 20 0 0 10 -1"
CLIENT, SERVER = ("127.0.0.1", 0xB01E), ("127.0.0.1", 8000)
LOCAL, REMOTE = "0100007F:B01E", "0100007F:1F40"
MAPPED = "0000000000000000FFFF00000100007F"

little_endian = pytest.mark.skipif(
    sys.byteorder != "little", reason="the table is in the machine's byte order"
)


@little_endian
@pytest.mark.parametrize(
    ("line", "owner"),
    [
        pytest.param(LINE.format(LOCAL, REMOTE, 1000, 77), 1000, id="client"),
        pytest.param(
            LINE.format(f"{MAPPED}:B01E", f"{MAPPED}:1F40", 1000, 77), 1000, id="IPv6"
        ),
        pytest.param(LINE.format(REMOTE, LOCAL, 1000, 77), None, id="server"),
        pytest.param(LINE.format(LOCAL, "0100007F:1F41", 1000, 77), None, id="other"),
        pytest.param(LINE.format(LOCAL, REMOTE, 0, 0), None, id="held-by-nobody"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_owner_is_that_of_the_clients_end(line: str, owner: int | None) -> None:
    """A closed end, which is listed as the administrator's, has no owner."""
    assert owner_in([HEAD, line], CLIENT, SERVER) == owner


@pytest.mark.parametrize(
    ("family", "host"),
    [
        pytest.param(socket.AF_INET, "127.0.0.1", id="IPv4"),
        pytest.param(socket.AF_INET6, "::ffff:127.0.0.1", id="IPv6"),
    ],
)
def test_own_connection_is_found(family: socket.AddressFamily, host: str) -> None:
    """Programs may reach an IPv4 address by a socket of either kind."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(family) as client,
    ):
        client.connect((host, server.getsockname()[1]))
        accepted, address = server.accept()
        with accepted:
            assert is_own(address, accepted.getsockname())


def test_connection_that_is_not_there_is_not_own() -> None:
    """What can't be found is nobody's."""
    assert not is_own(CLIENT, ("127.0.0.1", 1))
