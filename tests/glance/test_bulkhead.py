"""Waiting for one's turn to call Glance."""

import asyncio
import math

import pytest

from gateway.caller import Caller
from gateway.facts import Facts, RejectionFacts
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.crowd_limit import CrowdLimit
from gateway.glance.errors import GlanceTimeout, TooManyWaiting
from gateway.glance.transport import Transport
from gateway.identity import Identity
from tests.support.glance_double import GlanceDouble

KIND = ("GET", 3)

pytestmark = pytest.mark.anyio


def caller_of(token: str, deadline_at: float = math.inf) -> Caller:
    """Return a request of a token."""
    return Caller(Identity(token), "req-1", deadline_at)


class Line:
    """Callers who hold their slot until a test lets them go."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        """Begin with nobody."""
        self._bulkhead = bulkhead
        self.served: list[str] = []
        self.under_way: dict[str, asyncio.Event] = {}
        self.next_served = asyncio.Event()

    def __call__(self, name: str) -> "asyncio.Task[None]":
        """Let a caller come; its token is the name's first letter."""
        return asyncio.create_task(self._call(name))

    async def _call(self, name: str) -> None:
        async with self._bulkhead.slot(caller_of(name[0]), KIND) as slot:
            self.served.append(name)
            self.next_served.set()
            self.under_way[name] = asyncio.Event()
            await self.under_way[name].wait()
            slot.observe_response(200)
            del self.under_way[name]

    async def settle(self) -> None:
        """Let every caller go as far as it can."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def drain(self) -> None:
        """Let everybody go, one after the other, until nobody is left."""
        await self.settle()
        while self.under_way:
            next(iter(self.under_way.values())).set()
            await self.settle()


async def test_callers_are_served_in_turn() -> None:
    """Everybody is served, each when a slot is free."""
    line = Line(Bulkhead(Bounds(calls=1)))
    tasks = [line(name) for name in ("a1", "b1", "c1")]
    await line.settle()
    assert line.served == ["a1"]

    await line.drain()

    assert line.served == ["a1", "b1", "c1"]
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("leaver", ["a1", "a2"])
async def test_cancelled_call_releases_its_slot_or_place(leaver: str) -> None:
    """Waiting or in flight: the calls behind it proceed."""
    line = Line(Bulkhead(Bounds(calls=1)))
    tasks = {name: line(name) for name in ("a1", "a2", "a3")}
    await line.settle()

    tasks[leaver].cancel()
    line.under_way.pop(leaver, None)
    await line.drain()

    assert tasks["a3"].done()
    assert line.served == [
        name for name in ("a1", "a2", "a3") if name != leaver or name == "a1"
    ]


async def test_slot_of_a_call_cancelled_at_once_goes_to_the_next() -> None:
    """A cancelled turn takes no slot."""
    line = Line(Bulkhead(Bounds(calls=1)))
    first, second, third = (line(name) for name in ("a1", "a2", "a3"))
    await line.settle()

    line.under_way["a1"].set()
    second.cancel()
    await line.settle()

    assert line.served == ["a1", "a3"]
    await line.drain()
    await asyncio.gather(first, third)


async def test_call_beyond_the_queue_is_rejected_at_once() -> None:
    """The error states that nothing was sent, and hooks are notified."""
    facts: list[Facts] = []
    bulkhead = Bulkhead(Bounds(calls=1, waiting=1), hooks=[facts.append])
    line = Line(bulkhead)
    tasks = [line("a"), line("b")]
    await line.settle()

    with pytest.raises(TooManyWaiting) as rejected:
        await line("c")

    assert not rejected.value.was_sent
    scope = Identity("c").scope
    assert facts == [RejectionFacts("TOO_MANY_WAITING", 2, 1, scope, "req-1")]
    await line.drain()
    await asyncio.gather(*tasks)


async def test_crowd_goes_on_after_its_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that waits for the end of a pause enters when it ends."""
    monkeypatch.setattr(CrowdLimit, "pause_seconds", lambda *_: 0.01)
    line = Line(Bulkhead(Bounds()))
    names = "a1", "b1", "b2", "a2", "a3", "a4"
    tasks = []
    for name in names:
        tasks.append(line(name))
        await line.settle()

    async with asyncio.timeout(10):
        while len(line.served) < len(names):
            line.next_served.clear()
            await line.drain()
            await line.next_served.wait()

    await line.drain()
    await asyncio.gather(*tasks)


async def test_waiting_for_a_turn_counts_against_the_calls_time(
    double: GlanceDouble,
) -> None:
    """A call whose turn does not come in time is a timeout, and is never sent."""
    bulkhead, transport = Bulkhead(Bounds(calls=1)), Transport(connections=1)
    client = GlanceClient(transport, double.url, bulkhead=bulkhead, timeout_seconds=30)
    caller = caller_of("t", asyncio.get_running_loop().time() + 0.02)

    async with bulkhead.slot(caller_of("somebody"), KIND):
        with pytest.raises(GlanceTimeout):
            await client.get_image(caller, "1")

    assert (double.calls, caller.counters.calls) == ([], 0)
    await transport.close()
