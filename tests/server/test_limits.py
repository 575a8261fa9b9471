"""What many clients send at once, and do not end."""

from gateway.server.limits import (
    LARGE_FROM_BYTES,
    LARGE_REQUESTS_MAX_BYTES,
    REQUESTS_MAX_BYTES,
    HeldBytes,
    HeldRequests,
)

MIB = 1024 * 1024


def test_large_requests_are_bounded_for_each_worker() -> None:
    """The one that is too many is rejected, until another one has ended."""
    worker = HeldRequests()
    first, second = HeldBytes(worker), HeldBytes(worker)

    assert first.add(LARGE_REQUESTS_MAX_BYTES)
    assert not second.add(LARGE_FROM_BYTES + 1)
    second.clear()
    first.clear()
    assert second.add(LARGE_REQUESTS_MAX_BYTES)


def test_small_requests_have_room_beside_large_ones() -> None:
    """Up to a bound that large ones cannot reach."""
    worker = HeldRequests()
    HeldBytes(worker).add(LARGE_REQUESTS_MAX_BYTES)
    room = REQUESTS_MAX_BYTES - LARGE_REQUESTS_MAX_BYTES
    small = [HeldBytes(worker) for _ in range(room // LARGE_FROM_BYTES)]

    assert all(one.add(LARGE_FROM_BYTES) for one in small)
    assert not HeldBytes(worker).add(1)


def test_nothing_stays_counted() -> None:
    """However a request has come in pieces."""
    worker = HeldRequests()
    request = HeldBytes(worker)
    for _ in range(10):
        request.add(MIB)

    request.clear()

    assert worker.held_bytes == 0


def test_bytes_of_a_message_are_released() -> None:
    """What is left of it stays counted, and always fits."""
    worker = HeldRequests()
    first, second = HeldBytes(worker), HeldBytes(worker)
    first.hold(LARGE_REQUESTS_MAX_BYTES)

    assert not second.hold(LARGE_REQUESTS_MAX_BYTES)
    assert first.hold(1)
    second.clear()
    assert worker.held_bytes == 1
