"""Subscriptions as server-sent events, each in a connection of its own."""

import re
import threading
from queue import SimpleQueue

import orjson
import pytest

from gateway.facts import Facts, RefreshFacts
from tests.support.event_stream import EVENTS, stream
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Reply

WATCH = """subscription ($id: ID!) {
    imageChanged(id: $id) { kind changed image { name } } }"""
RENAME = """mutation ($id: ID!) {
    updateImage(input: {id: $id, name: "new"}) { __typename } }"""
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"


def test_changes_of_an_image_are_events_up_to_its_deletion(
    gateway: Gateway, token: str
) -> None:
    """The state, each change, the deletion, the end."""
    image_id = gateway.create(token, name="old")

    with stream(gateway, token, WATCH, id=image_id) as events:
        first = events.change()
        gateway.data(RENAME, token=token, id=image_id)
        second = events.change()
        gateway.data(DELETE, token=token, id=image_id)
        third, end = events.change(), events.event()

    assert events.response.headers["Content-Type"] == f"{EVENTS}; charset=utf-8"
    assert (first["kind"], first["image"]) == ("SNAPSHOT", {"name": "old"})
    assert (second["kind"], second["image"]) == ("UPDATED", {"name": "new"})
    assert "name" in second["changed"]
    assert (third["kind"], end) == ("DELETED", ("complete", None))


def test_query_is_one_event_for_who_takes_nothing_else(
    gateway: Gateway, token: str
) -> None:
    """Clients may ask all their operations the same way."""
    with stream(gateway, token, "{ __typename }") as events:
        seen = [events.event(), events.event()]

    answer = {"data": {"__typename": "Query"}}
    assert seen == [("next", answer), ("complete", None)]


def test_event_says_what_it_cost_where_that_is_asked(
    gateway: Gateway, token: str
) -> None:
    """As other answers do."""
    asked = {"Accept": EVENTS, "X-Gateway-Trace": "1"}

    response = gateway.post("{ images { nodes { id } } }", token=token, headers=asked)

    first, *_ = re.findall("^data: (.+)$", response.text, re.MULTILINE)
    assert orjson.loads(first)["extensions"]["glance"]["calls"] == 1


def test_query_is_json_for_who_takes_events_too(gateway: Gateway) -> None:
    """As urql says it of every operation."""
    accept = f"application/graphql-response+json, application/json, {EVENTS}"

    response = gateway.post("{ __typename }", headers={"Accept": accept})

    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type == "application/graphql-response+json"


def test_subscription_for_who_takes_no_events_is_refused(gateway: Gateway) -> None:
    """The message says what to accept."""
    response = gateway.post(WATCH, token="t", id="1")

    assert response.status_code == 406
    (error,) = response.json()["errors"]
    assert "accept text/event-stream" in error["message"]


@pytest.mark.parametrize("document", ["subscription {", "subscription { nothing }"])
def test_subscription_that_fits_no_schema_is_refused(
    gateway: Gateway, document: str
) -> None:
    """With a status, before there is any event."""
    response = gateway.post(document, token="t", headers={"Accept": EVENTS})

    assert response.status_code == 400
    assert list(response.json()) == ["errors"]


def test_subscription_without_a_token_is_rejected(gateway: Gateway) -> None:
    """No stream begins."""
    with stream(gateway, None, WATCH, id="1") as events:
        errors = orjson.loads(events.response.read())["errors"]

    assert events.response.status_code == 401
    assert [one["extensions"]["code"] for one in errors] == ["UNAUTHENTICATED"]


def test_mutation_is_refused_with_get_for_events_too(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A link must not change anything."""
    query = "mutation { deleteImage(input: {id: 1}) { deletedId } }"
    headers = {"X-Auth-Token": "t", "Accept": EVENTS}

    response = gateway.client.get("/graphql", params={"query": query}, headers=headers)

    assert response.status_code == 405
    assert double.calls == []


def test_client_that_leaves_is_looked_for_no_more(
    double: GlanceDouble, token: str
) -> None:
    """The look under way is ended with it."""
    looks: SimpleQueue[Facts] = SimpleQueue()
    is_asked, may_answer = threading.Event(), threading.Event()

    def held(_: object) -> Reply:
        is_asked.set()
        may_answer.wait(20)
        return Reply(503)

    double.script = held
    with running_gateway(double.url, hooks=[looks.put]) as gateway:
        with stream(gateway, token, WATCH, id="1"):
            assert is_asked.wait(20)
        ended = looks.get(timeout=2)
        may_answer.set()

    assert isinstance(ended, RefreshFacts)
