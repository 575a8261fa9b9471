"""Bodies that many clients send at once, and do not end."""

from gateway.server.limits import (
    LARGE_BODIES_MAX_BYTES,
    LARGE_BODY_FROM_BYTES,
    BodyBytes,
    LargeBodies,
)

MIB = 1024 * 1024


def test_large_bodies_are_bounded_for_each_worker() -> None:
    """The one that is too many is rejected, until another one has ended."""
    worker = LargeBodies()
    largest = LARGE_BODY_FROM_BYTES + LARGE_BODIES_MAX_BYTES
    first, second = BodyBytes(worker), BodyBytes(worker)

    assert first.add(largest)
    assert not second.add(LARGE_BODY_FROM_BYTES + 1)
    second.clear()
    first.clear()
    assert second.add(largest)


def test_small_bodies_are_not_counted() -> None:
    """Whatever large ones there are."""
    worker = LargeBodies()
    BodyBytes(worker).add(LARGE_BODY_FROM_BYTES + LARGE_BODIES_MAX_BYTES)

    small = BodyBytes(worker)

    assert all(small.add(1) for _ in range(LARGE_BODY_FROM_BYTES))
    assert not small.add(1)


def test_nothing_stays_counted() -> None:
    """However a body has come in pieces."""
    worker = LargeBodies()
    body = BodyBytes(worker)
    for _ in range(10):
        body.add(MIB)

    body.clear()

    assert worker.held_bytes == 0


def test_what_a_message_holds_is_given_back() -> None:
    """What is left of it stays counted, and always fits."""
    worker = LargeBodies()
    first, second = BodyBytes(worker), BodyBytes(worker)
    largest = LARGE_BODY_FROM_BYTES + LARGE_BODIES_MAX_BYTES
    first.hold(largest)

    assert not second.hold(largest)
    assert first.hold(LARGE_BODY_FROM_BYTES + 1)
    second.clear()
    assert worker.held_bytes == 1
