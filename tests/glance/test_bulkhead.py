"""Whose turn it is to call Glance."""

import asyncio

import pytest

from gateway.caller import Caller
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.client import GlanceClient
from gateway.glance.errors import GlanceTimeout
from gateway.glance.transport import Transport
from gateway.identity import Identity
from tests.glance_double import GlanceDouble

pytestmark = pytest.mark.anyio


class Line:
    """Callers who hold their slot until a test lets them go."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        """Begin with nobody."""
        self._bulkhead = bulkhead
        self.served: list[str] = []
        self.under_way: dict[str, asyncio.Event] = {}

    def __call__(self, name: str) -> "asyncio.Task[None]":
        """Let a caller come; its scope is the name's first letter."""
        return asyncio.create_task(self._call(name))

    async def _call(self, name: str) -> None:
        async with self._bulkhead.slot(name[0]):
            self.served.append(name)
            self.under_way[name] = asyncio.Event()
            await self.under_way[name].wait()
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


async def test_calls_at_once_are_bounded() -> None:
    """In all, and for each scope."""
    line = Line(Bulkhead(calls=3, calls_per_scope=2))
    tasks = [line(name) for name in ("a1", "a2", "a3", "b1", "b2")]
    await line.settle()

    assert line.served == ["a1", "a2", "b1"]

    await line.drain()
    await asyncio.gather(*tasks)
    assert sorted(line.served) == ["a1", "a2", "a3", "b1", "b2"]


async def test_first_come_is_first_served_within_a_scope() -> None:
    """Nobody overtakes within an identity."""
    line = Line(Bulkhead(calls=1, calls_per_scope=1))
    names = [f"a{number}" for number in range(6)]
    tasks = [line(name) for name in names]

    await line.drain()

    assert line.served == names
    await asyncio.gather(*tasks)


async def test_scopes_take_turns() -> None:
    """One identity's crowd does not make another wait for all of it."""
    line = Line(Bulkhead(calls=1, calls_per_scope=1))
    tasks = [line(name) for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2")]

    await line.drain()

    assert line.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("leaver", ["a1", "a2"])
async def test_one_who_leaves_gives_its_place_back(leaver: str) -> None:
    """Waiting or served: nothing is lost for those behind."""
    line = Line(Bulkhead(calls=1, calls_per_scope=1))
    tasks = {name: line(name) for name in ("a1", "a2", "a3")}
    await line.settle()

    tasks[leaver].cancel()
    line.under_way.pop(leaver, None)
    await line.drain()

    assert tasks["a3"].done()
    assert line.served == [
        name for name in ("a1", "a2", "a3") if name != leaver or name == "a1"
    ]


async def test_slot_given_to_one_who_has_just_left_is_given_on() -> None:
    """A cancelled turn takes no slot."""
    line = Line(Bulkhead(calls=1, calls_per_scope=1))
    first, second, third = (line(name) for name in ("a1", "a2", "a3"))
    await line.settle()

    second.cancel()
    line.under_way["a1"].set()
    await line.settle()

    assert line.served == ["a1", "a3"]
    await line.drain()
    await asyncio.gather(first, third)


async def test_waiting_for_a_turn_counts_against_the_calls_time(
    double: GlanceDouble,
) -> None:
    """A call whose turn does not come in time is a timeout, and is never sent."""
    bulkhead, transport = Bulkhead(calls=1, calls_per_scope=1), Transport(connections=1)
    client = GlanceClient(transport, double.url, bulkhead=bulkhead, timeout_seconds=30)
    deadline_at = asyncio.get_running_loop().time() + 0.02
    caller = Caller(Identity("t"), "req-1", deadline_at)

    async with bulkhead.slot("somebody"):
        with pytest.raises(GlanceTimeout):
            await client.get_image(caller, "1")

    assert (double.calls, caller.tally.calls) == ([], 0)
    await transport.close()
