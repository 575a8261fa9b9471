"""Changes of an image as its subscribers hear of them."""

from collections.abc import Iterator

import httpx
import pytest

from tests.gateway import Gateway, running_gateway
from tests.glance_double import GlanceDouble, Reply
from tests.websocket import subscription

IMAGE = """subscription ($id: ID!) {
    imageChanged(id: $id) { kind id changed image { name tags } } }"""
RENAME = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { image { name } } }"""
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
NO_IMAGE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def gateway(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that looks often."""
    with running_gateway(
        double.url, watch_seconds=0.05, watch_moving_seconds=0.05
    ) as running:
        yield running


def test_first_event_is_the_present_state(gateway: Gateway, token: str) -> None:
    """Who subscribes needs no query for how the image is."""
    image_id = gateway.create(token, name="golden", tags=["lts"])

    with subscription(gateway, token, IMAGE, id=image_id) as events:
        event = events.event()

    image = {"name": "golden", "tags": ["lts"]}
    assert event == {"kind": "SNAPSHOT", "id": image_id, "changed": [], "image": image}


def test_change_is_an_event(gateway: Gateway, token: str, rest: httpx.Client) -> None:
    """Made past the gateway, too."""
    image_id = gateway.create(token, name="golden")
    patch = [
        {"op": "replace", "path": "/name", "value": "silver"},
        {"op": "add", "path": "/os_distro", "value": "debian"},
        {"op": "replace", "path": "/os_hidden", "value": True},
    ]
    media_type = "application/openstack-images-v2.1-json-patch"

    with subscription(gateway, token, IMAGE, id=image_id) as events:
        events.event()
        rest.patch(
            f"/images/{image_id}", json=patch, headers={"Content-Type": media_type}
        ).raise_for_status()
        event = events.event()

    assert event == {
        "kind": "UPDATED",
        "id": image_id,
        "changed": ["hidden", "name", "os_distro"],
        "image": {"name": "silver", "tags": []},
    }
