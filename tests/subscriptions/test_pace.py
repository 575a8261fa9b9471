"""How often is looked at what is watched."""

from queue import SimpleQueue

import pytest

from gateway.subscriptions.watch import Pace
from tests.support.gateway import running_gateway
from tests.support.glance_double import GlanceDouble, Received
from tests.support.websocket import subscription

IMAGE = "subscription ($id: ID!) { imageChanged(id: $id) { kind } }"
SECONDS = 20
SELDOM, OFTEN = 3600, 0.01
PACE = Pace(seconds=5, transient_seconds=1, timeout_seconds=60)


@pytest.mark.parametrize(
    ("is_transient", "poll_seconds", "rest_seconds"),
    [
        pytest.param(False, 0.1, 5, id="settled"),
        pytest.param(True, 0.1, 1, id="moving"),
        pytest.param(True, 0.5, 2, id="moving, slow Glance"),
        pytest.param(False, 3, 12, id="settled, slow Glance"),
    ],
)
def test_rest_goes_by_what_is_seen_and_how_long_it_took(
    *, is_transient: bool, poll_seconds: float, rest_seconds: float
) -> None:
    """What moves is looked at more often, and a slow Glance less."""
    found = PACE.rest_seconds(is_transient=is_transient, poll_seconds=poll_seconds)

    assert found == rest_seconds


def test_image_on_its_way_is_looked_at_more_often(
    double: GlanceDouble, token: str, looks: SimpleQueue[Received]
) -> None:
    """A queued image is on its way."""
    with running_gateway(
        double.url, poll_seconds=SELDOM, poll_transient_seconds=OFTEN
    ) as gateway:
        image_id = gateway.create(token, name="queued")
        with subscription(gateway, token, IMAGE, id=image_id):
            paths = [looks.get(timeout=SECONDS).path for _ in range(5)]

    assert paths == ["/v2/images", *[f"/v2/images/{image_id}"] * 4]
