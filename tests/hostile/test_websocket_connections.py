"""Attacks on WebSocket connections: floods, and clients that do not read."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from threading import Thread

import pytest
from websockets.frames import CloseCode, Opcode

from tests.hostile.victim import (
    IMAGES,
    Victim,
    frame,
    running_victim,
    subscribe_frame,
    text_frame,
)

MIB = 1024 * 1024
GROWTH_MIB = 50
# 64 MiB of messages, what has arrived of others, and what is around them.
MESSAGES_MIB = 110
SENDERS = 200
FRAGMENT = frame(b" " * 8191, fin=False)
UNFINISHED = [
    pytest.param(
        FRAGMENT + frame(b" " * 8191, Opcode.CONT, fin=False) * 126, id="fragments"
    ),
    pytest.param(frame(b" " * MIB)[:-1], id="a frame"),
]
STALL_SECONDS = 1
FLOOD_SECONDS = 0.7
LISTS = "{" + " ".join(f"a{number}: {IMAGES[1:-1]}" for number in range(10)) + "}"


def flood(victim: Victim, frames: Iterator[bytes], *, reads: bool) -> None:
    """Send frames until the gateway takes no more for a second, or cuts us off."""
    with victim.websocket() as connection:
        if reads:
            Thread(target=_drain, args=[connection], daemon=True).start()
        connection.settimeout(FLOOD_SECONDS)
        until = time.monotonic() + FLOOD_SECONDS
        with suppress(OSError):
            while time.monotonic() < until:
                connection.sendall(next(frames))


def pings() -> Iterator[bytes]:
    """Yield the smallest pings."""
    while True:
        yield frame(b"", Opcode.PING) * 50_000


def large_pings() -> Iterator[bytes]:
    """Yield pings whose pongs are as large as may be."""
    while True:
        yield frame(b"x" * 125, Opcode.PING) * 5000


def messages() -> Iterator[bytes]:
    """Yield pings of graphql-transport-ws."""
    while True:
        yield text_frame({"type": "ping"}) * 10_000


def fragments() -> Iterator[bytes]:
    """Yield the fragments of a message that has nothing in it and no end."""
    yield frame(b"", fin=False)
    while True:
        yield frame(b"", Opcode.CONT, fin=False) * 50_000


@pytest.mark.parametrize("reads", [True, False], ids=["reading", "not reading"])
@pytest.mark.parametrize("frames", [pings, large_pings, messages, fragments])
def test_flood_holds_nothing_and_nobody_up(
    victim: Victim, frames: Callable[[], Iterator[bytes]], *, reads: bool
) -> None:
    """Whether its responses are read or not."""
    before = victim.rss_mib()
    victim.forget_peak()

    flooding = Thread(target=flood, args=[victim, frames()], kwargs={"reads": reads})
    flooding.start()
    longest = victim.longest_wait(time.monotonic() + FLOOD_SECONDS)
    flooding.join()

    assert victim.peak_mib() < before + GROWTH_MIB
    assert longest < STALL_SECONDS


def test_client_that_does_not_read_is_cut_off(victim: Victim) -> None:
    """A hundred responses of megabytes are not made at once, and are given back."""
    victim.query(LISTS)
    before = victim.rss_mib()
    victim.forget_peak()
    with ExitStack() as stack:
        connections = [stack.enter_context(victim.websocket()) for _ in range(3)]
        for number in range(100):
            for connection in connections:
                with suppress(OSError):
                    connection.sendall(subscribe_frame(str(number), LISTS))
        victim.wait_until_cut_off(connections)

    assert victim.peak_mib() < 512
    assert victim.shrinks_to(before + GROWTH_MIB)


@pytest.mark.parametrize("message", UNFINISHED)
def test_unfinished_messages_are_bounded_together(message: bytes) -> None:
    """What is above the limit is closed with 1013; others are served."""
    with running_victim() as victim, ExitStack() as stack:
        senders = [stack.enter_context(victim.websocket()) for _ in range(SENDERS)]
        before = victim.rss_mib()
        victim.forget_peak()
        for one in senders:
            with suppress(OSError):
                one.sendall(message)
        code = close_code(senders[-1])

        assert victim.is_well()
        assert victim.peak_mib() < before + MESSAGES_MIB
        assert code == CloseCode.TRY_AGAIN_LATER


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(FRAGMENT, id="fragment"),
        pytest.param(FRAGMENT[:100], id="frame"),
        pytest.param(frame(b"", fin=False), id="empty fragment"),
        pytest.param(text_frame({"type": "ping"}) + FRAGMENT, id="second message"),
    ],
)
def test_message_that_does_not_arrive_is_rejected(victim: Victim, part: bytes) -> None:
    """Once the time for reading is up."""
    with victim.websocket() as connection:
        connection.sendall(part)

        assert close_code(connection) == CloseCode.POLICY_VIOLATION


def test_message_that_dribbles_is_rejected(victim: Victim) -> None:
    """Neither fragments nor pings buy time."""
    part = frame(b"", Opcode.CONT, fin=False) + frame(b"p", Opcode.PING)
    with victim.websocket() as connection, suppress(ConnectionError):
        connection.sendall(FRAGMENT)
        connection.settimeout(0.1)
        for _ in range(100):
            connection.sendall(part)
            with suppress(TimeoutError):
                while connection.recv(65536):
                    pass
                return
        pytest.fail("It is still open.")


def test_messages_that_arrive_have_all_the_time(victim: Victim) -> None:
    """Each has its own time; none runs between them."""
    ping = text_frame({"type": "ping"})
    with victim.websocket() as connection:
        connection.settimeout(0.2)
        for _ in range(3):
            connection.sendall(ping[:5])
            with suppress(TimeoutError):
                connection.recv(65536)
            connection.sendall(ping[5:])
            assert b"pong" in connection.recv(65536)
            with suppress(TimeoutError):
                connection.recv(65536)


def test_url_is_not_logged(victim: Victim) -> None:
    """There may be a token in it."""
    victim.websocket(b"?token=secret").close()
    assert victim.is_well()

    assert "secret" not in victim.log()


def close_code(connection: socket.socket) -> int:
    """Return the code that the gateway closes with, whatever comes before."""
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    # A pong of graphql-transport-ws is no close frame.
    _, _, close = received.rpartition(b"\x88")
    return int.from_bytes(close[1:3])


def _drain(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(1024 * 1024):
            pass
