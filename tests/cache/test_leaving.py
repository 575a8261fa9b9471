"""A read that several wait for outlives those who leave, but not the last."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

import pytest

from gateway.facts import Facts
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

FIRST = "{ image(id: 1) { name } }"
# Both images are asked for in one step: who asks for 2 waits for 1.
SECOND = "{ image(id: 1) { name } other: image(id: 2) { name } }"
ONE, TWO = ({"id": one, "name": one, "status": "active"} for one in "12")
SECONDS = 10


class HeldGlance:
    """A Glance that holds back image 1, and tells who is waiting for it."""

    def __init__(self) -> None:
        """Hold it back."""
        self.is_asked, self.is_joined, self.may_answer = Event(), Event(), Event()

    def __call__(self, received: Received) -> Reply:
        """Answer image 1 once it may, with more than a lost connection takes."""
        if received.path != "/v2/images/1":
            self.is_joined.set()
            return json_reply(TWO)
        self.is_asked.set()
        body = json_reply(ONE).body + b" " * 10_000_000
        return Reply(body=body, until=self.may_answer)


@pytest.fixture
def held(double: GlanceDouble) -> HeldGlance:
    """Return what the double plays."""
    double.script = glance = HeldGlance()
    return glance


@pytest.fixture
def ended() -> SimpleQueue[Facts]:
    """Return where the end of each request is told, of abandoned ones too."""
    return SimpleQueue()


@pytest.fixture
def gateway(double: GlanceDouble, ended: SimpleQueue[Facts]) -> Iterator[Gateway]:
    """Run a gateway with the settings that it has by itself."""
    with running_gateway(double.url, hooks=[ended.put]) as running:
        yield running


@pytest.fixture
def pool(held: HeldGlance) -> Iterator[ThreadPoolExecutor]:
    """Return threads for clients that wait."""
    with ThreadPoolExecutor() as threads:
        yield threads
        held.may_answer.set()


def calls_for_the_held_image(double: GlanceDouble) -> int:
    """Return how often Glance was asked for it."""
    return double.asked.count("GET /v2/images/1")


def test_read_outlives_the_client_that_began_it(
    gateway: Gateway,
    double: GlanceDouble,
    held: HeldGlance,
    ended: SimpleQueue[Facts],
    pool: ThreadPoolExecutor,
) -> None:
    """Who joined gets the answer of the one call when the first one leaves."""
    leaving = pool.submit(gateway.ask_and_leave, FIRST, token="t", once=held.is_joined)
    assert held.is_asked.wait(SECONDS)
    staying = pool.submit(gateway.data, SECOND, token="t")
    leaving.result()
    ended.get(timeout=SECONDS)

    held.may_answer.set()

    assert staying.result(SECONDS) == {"image": {"name": "1"}, "other": {"name": "2"}}
    assert calls_for_the_held_image(double) == 1


def test_read_outlives_a_client_that_joined_it(
    gateway: Gateway,
    double: GlanceDouble,
    held: HeldGlance,
    ended: SimpleQueue[Facts],
    pool: ThreadPoolExecutor,
) -> None:
    """Who began it gets the answer of the one call when the other leaves."""
    staying = pool.submit(gateway.data, FIRST, token="t")
    assert held.is_asked.wait(SECONDS)
    gateway.ask_and_leave(SECOND, token="t", once=held.is_joined)
    ended.get(timeout=SECONDS)

    held.may_answer.set()

    assert staying.result(SECONDS) == {"image": {"name": "1"}}
    assert calls_for_the_held_image(double) == 1


def test_read_ends_with_the_last_client_that_leaves(
    gateway: Gateway,
    double: GlanceDouble,
    held: HeldGlance,
    ended: SimpleQueue[Facts],
    pool: ThreadPoolExecutor,
) -> None:
    """Nobody waits for an answer that nobody will read."""
    pool.submit(gateway.ask_and_leave, FIRST, token="t", once=held.is_joined)
    assert held.is_asked.wait(SECONDS)
    gateway.ask_and_leave(SECOND, token="t", once=held.is_joined)
    for _ in range(2):
        ended.get(timeout=SECONDS)

    held.may_answer.set()

    assert double.has_lost_client.wait(SECONDS)
    assert calls_for_the_held_image(double) == 1
