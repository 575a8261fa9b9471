"""No project ever sees another's private images."""

import pytest

from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { id } }"
LIST = "{ images(first: 1000, filter: {visibility: ALL}) { nodes { id } } }"


def listed(gateway: Gateway, token: str) -> set[str]:
    """Return the ids of all that the token lists."""
    nodes = gateway.data(LIST, token=token)["images"]["nodes"]
    return {node["id"] for node in nodes}


@pytest.mark.parametrize("visibility", ["PRIVATE", "SHARED"])
def test_image_is_seen_by_its_project_alone(
    gateway: Gateway, token: str, other_token: str, visibility: str
) -> None:
    """Asked for by id or listed: another project sees nothing."""
    image_id = gateway.create(token, visibility=visibility)

    own = gateway.data(SHOW, token=token, id=image_id)
    foreign = gateway.data(SHOW, token=other_token, id=image_id)

    assert (own, foreign) == ({"image": {"id": image_id}}, {"image": None})
    assert image_id in listed(gateway, token)
    assert image_id not in listed(gateway, other_token)


def test_community_image_is_seen_by_all(
    gateway: Gateway, token: str, other_token: str
) -> None:
    """What is meant for everybody reaches everybody."""
    image_id = gateway.create(token, visibility="COMMUNITY")

    assert image_id in listed(gateway, other_token)
    data = gateway.data(SHOW, token=other_token, id=image_id)
    assert data == {"image": {"id": image_id}}


def test_each_request_carries_its_own_token(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A pooled connection serves many tokens and mixes none."""
    double.always(json_reply({"id": "1"}))
    tokens = [f"token-{number}" for number in range(20)]

    for token in tokens:
        gateway.data(SHOW, token=token, id="1")

    assert [call.headers["x-auth-token"] for call in double.calls] == tokens
