"""Changes of an image as its subscribers hear of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Event

import httpx
import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.images import create_image, patch_image
from tests.support.websocket import Socket, socket, subscription

IMAGE = """subscription ($id: ID!) {
    imageChanged(id: $id) { kind id changed image { name tags } } }"""
NAME = "subscription ($id: ID!) { imageChanged(id: $id) { kind image { name } } }"
TASKS = """subscription ($id: ID!) {
    imageChanged(id: $id) { image { name tasks { id } } } }"""
RENAME = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { image { name } } }"""
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
NO_IMAGE = "00000000-0000-4000-8000-000000000000"
SECONDS = 20
SELDOM = 3600
SUBSCRIBERS, CONNECTIONS = 500, 5
UNAVAILABLE = Reply(503)


@pytest.fixture
def patient_gateway(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that looks once, and after writes."""
    with running_gateway(
        double.url, poll_seconds=SELDOM, poll_transient_seconds=SELDOM
    ) as running:
        yield running


def test_first_event_is_the_present_state(gateway: Gateway, token: str) -> None:
    """Who subscribes needs no query for how the image is."""
    image_id = gateway.create(token, name="golden", tags=["lts"])

    with subscription(gateway, token, IMAGE, id=image_id) as events:
        event = events.event()

    image = {"name": "golden", "tags": ["lts"]}
    assert event == {"kind": "SNAPSHOT", "id": image_id, "changed": [], "image": image}


def test_change_past_the_gateway_is_an_event(
    gateway: Gateway, token: str, rest: httpx.Client
) -> None:
    """It names the fields that differ, and additional properties by their own names."""
    image_id = gateway.create(token, name="golden")

    with subscription(gateway, token, IMAGE, id=image_id) as events:
        events.event()
        patch_image(rest, image_id, name="silver", os_distro="debian", os_hidden=True)
        event = events.event()

    assert event == {
        "kind": "UPDATED",
        "id": image_id,
        "changed": ["hidden", "name", "os_distro"],
        "image": {"name": "silver", "tags": []},
    }


def test_deletion_is_the_last_event(gateway: Gateway, token: str) -> None:
    """After it the operation is complete."""
    image_id = gateway.create(token, name="golden")

    with subscription(gateway, token, IMAGE, id=image_id) as events:
        events.event()
        gateway.data(DELETE, token=token, id=image_id)
        event, end = events.event(), events.message()

    assert event == {"kind": "DELETED", "id": image_id, "changed": [], "image": None}
    assert end == {"type": "complete", "id": "1"}


@pytest.mark.parametrize("status", ["deleted", "pending_delete"])
def test_image_in_deletion_is_deleted(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client, status: str
) -> None:
    """Glance shows an image for a moment with the status of a deleted one."""
    image_id = create_image(rest, name="golden")
    image = rest.get(f"/images/{image_id}").json()

    with subscription(gateway, token, NAME, id=image_id) as events:
        events.event()
        double.always(json_reply(image | {"status": status}))
        event, end = events.event(), events.message()

    assert event == {"kind": "DELETED", "image": None}
    assert end == {"type": "complete", "id": "1"}


def test_missing_image_is_not_found(gateway: Gateway, token: str) -> None:
    """There is nothing to wait for."""
    with subscription(gateway, token, IMAGE, id=NO_IMAGE) as events:
        error = events.error()

    assert error["extensions"]["code"] == "NOT_FOUND"
    assert NO_IMAGE in error["message"]


def test_unchanged_image_costs_no_event(
    gateway: Gateway, token: str, rest: httpx.Client, looks: SimpleQueue[Received]
) -> None:
    """However often Glance is asked."""
    image_id = create_image(rest, name="golden")

    with subscription(gateway, token, NAME, id=image_id) as events:
        for _ in range(5):
            looks.get(timeout=SECONDS)
        patch_image(rest, image_id, name="silver")
        told = [events.event(), events.event()]

    assert told == [
        {"kind": "SNAPSHOT", "image": {"name": "golden"}},
        {"kind": "UPDATED", "image": {"name": "silver"}},
    ]


def test_write_through_the_gateway_is_told_at_once(
    patient_gateway: Gateway, token: str
) -> None:
    """Nobody waits for the next look."""
    image_id = patient_gateway.create(token, name="golden")

    with subscription(patient_gateway, token, NAME, id=image_id) as events:
        events.event()
        patient_gateway.data(RENAME, token=token, id=image_id, name="silver")
        event = events.event()

    assert event == {"kind": "UPDATED", "image": {"name": "silver"}}


def test_write_of_another_identity_is_told_at_once(
    patient_gateway: Gateway, token: str, project: str
) -> None:
    """Whoever made it."""
    image_id = patient_gateway.create(token, name="golden")
    colleague = f"carol:{project}:member,reader"

    with subscription(patient_gateway, colleague, NAME, id=image_id) as events:
        events.event()
        patient_gateway.data(RENAME, token=token, id=image_id, name="silver")
        event = events.event()

    assert event == {"kind": "UPDATED", "image": {"name": "silver"}}


def test_newcomer_after_a_write_sees_it(patient_gateway: Gateway, token: str) -> None:
    """The present state is not that of the last look."""
    image_id = patient_gateway.create(token, name="golden")

    with subscription(patient_gateway, token, NAME, id=image_id) as first:
        first.event()
        patient_gateway.data(RENAME, token=token, id=image_id, name="silver")
        with subscription(patient_gateway, token, NAME, id=image_id) as events:
            event = events.event()

    assert event == {"kind": "SNAPSHOT", "image": {"name": "silver"}}


def many_subscribers(
    stack: ExitStack, gateway: Gateway, token: str, image_id: str
) -> list[Socket]:
    """Return connections with 500 subscribers to the image."""
    sockets = [stack.enter_context(socket(gateway)) for _ in range(CONNECTIONS)]
    for opened in sockets:
        opened.init(**{"X-Auth-Token": token})
        for name in range(SUBSCRIBERS // CONNECTIONS):
            opened.subscribe(NAME, name=str(name), id=image_id)
    return sockets


def test_many_subscribers_are_one_look(
    patient_gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """Glance is asked once for 500 of them, and once more after a write."""
    image_id = patient_gateway.create(token, name="golden")

    with ExitStack() as stack:
        sockets = many_subscribers(stack, patient_gateway, token, image_id)
        first = [each.event() for each in sockets * (SUBSCRIBERS // CONNECTIONS)]
        reads = [double.reads_of(image_id)]
        patient_gateway.data(RENAME, token=token, id=image_id, name="silver")
        second = [each.event() for each in sockets * (SUBSCRIBERS // CONNECTIONS)]
        reads.append(double.reads_of(image_id))

    assert first == [{"kind": "SNAPSHOT", "image": {"name": "golden"}}] * SUBSCRIBERS
    assert second == [{"kind": "UPDATED", "image": {"name": "silver"}}] * SUBSCRIBERS
    assert reads == [1, 2]


def test_identities_share_no_look(
    patient_gateway: Gateway, double: GlanceDouble, token: str, other_token: str
) -> None:
    """What one may see says nothing of what another one may."""
    image_id = patient_gateway.create(token, name="golden")

    with (
        subscription(patient_gateway, token, NAME, id=image_id) as owner,
        subscription(patient_gateway, other_token, NAME, id=image_id) as other,
    ):
        event, error = owner.event(), other.error()

    assert event == {"kind": "SNAPSHOT", "image": {"name": "golden"}}
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert double.reads_of(image_id) == 2


def test_look_is_remembered_for_queries(
    patient_gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """What a subscription knows, a query of the same token need not ask for."""
    image_id = patient_gateway.create(token, name="golden")

    with subscription(patient_gateway, token, NAME, id=image_id) as events:
        events.event()
        document = "query ($id: ID!) { image(id: $id) { name } }"
        patient_gateway.data(document, token=token, id=image_id)

    assert double.reads_of(image_id) == 1


def test_tasks_of_an_event_are_as_new_as_the_event(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """A change that others made forgets what is remembered of the image."""
    image_id = create_image(rest, name="golden")

    with subscription(gateway, token, TASKS, id=image_id) as events:
        events.event()
        patch_image(rest, image_id, name="silver")
        event = events.event()

    assert event == {"image": {"name": "silver", "tasks": []}}
    assert double.asked.count(f"GET /v2/images/{image_id}/tasks") == 2


def test_refused_token_ends_the_subscription(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """With the code that says why; Glance is not asked again."""
    image_id = gateway.create(token, name="golden")

    with subscription(gateway, token, NAME, id=image_id) as events:
        events.event()
        double.always(Reply(401))
        error = events.error()
        asked = len(double.calls)
        gateway.data("{ __typename }", token=token)

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["extensions"]["requestId"].startswith("req-")
    assert len(double.calls) == asked


def test_outage_is_told_once_and_survived(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """The last known state comes with a warning, later changes without."""
    image_id = create_image(rest, name="golden")
    looks: SimpleQueue[None] = SimpleQueue()

    def fail(_: Received) -> Reply:
        looks.put(None)
        return UNAVAILABLE

    with subscription(gateway, token, NAME, id=image_id) as events:
        events.event()
        double.script = fail
        for _ in range(3):
            looks.get(timeout=SECONDS)
        patch_image(rest, image_id, name="silver")
        double.script = lambda _: None
        warned, changed = events.answer(), events.answer()

    (warning,) = warned["extensions"]["warnings"]
    assert warning["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert warned["data"]["imageChanged"]["image"] == {"name": "golden"}
    silver = {"kind": "UPDATED", "image": {"name": "silver"}}
    assert changed == {"data": {"imageChanged": silver}}


def test_outage_at_the_beginning_is_survived(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """It is an error at once, and the present state comes once Glance is back."""
    image_id = create_image(rest, name="golden")
    double.always(UNAVAILABLE)

    with subscription(gateway, token, NAME, id=image_id) as events:
        failed = events.answer()
        double.script = lambda _: None
        answer = events.answer()

    (error,) = failed["errors"]
    assert failed["data"] is None
    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    golden = {"kind": "SNAPSHOT", "image": {"name": "golden"}}
    assert answer == {"data": {"imageChanged": golden}}


def test_who_subscribes_in_an_outage_is_told_of_it(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """At once, where others watch the image: without a state there is none to tell."""
    image_id = create_image(rest, name="golden")
    double.always(UNAVAILABLE)

    with subscription(gateway, token, NAME, id=image_id) as events:
        first = events.answer()
        events.subscribe(NAME, name="2", id=image_id)
        second = events.answer()

    assert second["errors"][0]["message"] == first["errors"][0]["message"]


def test_who_subscribes_in_an_outage_is_told_the_last_known_state(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """With the warning that others had."""
    image_id = create_image(rest, name="golden")

    with subscription(gateway, token, NAME, id=image_id) as events:
        events.event()
        double.always(UNAVAILABLE)
        first = events.answer()
        events.subscribe(NAME, name="2", id=image_id)
        second = events.answer()

    golden = {"kind": "SNAPSHOT", "image": {"name": "golden"}}
    assert second["data"] == {"imageChanged": golden}
    assert second["extensions"] == first["extensions"]


def test_field_that_fails_does_not_end_the_subscription(
    gateway: Gateway, double: GlanceDouble, token: str, rest: httpx.Client
) -> None:
    """An event has data and errors, as any answer has."""
    image_id = create_image(rest, name="golden")
    is_tasks = f"/v2/images/{image_id}/tasks"
    double.script = lambda call: UNAVAILABLE if call.path == is_tasks else None

    with subscription(gateway, token, TASKS, id=image_id) as events:
        answer = events.answer()
        patch_image(rest, image_id, name="silver")
        name = events.answer()["data"]["imageChanged"]["image"]["name"]

    assert answer["data"] == {
        "imageChanged": {"image": {"name": "golden", "tasks": None}}
    }
    assert answer["errors"][0]["path"] == ["imageChanged", "image", "tasks"]
    assert name == "silver"


def test_last_subscriber_that_leaves_ends_the_look(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """Glance's answer reaches nobody: the call is given up."""
    is_asked, may_answer = Event(), Event()

    def hold(_: Received) -> Reply:
        is_asked.set()
        body = json_reply({}).body + b" " * 10_000_000
        return Reply(body=body, until=may_answer)

    double.script = hold
    with subscription(gateway, token, NAME, id=NO_IMAGE):
        assert is_asked.wait(SECONDS)
    gateway.data("{ __typename }", token=token)
    may_answer.set()

    assert double.has_lost_client.wait(SECONDS)
    assert len(double.calls) == 1
