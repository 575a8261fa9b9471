"""Clients that do not read, counted together."""

import socket
from asyncio import WriteTransport
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.server.slow_readers import SlowReaders


class Transport(WriteTransport):
    """A transport that is never sent, and can be cut off."""

    def __init__(self, connection: socket.socket) -> None:
        """Have a connection."""
        super().__init__({"socket": connection})
        self.is_cut_off = False

    def get_write_buffer_size(self) -> int:
        """Return the least that there can be."""
        return 1

    def abort(self) -> None:
        """Be cut off."""
        self.is_cut_off = True


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """Return a connection that nobody has."""
    with closing(socket.socket()) as opened:
        yield opened


def test_largest_is_cut_off(connection: socket.socket) -> None:
    """As soon as all together hold too much, whichever comes last."""
    readers = SlowReaders(max_bytes=10)
    small, large, last = (Transport(connection) for _ in range(3))
    readers.add(small, 3)
    readers.add(large, 7)

    assert not large.is_cut_off
    readers.add(last, 1)
    cut_off = [one.is_cut_off for one in (small, large, last)]
    assert cut_off == [False, True, False]


def test_one_that_reads_is_counted_no_longer(connection: socket.socket) -> None:
    """Nor twice, when it waits again."""
    readers = SlowReaders(max_bytes=10)
    first, second = Transport(connection), Transport(connection)
    readers.add(first, 9)
    readers.discard(first)
    readers.discard(first)
    readers.add(second, 9)
    readers.add(second, 10)

    assert not second.is_cut_off
