"""What subscriptions of one identity cost, and cost no longer once they have ended."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from weakref import ref

import orjson
import pytest

from gateway.cache.policy import topics_of
from gateway.caller import Caller
from gateway.facts import Facts, RejectionFacts
from gateway.glance.errors import Unauthenticated
from gateway.glance.listing import ImagePage, ImageQuery
from gateway.identity import Identity
from gateway.limits.subscriptions import SubscriptionLimits
from gateway.subscriptions.event_queue import MAX_RECORDS
from gateway.subscriptions.watch import Pace
from gateway.subscriptions.watches import Changes, Watches
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble
from tests.support.websocket import subscription

pytestmark = pytest.mark.anyio

IMAGES, LISTS = 900, 20
LIST_MAX_BYTES = 400_000
LIST = """subscription ($filter: ImageFilter) {
    imagesChanged(filter: $filter) { kind image { name } } }"""
IMAGE = "subscription ($id: ID!) { imageChanged(id: $id) { kind } }"
TOKEN = "alice:project:member"
TOPICS = topics_of(Identity(TOKEN).scope)
TEMPLATE = recorded_json("show-image")


class Cloud:
    """A catalog with one list of images, all of which change on request."""

    def __init__(self) -> None:
        """Hold images."""
        self.name = "old"
        self.has_expired = False
        self.polls = 0

    def listen(self, wake: Any) -> None:
        """Take what wakes the watches."""
        self.wake = wake

    async def write_versions(self, _: object) -> dict[str, bytes]:
        """Return that nobody has written."""
        return {}

    async def outdate(self, _: object) -> None:
        """Keep nothing."""

    async def list_images(self, *_: object) -> ImagePage:
        """Return new records each time, as decoded ones are."""
        self.polls += 1
        if self.has_expired:
            message = "The token has expired."
            raise Unauthenticated(message)
        text = orjson.dumps(TEMPLATE | {"name": self.name})
        images = [orjson.loads(text) | {"id": f"{one}"} for one in range(IMAGES)]
        return ImagePage(images, has_more=False)


@pytest.fixture
def cloud() -> Cloud:
    """Return a cloud of this test's own."""
    return Cloud()


@pytest.fixture
async def watches(cloud: Cloud) -> AsyncIterator[Watches]:
    """Poll once, and after writes."""
    pace = Pace(seconds=3600, transient_seconds=3600, timeout_seconds=60)
    catalog: Any = cloud
    made = Watches(catalog, pace, limits=SubscriptionLimits(1000, 100, 50))
    yield made
    await made.close()


@pytest.fixture
def traced() -> Iterator[None]:
    """Count bytes, and let only counted references free them."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


async def subscribed(watches: Watches, number: int) -> tuple[Changes, Any]:
    """Subscribe to a list, and return what waits for its first event, too."""
    caller = Caller(Identity(TOKEN), "req-1", asyncio.get_running_loop().time() + 60)
    changes = watches.images(caller, ImageQuery(filters=(("name", f"eq:{number}"),)))
    return changes, asyncio.ensure_future(anext(changes))


async def polled() -> None:
    """Let polls end that wait for nothing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def left(subscriptions: Sequence[tuple[Changes, Any]]) -> None:
    """End subscriptions."""
    for changes, waiting in subscriptions:
        waiting.cancel()
        await asyncio.wait([waiting])
        await changes.aclose()


@pytest.mark.usefixtures("traced")
async def test_list_costs_fingerprints_and_nothing_once_it_is_left(
    watches: Watches,
) -> None:
    """The records of each of 20 lists would take 2.4 MB."""
    before, _ = tracemalloc.get_traced_memory()

    subscriptions = [await subscribed(watches, one) for one in range(LISTS)]
    await polled()
    during, _ = tracemalloc.get_traced_memory()
    await left(subscriptions)
    del subscriptions
    await polled()
    after, _ = tracemalloc.get_traced_memory()

    assert during - before < LISTS * LIST_MAX_BYTES
    assert after - before < LIST_MAX_BYTES


@pytest.mark.usefixtures("traced")
async def test_subscriber_that_does_not_read_holds_few_records(
    watches: Watches, cloud: Cloud
) -> None:
    """Also if every image of its list has changed; each event is sent."""
    changes, waiting = await subscribed(watches, 1)
    await polled()
    before, _ = tracemalloc.get_traced_memory()

    cloud.name = "new"
    cloud.wake(TOPICS)
    await polled()
    during, _ = tracemalloc.get_traced_memory()
    events: list[Any] = [await waiting]
    events += [await anext(changes) for _ in range(IMAGES - 1)]
    await changes.aclose()

    assert during - before < 1_000_000
    assert {event.image_id for event in events} == {f"{n}" for n in range(IMAGES)}
    assert {event.image["name"] for event in events} == {"new"}
    assert cloud.polls <= 2 + IMAGES // MAX_RECORDS


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("has_expired", [False, True])
async def test_watch_is_freed_when_its_last_subscriber_leaves(
    watches: Watches, cloud: Cloud, *, has_expired: bool
) -> None:
    """Without a pass for garbage, also after a failure."""
    subscribed_to = await subscribed(watches, 1)
    await polled()
    watch = ref(next(iter(watches._watches.values())))  # noqa: SLF001
    cloud.has_expired = has_expired
    cloud.wake(TOPICS)
    await polled()

    await left([subscribed_to])
    del subscribed_to
    await polled()

    assert watch() is None


def test_lists_of_a_token_are_limited(double: GlanceDouble, token: str) -> None:
    """Equal lists are one, however their filters are written."""
    told: list[Facts] = []
    settings = {"subscribed_lists_per_identity": 1}
    one, same = {"tags": ["a", "b"]}, {"tags": ["b", "a"]}

    with ExitStack() as stack:
        gateway = stack.enter_context(limited_gateway(double, told, settings))
        stack.enter_context(subscription(gateway, token, LIST, filter=one))
        stack.enter_context(subscription(gateway, token, LIST, filter=same))
        third = stack.enter_context(subscription(gateway, token, LIST))
        error = third.error()

    assert error["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert "1 different lists" in error["message"]
    assert [(one.measured, one.limit) for one in rejections(told)] == [(2, 1)]


def test_subscriptions_of_a_token_are_limited(
    double: GlanceDouble, token: str, other_token: str
) -> None:
    """Other tokens still have their places."""
    told: list[Facts] = []
    settings = {"subscriptions_per_identity": 1}

    with ExitStack() as stack:
        gateway = stack.enter_context(limited_gateway(double, told, settings))
        image = {"id": gateway.create(other_token, name="golden")}
        stack.enter_context(subscription(gateway, token, LIST))
        second = stack.enter_context(subscription(gateway, token, LIST))
        other = stack.enter_context(subscription(gateway, other_token, IMAGE, **image))
        error, event = second.error(), other.event()

    assert error["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert "this token has 1 subscriptions" in error["message"]
    assert event == {"kind": "SNAPSHOT"}
    assert [one.scope for one in rejections(told)] == [Identity(token).scope]


def limited_gateway(
    double: GlanceDouble, told: list[Facts], settings: dict[str, Any]
) -> AbstractContextManager[Gateway]:
    """Run a gateway with limits, and a hook."""
    return running_gateway(double.url, hooks=[told.append], **settings)


def rejections(told: Sequence[Facts]) -> Sequence[RejectionFacts]:
    """Return the facts of rejections."""
    return [one for one in told if isinstance(one, RejectionFacts)]
