"""What one caller's failed mutations do to another caller's cache: nothing.

Counted in calls to Glance: what is cached costs none.
"""

import hashlib
from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import pytest

from gateway.cache.policy import LISTS, image_topic
from gateway.glance.client import GlanceClient
from gateway.glance.errors import GlanceUnavailable
from tests.hostile.pairs import Pair, RunPair
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import (
    GlanceDouble,
    Received,
    Reply,
    Script,
    json_reply,
)

LIST = "{ images { nodes { name } } }"
SHOW = "{ image(id: 1) { name } }"
TASKS = "{ image(id: 1) { tasks { id } } }"
READS = [SHOW, LIST, TASKS]
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
RENAME = 'mutation { updateImage(input: {id: 1, name: "new"}) { __typename } }'
RENAME_TO = (
    "mutation ($id: String!) { updateImage(input: {id: 1, name: $id,"
    " setProperties: [{name: $id, value: $id}]}) { __typename } }"
)
TAG = "mutation ($id: String!) { addTag(input: {id: 1, tag: $id}) { __typename } }"
CREATE = 'mutation { createImage(input: {id: "1"}) { __typename } }'
IMAGE = {"id": "1", "name": "known", "status": "active"}
MAINTENANCE = Reply(
    200, b"<html>Back soon", {"Content-Type": "text/html"}, has_id=False
)


def glance(*, writes: Reply) -> Script:
    """Return a Glance that knows one image, and answers each write the same."""

    def script(received: Received) -> Reply:
        if received.method != "GET":
            return writes
        if received.path.endswith("/tasks"):
            return json_reply({"tasks": []})
        is_list = received.path == "/v2/images"
        return json_reply({"images": [IMAGE]} if is_list else IMAGE)

    return script


def id_that_shared_a_place_with_lists() -> str:
    """Return an id whose topic has the place of all lists in an unkeyed hash."""

    def place(topic: str) -> bytes:
        return hashlib.blake2b(topic.encode(), digest_size=2).digest()

    ids = (f"x{number}" for number in count())
    return next(one for one in ids if place(image_topic(one)) == place(LISTS))


@pytest.fixture(scope="module")
def pair(run_pair: RunPair) -> Iterator[Pair]:
    """Run a gateway for each of two callers, whose tokens are each test's own."""
    with run_pair() as gateways:
        yield gateways


@pytest.fixture
def bob() -> str:
    """Return a token that has read nothing."""
    return f"bob-{uuid4()}"


def reads_of(double: GlanceDouble, token: str) -> int:
    """Return how many calls were made for a token's reads."""
    return sum(
        (call.method, call.headers["x-auth-token"]) == ("GET", token)
        for call in double.calls
    )


def read_all(gateway: Gateway, token: str) -> list[Json]:
    """Return what a token is shown by each kind of read."""
    return [gateway.data(document, token=token) for document in READS]


def test_chosen_id_does_not_empty_the_lists(
    pair: Pair, double: GlanceDouble, bob: str
) -> None:
    """No image has the place of all lists, whatever its id."""
    bobs, mallorys = pair
    double.script = glance(writes=Reply(404))
    image_id = id_that_shared_a_place_with_lists()
    bobs.data(LIST, token=bob)

    for _ in range(10):
        mallorys.error(DELETE, token="mallory", id=image_id)
        bobs.data(LIST, token=bob)

    assert reads_of(double, bob) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 429])
def test_rejected_write_costs_nobody_else_a_cached_read(
    pair: Pair, double: GlanceDouble, bob: str, status: int
) -> None:
    """What Glance tells one caller of an image says nothing of another's."""
    bobs, mallorys = pair
    double.script = glance(writes=Reply(status))
    read_all(bobs, bob)
    calls = reads_of(double, bob)

    for document in (RENAME, CREATE):
        mallorys.error(document, token="mallory")
        mallorys.error(DELETE, token="mallory", id="1")
        read_all(bobs, bob)

    assert reads_of(double, bob) == calls


def test_write_that_was_not_sent_invalidates_nothing(
    pair: Pair,
    double: GlanceDouble,
    bob: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refused connection has changed no image."""

    async def refused(*_: object) -> None:
        message = "Could not update image 1: Glance cannot be reached."
        raise GlanceUnavailable(message, was_sent=False)

    bobs, alices = pair
    double.script = glance(writes=Reply(500))
    read_all(bobs, bob)
    calls = len(double.calls)
    monkeypatch.setattr(GlanceClient, "update_image", refused)

    alices.error(RENAME, token="alice")
    read_all(bobs, bob)

    assert len(double.calls) == calls


@pytest.mark.parametrize("text", [r"\ud800", r"\u0000", "x" * 300, "9" * 400])
def test_write_that_cannot_be_sent_invalidates_nothing(
    pair: Pair, double: GlanceDouble, bob: str, text: str
) -> None:
    """Values that no request can carry reach neither Glance nor the cache."""
    bobs, mallorys = pair
    double.script = glance(writes=Reply(400))
    read_all(bobs, bob)
    calls = reads_of(double, bob)
    headers = {"X-Auth-Token": "mallory", "Content-Type": "application/json"}

    for document in (RENAME_TO, DELETE, TAG):
        body = '{"query": "%s", "variables": {"id": "%s"}}' % (document, text)
        mallorys.client.post("/graphql", content=body, headers=headers)
        number = '{"query": "%s", "variables": {"id": %s}}' % (document, text)
        mallorys.client.post("/graphql", content=number, headers=headers)
        read_all(bobs, bob)

    assert reads_of(double, bob) == calls


@pytest.mark.parametrize("writes", [Reply(0), Reply(500), MAINTENANCE])
def test_write_without_a_response_leaves_others_their_stale_reads(
    pair: Pair, double: GlanceDouble, bob: str, writes: Reply
) -> None:
    """What may have changed is still shown, as stale, in an outage."""
    bobs, alices = pair
    double.script = glance(writes=writes)
    known = read_all(bobs, bob)
    alices.error(RENAME, token="alice")
    double.always(Reply(503))

    shown = [bobs.answer(document, token=bob) for document in READS]

    assert [answer["data"] for answer in shown] == known
    stale = [answer["extensions"]["glance"]["stale"] for answer in shown]
    assert stale == [1, 1, 2]


@pytest.mark.parametrize("writes", [Reply(0), Reply(500)])
def test_write_without_a_response_leaves_nothing_fresh(
    pair: Pair, double: GlanceDouble, bob: str, writes: Reply
) -> None:
    """What may have changed is read again where Glance answers."""
    bobs, alices = pair
    double.script = glance(writes=writes)
    read_all(bobs, bob)
    calls = reads_of(double, bob)

    alices.error(RENAME, token="alice")
    read_all(bobs, bob)

    assert reads_of(double, bob) == 2 * calls


def test_unreadable_success_invalidates(
    pair: Pair, double: GlanceDouble, bob: str
) -> None:
    """A write that Glance accepted leaves nothing stale, either."""
    bobs, alices = pair
    double.script = glance(writes=Reply(200, b"not JSON"))
    read_all(bobs, bob)
    alices.error(RENAME, token="alice")
    double.always(Reply(503))

    errors = [bobs.error(document, token=bob) for document in READS]

    codes = {error["extensions"]["code"] for error in errors}
    assert codes == {"GLANCE_UNAVAILABLE"}
