"""Subscriptions go on, and stay quiet, when an image is malformed."""

from itertools import count
from queue import SimpleQueue
from typing import Any

import orjson
import pytest

from tests.recorded import recorded_json
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.websocket import subscription

ID = "6caf7a3f-feb9-4fb1-afb2-993c1ef019e6"
FIELDS = "kind id changed image { name status hidden tags properties { value } }"
LIST = "subscription { imagesChanged { %s } }" % FIELDS
ONE = 'subscription { imageChanged(id: "%s") { %s } }' % (ID, FIELDS)
NEEDED = 'subscription { imageChanged(id: "%s") { kind image { minDisk } } }' % ID
SECONDS = 20
POLLS = 5
MALFORMED: dict[str, Any] = {
    "status": None,
    "os_hidden": "true",
    "tags": None,
    "created_at": {},
    "stores": [],
    "__data_origin": None,
    "__support_kvm": True,
}


class Polls:
    """A Glance whose image is malformed, until it gets another name.

    The keys of an object among its values come in another order each time.
    """

    def __init__(self, double: GlanceDouble) -> None:
        """Answer each request."""
        self.requests: SimpleQueue[Received] = SimpleQueue()
        self.changes: dict[str, Any] = {}
        self._numbers = count()
        double.script = self._answer

    def wait(self) -> None:
        """Wait for some polls."""
        for _ in range(POLLS):
            self.requests.get(timeout=SECONDS)

    def _answer(self, request: Received) -> Reply:
        self.requests.put(request)
        keys = ["a", "b"] if next(self._numbers) % 2 else ["b", "a"]
        nested = {"__object": {key: {"x": 1} for key in keys}}
        image = recorded_json("show-image") | MALFORMED | nested | self.changes
        if request.path.endswith(ID):
            return json_reply(image)
        return json_reply({"images": [{"name": "no id"}, image, None, 5]})


@pytest.fixture
def polls(double: GlanceDouble) -> Polls:
    """Return the Glance."""
    return Polls(double)


def values(image: dict[str, Any]) -> list[Any]:
    """Return the values of the malformed properties, objects decoded."""
    last = [one["value"] for one in image["properties"]][-3:]
    return [*last[:2], orjson.loads(last[2])]


@pytest.mark.parametrize(("document", "snapshots"), [(LIST, 0), (ONE, 1)])
def test_malformed_image_is_told_when_it_changes(
    gateway: Gateway, polls: Polls, document: str, snapshots: int
) -> None:
    """Once for a change, and not at all without one."""
    with subscription(gateway, "t", document) as events:
        for _ in range(snapshots):
            assert events.event()["kind"] == "SNAPSHOT"
        polls.wait()
        polls.changes = {"name": "silver"}
        event = events.event()

    image = event.pop("image")
    assert event == {"kind": "UPDATED", "id": ID, "changed": ["name"]}
    assert values(image) == [None, "true", {"a": {"x": 1}, "b": {"x": 1}}]
    assert (image["status"], image["hidden"], image["tags"]) == ("UNKNOWN", True, [])


def test_image_that_cannot_be_shown_does_not_end_a_subscription(
    gateway: Gateway, polls: Polls
) -> None:
    """Each event without the image names it in an error."""
    polls.changes = {"min_disk": {}}

    with subscription(gateway, "t", NEEDED) as events:
        lost = events.answer()
        polls.wait()
        polls.changes = {"min_disk": "20"}
        event = events.event()

    assert lost["data"] == {"imageChanged": {"kind": "SNAPSHOT", "image": None}}
    assert [error["extensions"]["id"] for error in lost["errors"]] == [ID]
    assert event == {"kind": "UPDATED", "image": {"minDisk": 20}}
