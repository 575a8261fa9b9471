"""Equal work at the same time is done once, and ends with the last who waits."""

import asyncio

import pytest

from gateway.cache.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Work:
    """Work that a test lets end."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.started = 0
        self.was_cancelled = False
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> bytes:
        """Wait to be let end."""
        self.started += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return b"done"


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def work() -> Work:
    """Return work that has not started."""
    return Work()


async def test_equal_work_is_done_once(work: Work) -> None:
    """Everybody who wants it at the same time gets the one result."""
    flights = SingleFlight[bytes]()
    waiting = [asyncio.create_task(flights.run("k", work)) for _ in range(64)]
    await settle()
    work.may_end.set()

    assert await asyncio.gather(*waiting) == [b"done"] * 64
    assert work.started == 1


async def test_work_is_done_anew_once_it_has_ended(work: Work) -> None:
    """Nothing is kept of a result."""
    flights = SingleFlight[bytes]()
    work.may_end.set()

    for _ in range(2):
        await flights.run("k", work)

    assert work.started == 2
    assert not flights.has("k")


async def test_one_who_leaves_cancels_nothing_for_the_others(work: Work) -> None:
    """Also where it is the one who started it."""
    flights = SingleFlight[bytes]()
    first, second = (asyncio.create_task(flights.run("k", work)) for _ in range(2))
    await settle()

    first.cancel()
    await settle()
    work.may_end.set()

    assert await second == b"done"
    assert first.cancelled()
    assert work.started == 1


async def test_last_one_who_leaves_ends_the_work(work: Work) -> None:
    """Nobody waits for an answer that nobody will read."""
    flights = SingleFlight[bytes]()
    waiting = [asyncio.create_task(flights.run("k", work)) for _ in range(3)]
    await settle()

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)

    assert work.was_cancelled
    assert not flights.has("k")


async def test_error_reaches_all_and_is_not_remembered(work: Work) -> None:
    """The next one tries again."""
    flights = SingleFlight[bytes]()
    work.error = LookupError("broken")
    waiting = [asyncio.create_task(flights.run("k", work)) for _ in range(3)]
    await settle()
    work.may_end.set()

    results = await asyncio.gather(*waiting, return_exceptions=True)
    work.error = None

    assert [type(result) for result in results] == [LookupError] * 3
    assert await flights.run("k", work) == b"done"


async def test_closing_ends_what_is_under_way(work: Work) -> None:
    """No task is left behind."""
    flights = SingleFlight[bytes]()
    waiting = asyncio.create_task(flights.run("k", work))
    await settle()

    await flights.close()

    assert work.was_cancelled
    with pytest.raises(asyncio.CancelledError):
        await waiting
