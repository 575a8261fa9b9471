"""Tokens of a real Keystone, which a Glance of its own asks who calls."""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.keystone import Cloud, Keystone, User
from tests.support.websocket import subscription

CREATE = """mutation ($name: String!) {
    createImage(input: {name: $name, visibility: PRIVATE}) { image { name } } }"""
IMAGE = "query ($id: ID!) { image(id: $id) { name } }"
WATCH = "subscription ($id: ID!) { imageChanged(id: $id) { kind } }"
IMAGES = "{ images { nodes { name } } }"


@pytest.fixture(scope="session")
def gateway(cloud: Cloud) -> Iterator[Gateway]:
    """Run a gateway before the cloud's Glance."""
    with running_gateway(cloud.glance_url) as running:
        yield running


@pytest.fixture
def token(keystone: Keystone, alice: User) -> str:
    """Return Alice's token for her project."""
    return keystone.project_token(alice)


@pytest.fixture
def other_token(keystone: Keystone) -> str:
    """Return a token of a member of another project."""
    return keystone.project_token(keystone.create_member())


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        pytest.param("X-Auth-Token", "", id="x-auth-token"),
        pytest.param("Authorization", "Bearer ", id="bearer"),
    ],
)
def test_password_token_creates_and_reads_an_image(
    gateway: Gateway, token: str, header: str, prefix: str
) -> None:
    """A token that Keystone gave for a password works in either header."""
    headers = {header: prefix + token}

    created = gateway.post(CREATE, headers=headers, name="golden").json()
    read = gateway.post(IMAGES, headers=headers).json()

    assert created == {"data": {"createImage": {"image": {"name": "golden"}}}}
    assert read == {"data": {"images": {"nodes": [{"name": "golden"}]}}}


def test_expired_token_is_unauthenticated(
    gateway: Gateway, keystone: Keystone, token: str
) -> None:
    """The time alone refuses it: the same token that still lasts is believed."""
    hour = timedelta(hours=1)
    lasting, expired = keystone.reissue(token, hour, -hour)

    listed = gateway.data(IMAGES, token=lasting)
    error = gateway.error(IMAGES, token=expired)

    assert listed == {"images": {"nodes": []}}
    assert refusal(error) == ("UNAUTHENTICATED", HTTPStatus.UNAUTHORIZED)


def test_made_up_token_is_unauthenticated(gateway: Gateway) -> None:
    """A token that Keystone never gave names nobody."""
    error = gateway.error(IMAGES, token="made-up")

    assert refusal(error) == ("UNAUTHENTICATED", HTTPStatus.UNAUTHORIZED)


def test_token_without_a_project_is_forbidden(
    gateway: Gateway, keystone: Keystone, alice: User
) -> None:
    """Keystone vouches for its bearer, who has no role without a project."""
    error = gateway.error(IMAGES, token=keystone.unscoped_token(alice))

    assert refusal(error) == ("FORBIDDEN", HTTPStatus.FORBIDDEN)


def test_private_image_of_another_project_is_null(
    gateway: Gateway, token: str, other_token: str
) -> None:
    """An id that one project learnt from another gives it nothing."""
    image_id = gateway.create(token, name="golden", visibility="PRIVATE")

    owners = gateway.data(IMAGE, token=token, id=image_id)
    others = gateway.data(IMAGE, token=other_token, id=image_id)

    assert owners == {"image": {"name": "golden"}}
    assert others == {"image": None}


def test_lists_of_two_projects_hold_their_own_private_images(
    gateway: Gateway, token: str, other_token: str
) -> None:
    """The same query has an answer for each project."""
    gateway.create(token, name="ours", visibility="PRIVATE")
    gateway.create(other_token, name="theirs", visibility="PRIVATE")

    listed = gateway.data(IMAGES, token=token)
    others_listed = gateway.data(IMAGES, token=other_token)

    assert listed == {"images": {"nodes": [{"name": "ours"}]}}
    assert others_listed == {"images": {"nodes": [{"name": "theirs"}]}}


def test_revoked_token_ends_its_subscription(
    gateway: Gateway, keystone: Keystone, token: str
) -> None:
    """With the code; nobody has to ask."""
    image_id = gateway.create(token, name="golden")

    with subscription(gateway, token, WATCH, id=image_id) as events:
        events.event()
        keystone.revoke(token)
        error = events.error()

    assert refusal(error) == ("UNAUTHENTICATED", HTTPStatus.UNAUTHORIZED)


def refusal(error: Json) -> tuple[str, int]:
    """Return the code and the HTTP status that the error names."""
    extensions = error["extensions"]
    return extensions["code"], extensions["status"]
