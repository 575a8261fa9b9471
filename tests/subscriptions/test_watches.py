"""Watches without a server around them, where their tasks can be counted."""

import asyncio
from collections.abc import AsyncIterator
from queue import SimpleQueue

import httpx
import pytest

from gateway.cache.entry import Versions
from gateway.cache.policy import Freshness
from gateway.cache.reader import PlainReader
from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.transport import Transport
from gateway.identity import Identity
from gateway.limits.subscriptions import SubscriptionLimits
from gateway.reads import Reads
from gateway.subscriptions.watch import Pace
from gateway.subscriptions.watches import Watches
from tests.support.glance_double import GlanceDouble, Received
from tests.support.images import create_image

pytestmark = pytest.mark.anyio

SECONDS = 20
SELDOM = Pace(seconds=3600, transient_seconds=3600, timeout_seconds=SECONDS)


ONE = SubscriptionLimits(1, 1, 1)


class CacheThatComesBack(PlainReader):
    """A shared cache that is away when it is asked first."""

    def __init__(self) -> None:
        """Be away."""
        self._is_away = True

    async def versions(self, topics: tuple[str, ...]) -> Versions | None:
        """Return the same versions at any later time."""
        was_away, self._is_away = self._is_away, False
        return None if was_away else (b"version",) * len(topics)


@pytest.fixture
async def watches(double: GlanceDouble) -> AsyncIterator[Watches]:
    """Look once, and after writes."""
    transport = Transport(connections=1)
    bulkhead = Bulkhead(Bounds(calls=1))
    client = GlanceClient(
        transport, double.url, bulkhead=bulkhead, timeout_seconds=SECONDS
    )
    catalog = Catalog(client, Reads(client, Freshness()), CacheThatComesBack())
    made = Watches(catalog, SELDOM, limits=ONE)
    yield made
    await made.close()
    await transport.close()


@pytest.fixture
def image_id(rest: httpx.Client) -> str:
    """Create an image and return its id."""
    return create_image(rest, name="golden")


def caller(token: str) -> Caller:
    """Return a caller with time."""
    deadline_at = asyncio.get_running_loop().time() + SECONDS
    return Caller(Identity(token), "req-1", deadline_at)


async def test_write_while_the_shared_cache_was_away_is_not_missed(
    watches: Watches, token: str, image_id: str, looks: SimpleQueue[Received]
) -> None:
    """Once it is back, who has looked meanwhile looks again."""
    changes = watches.image(caller(token), image_id)
    await anext(changes)

    seen = [await asyncio.to_thread(looks.get, timeout=SECONDS) for _ in range(2)]

    assert [one.path for one in seen] == [f"/v2/images/{image_id}"] * 2
    await changes.aclose()


async def test_closed_watches_leave_no_task(
    watches: Watches, token: str, image_id: str
) -> None:
    """Also where a subscriber does not read on."""
    before = asyncio.all_tasks()
    changes = watches.image(caller(token), image_id)
    await anext(changes)

    await watches.close()

    assert asyncio.all_tasks() <= before
    await changes.aclose()
