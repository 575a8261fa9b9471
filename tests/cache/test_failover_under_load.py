"""Two gateways share a Valkey whose primary changes while they are asked."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import orjson
import pytest

from tests.cache.valkeys import How, fail_over, primary_and_replica, served_address_of
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { name } }"
RENAME = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { __typename } }"""
CLIENTS = 4
CEILING_SECONDS = 20

Pair = tuple[Gateway, Gateway]


class Glance:
    """A Glance whose images have names."""

    def __init__(self) -> None:
        """Begin without any name."""
        self.names: dict[str, str] = {}

    def __call__(self, received: Received) -> Reply:
        """Rename an image, or return it."""
        image_id = received.path.rpartition("/")[2]
        if received.method == "PATCH":
            (change,) = orjson.loads(received.body)
            self.names[image_id] = change["value"]
        name = self.names.get(image_id, "")
        return json_reply({"id": image_id, "name": name, "status": "active"})


def stale_reads(pair: Pair, image_id: str, is_over: threading.Event) -> int:
    """Write through each and read through both in turn; count old names."""
    stale = 0
    for number in count():
        name = f"name-{number}"
        pair[number % 2].data(RENAME, token="t", id=image_id, name=name)
        for gateway in pair * 2:
            image = gateway.data(SHOW, token="t", id=image_id)["image"]
            stale += image["name"] != name
        if is_over.is_set():
            return stale
    return stale


def await_cached(pair: Pair, double: GlanceDouble) -> None:
    """Read through both until what one has read costs the other no call."""
    ends_at = time.monotonic() + CEILING_SECONDS
    for number in count():
        image_id = f"cached-{number}"
        for gateway in pair:
            gateway.data(SHOW, token="t", id=image_id)
        if double.reads_of(image_id) == 1:
            return
        assert time.monotonic() < ends_at


@contextmanager
def loaded(pair: Pair) -> Iterator[list[int]]:
    """Ask without a pause; at the end the list has the stale reads of each client."""
    is_over, counts = threading.Event(), list[int]()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [
            pool.submit(stale_reads, pair, f"image-{number}", is_over)
            for number in range(CLIENTS)
        ]
        try:
            yield counts
        finally:
            is_over.set()
        counts += [client.result() for client in clients]


@pytest.mark.parametrize("how", ["FAILOVER", "REPLICAOF"])
def test_no_write_is_followed_by_a_stale_read(double: GlanceDouble, how: How) -> None:
    """Before, while and after the primary changes; then reads are shared again."""
    double.script = Glance()
    with (
        primary_and_replica() as (old, new),
        served_address_of(old.port) as address,
        running_gateway(double.url, cache_url=address.url) as one,
        running_gateway(double.url, cache_url=address.url) as other,
    ):
        pair = one, other
        await_cached(pair, double)
        with loaded(pair) as counts:
            fail_over(how, old, new)
            address.target = new.port
            await_cached(pair, double)

    assert counts == [0] * CLIENTS
