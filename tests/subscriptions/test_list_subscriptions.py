"""Changes of a list of images as its subscribers hear of them."""

from queue import SimpleQueue
from typing import Any

import httpx

from gateway.facts import Facts, RefreshFacts
from gateway.identity import Identity
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.images import create_image, patch_image
from tests.support.websocket import subscription

LIST = """subscription ($filter: ImageFilter) {
    imagesChanged(filter: $filter) { kind id changed image { name } } }"""
SECONDS = 20
SELDOM = 3600


def await_baseline(looks: SimpleQueue[Received]) -> None:
    """Wait until the list is known: the next look has begun."""
    for _ in range(2):
        looks.get(timeout=SECONDS)


def test_images_appear_change_and_go(
    gateway: Gateway, token: str, rest: httpx.Client, looks: SimpleQueue[Received]
) -> None:
    """Each is an event; those that were there before are none."""
    create_image(rest, name="old", tags=["lts"])
    told = []

    with subscription(gateway, token, LIST, filter={"tags": ["lts"]}) as events:
        await_baseline(looks)
        image_id = create_image(rest, name="golden", tags=["lts"])
        told.append(events.event())
        patch_image(rest, image_id, name="silver")
        told.append(events.event())
        rest.delete(f"/images/{image_id}").raise_for_status()
        told.append(events.event())

    assert told == [
        {"kind": kind, "id": image_id, "changed": changed, "image": image}
        for kind, changed, image in (
            ("CREATED", [], {"name": "golden"}),
            ("UPDATED", ["name"], {"name": "silver"}),
            ("DELETED", [], None),
        )
    ]


def test_image_that_no_longer_matches_is_gone(
    gateway: Gateway, token: str, rest: httpx.Client, looks: SimpleQueue[Received]
) -> None:
    """As if it were deleted."""
    image_id = create_image(rest, name="golden", tags=["lts"])

    with subscription(gateway, token, LIST, filter={"tags": ["lts"]}) as events:
        await_baseline(looks)
        patch_image(rest, image_id, tags=[])
        event = events.event()

    assert event == {"kind": "DELETED", "id": image_id, "changed": [], "image": None}


def test_write_through_the_gateway_is_told_at_once(
    double: GlanceDouble, token: str, project: str
) -> None:
    """Nobody waits for the next look."""
    knows: SimpleQueue[Facts] = SimpleQueue()
    settings: dict[str, Any] = {
        "poll_seconds": SELDOM,
        "poll_transient_seconds": SELDOM,
    }
    mine = {"owner": project}

    with (
        running_gateway(double.url, hooks=[knows.put], **settings) as gateway,
        subscription(gateway, token, LIST, filter=mine) as events,
    ):
        look = knows.get(timeout=SECONDS)
        gateway.create(token, name="golden")
        event = events.event()

    assert (event["kind"], event["image"]) == ("CREATED", {"name": "golden"})
    assert look == RefreshFacts(Identity(token).scope, calls=1)


def test_list_that_is_too_long_is_refused(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """It would take Glance seconds each time."""
    page = {"images": [{"id": str(number)} for number in range(1000)], "next": "/more"}
    double.always(json_reply(page))

    with subscription(gateway, token, LIST) as events:
        error = events.error()

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "filter"


def test_filter_that_glance_cannot_be_asked_is_refused(
    gateway: Gateway, token: str
) -> None:
    """As in a query."""
    with subscription(gateway, token, LIST, filter={"tags": [" lts"]}) as events:
        error = events.error()

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "filter.tags"


def test_warning_of_an_outage_comes_with_the_next_event(
    gateway: Gateway,
    double: GlanceDouble,
    token: str,
    rest: httpx.Client,
    looks: SimpleQueue[Received],
) -> None:
    """A list has no state to tell again."""

    def fail(received: Received) -> Reply:
        looks.put(received)
        return Reply(503)

    with subscription(gateway, token, LIST, filter={"tags": ["lts"]}) as events:
        await_baseline(looks)
        double.script = fail
        await_baseline(looks)
        await_baseline(looks)
        double.script = looks.put
        create_image(rest, name="golden", tags=["lts"])
        answer = events.answer()

    (warning,) = answer["extensions"]["warnings"]
    assert warning["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert answer["data"]["imagesChanged"]["kind"] == "CREATED"
