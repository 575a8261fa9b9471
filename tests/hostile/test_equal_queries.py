"""A hundred equal heavy queries at once cost what one does."""

import asyncio
import threading
from collections import Counter
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.asgi import compression
from gateway.asgi.graphql import equal_queries, query_responses
from gateway.execution.operations import Operations
from tests.benchmark.loads import FIELDS, LIST
from tests.recorded import recorded_json
from tests.support.gateway import running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

pytestmark = pytest.mark.anyio

CLIENTS = 100
HEAVY = LIST % (1000, FIELDS)


class Counted:
    """How often each kind of work is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count executions, encoded responses, compressions and coalesced requests."""
        self.done: Counter[str] = Counter()
        self._changed = threading.Condition()
        for owner, name in (
            (Operations, "execute"),
            (query_responses, "encoded"),
            (compression, "compress"),
            (equal_queries.QueryExecution, "coalesce"),
        ):
            monkeypatch.setattr(owner, name, self._counting(name, getattr(owner, name)))

    def _counting(self, name: str, work: Any) -> Any:
        def counted(*arguments: Any, **keywords: Any) -> Any:
            with self._changed:
                self.done[name] += 1
                self._changed.notify_all()
            return work(*arguments, **keywords)

        return counted

    def wait_for(self, name: str, count: int) -> None:
        """Wait until something was done so often."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.done[name] >= count, 20)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Return what counts."""
    return Counted(monkeypatch)


def page(number_of_images: int) -> Reply:
    """Return a page of images."""
    image = recorded_json("show-image")
    images = [
        image | {"id": f"{number:08}-0000-4000-8000-000000000000"}
        for number in range(number_of_images)
    ]
    return json_reply({"images": images})


@pytest.mark.parametrize(
    "cache_ttl_images_seconds", [5, 0], ids=["cached", "not cached"]
)
async def test_hundred_equal_queries_are_executed_once(
    double: GlanceDouble, counted: Counted, cache_ttl_images_seconds: int
) -> None:
    """One call, one execution, one encoding; two compressions at most."""
    may_answer, reply = threading.Event(), page(1000)

    def script(_: Received) -> Reply:
        return Reply(reply.status, reply.body, reply.headers, until=may_answer)

    async def ask(client: aiohttp.ClientSession) -> bytes:
        own = {"X-Auth-Token": "t", "Accept-Encoding": "gzip"}
        body = {"query": HEAVY}
        async with client.post("/graphql", json=body, headers=own) as response:
            return await response.read()

    double.script = script
    connector = aiohttp.TCPConnector(limit=0)
    with running_gateway(
        double.url, cache_ttl_images_seconds=cache_ttl_images_seconds
    ) as gateway:
        url = str(gateway.client.base_url)
        async with aiohttp.ClientSession(url, connector=connector) as client:
            asked = [asyncio.create_task(ask(client)) for _ in range(CLIENTS)]
            await asyncio.to_thread(counted.wait_for, "coalesce", CLIENTS - 1)
            may_answer.set()
            answers = {await one for one in asked}

    (answer,) = answers
    assert len(orjson.loads(answer)["data"]["images"]["nodes"]) == 1000
    assert len(double.calls) == 1
    assert (counted.done["execute"], counted.done["encoded"]) == (1, 1)
    assert counted.done["compress"] <= 2
