"""Several requests in one: a JSON list, where the setting allows it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { name } }"


@pytest.fixture
def batching(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that takes three requests in one."""
    with running_gateway(double.url, batch_max_requests=3) as running:
        yield running


def send(gateway: Gateway, *requests: Any) -> Any:
    """Send a list of requests and return the answers."""
    headers = {"X-Auth-Token": "t"}
    response = gateway.client.post("/graphql", json=requests, headers=headers)
    assert response.status_code == 200
    return response.json()


def test_each_request_of_a_list_is_answered_in_its_place(
    batching: Gateway, double: GlanceDouble
) -> None:
    """What is wrong with one is nothing to the others."""
    double.always(json_reply({"id": "1", "name": "x", "status": "active"}))

    answers = send(
        batching,
        {"query": "{ nothing }"},
        {"query": SHOW, "variables": {"id": "1"}},
        5,
    )

    assert [list(answer) for answer in answers] == [["errors"], ["data"], ["errors"]]
    assert answers[1] == {"data": {"image": {"name": "x"}}}


FIRST, SECOND, HIDDEN = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
REFUSED = "4" * 8 + "-0000-4000-8000-000000000000"


def images(received: Received) -> Reply:
    """Play a Glance that lists two images, and hides or refuses others."""
    if received.path == "/v2/images":
        listed = [
            {"id": one, "name": one, "status": "active"} for one in (FIRST, SECOND)
        ]
        return json_reply({"images": listed})
    asked = received.path.rpartition("/")[2]
    if asked == REFUSED:
        return Reply(500)
    return json_reply({"id": asked, "name": asked, "status": "active"})


@pytest.mark.parametrize("cache_url", ["memory://", "none"])
def test_images_of_a_list_are_read_together(
    double: GlanceDouble, cache_url: str
) -> None:
    """In as few calls as those of one request; each answer is as it is alone."""
    double.script = images
    ids = [FIRST, SECOND, HIDDEN, REFUSED, FIRST]
    requests = [{"query": SHOW, "variables": {"id": one}} for one in ids]
    with running_gateway(
        double.url, batch_max_requests=5, cache_url=cache_url
    ) as gateway:
        answers = send(gateway, *requests)
        paths = [call.path for call in double.calls]
        listed = dict(double.calls[0].query)["id"]

    shown = [one["data"]["image"] for one in answers]
    assert shown == [{"name": one} if one != REFUSED else None for one in ids]
    assert ["errors" in one for one in answers] == [one == REFUSED for one in ids]
    assert listed.count(",") == len({*ids}) - 1
    alone = {f"/v2/images/{HIDDEN}", f"/v2/images/{REFUSED}"}
    assert (paths[0], {*paths[1:]}, len(paths)) == ("/v2/images", alone, 3)


def test_each_request_of_a_list_tells_what_it_cost(
    batching: Gateway, double: GlanceDouble
) -> None:
    """A call for several is counted once, and nobody's answer rests on another's."""
    double.script = images
    requests = [{"query": SHOW, "variables": {"id": one}} for one in (FIRST, SECOND)]
    headers = {"X-Auth-Token": "t", "X-Gateway-Trace": "1"}

    answered, again = (
        batching.client.post("/graphql", json=requests, headers=headers).json()
        for _ in range(2)
    )

    costs = [
        [one["extensions"]["glance"] for one in each] for each in (answered, again)
    ]
    assert [one["calls"] for one in costs[0]] == [1, 0]
    assert [(one["calls"], one["cached"]) for one in costs[1]] == [(0, 1), (0, 1)]


def test_request_is_remembered_whether_it_came_alone_or_in_a_list(
    batching: Gateway, double: GlanceDouble
) -> None:
    """It is the same bytes, and a write to one image forgets that one."""
    double.script = images
    requests = [{"query": SHOW, "variables": {"id": one}} for one in (FIRST, SECOND)]
    send(batching, *requests)
    headers = {"X-Auth-Token": "t", "X-Gateway-Trace": "1"}

    alone = batching.client.post("/graphql", json=requests[1], headers=headers).json()

    assert alone["data"] == {"image": {"name": SECOND}}
    assert (alone["extensions"]["glance"]["cached"], len(double.calls)) == (1, 1)


def test_requests_of_a_list_run_at_the_same_time(
    batching: Gateway, double: GlanceDouble
) -> None:
    """None waits for what another one asks Glance."""
    met = threading.Barrier(2, timeout=10)

    def meet(received: Received) -> Reply:
        met.wait()
        is_list = received.path == "/v2/images"
        return json_reply({"images": []} if is_list else {"stores": []})

    double.script = meet

    answers = send(
        batching,
        {"query": "{ images { nodes { id } } }"},
        {"query": "{ stores { id } }"},
    )

    assert answers == [{"data": {"images": {"nodes": []}}}, {"data": {"stores": []}}]


def test_request_of_a_list_that_glance_leaves_unanswered_ends_alone(
    double: GlanceDouble,
) -> None:
    """When the time of all is over, the others are answered."""
    held = threading.Event()
    double.always(Reply(until=held))
    with running_gateway(
        double.url, batch_max_requests=2, request_timeout_seconds=0.2
    ) as gateway:
        late, answered = send(
            gateway,
            {"query": "{ images { nodes { id } } }"},
            {"query": "{ __typename }"},
        )
        held.set()

    assert late["errors"][0]["extensions"]["code"] == "GLANCE_TIMEOUT"
    assert answered == {"data": {"__typename": "Query"}}


DEEP = b'{"a":' * 300 + b"1" + b"}" * 300
ODD = [
    pytest.param(b'{"query": "{ __typename }", "extensions": %s}' % DEEP, id="deep"),
    pytest.param(b'{"query": "\xff"}', id="no UTF-8"),
    pytest.param(b'{"query": "{a}", "variables": {"x": 1e999}}', id="large number"),
]


@pytest.mark.parametrize("body", ODD)
def test_request_of_a_list_is_answered_as_it_is_alone(
    batching: Gateway, body: bytes
) -> None:
    """It is read from the bytes that it was sent as."""
    headers = {"Content-Type": "application/json", "X-OpenStack-Request-ID": "req-1"}

    alone = batching.client.post("/graphql", content=body, headers=headers)
    listed = batching.client.post("/graphql", content=b"[%s]" % body, headers=headers)

    assert (listed.status_code, listed.json()) == (200, [alone.json()])


@pytest.mark.parametrize("body", [b"[", b"[nope]", b"[" * 100_000])
def test_list_that_is_no_json_is_refused(batching: Gateway, body: bytes) -> None:
    """As any other body."""
    headers = {"Content-Type": "application/json"}

    response = batching.client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"].startswith("The body is not JSON")


def test_equal_reads_of_a_list_are_one_call(
    batching: Gateway, double: GlanceDouble
) -> None:
    """As those of requests that come at the same time."""
    double.always(json_reply({"id": "1", "name": "x", "status": "active"}))

    send(batching, *[{"query": SHOW, "variables": {"id": "1"}}] * 3)

    assert len(double.calls) == 1


def test_list_is_no_stream_of_events(batching: Gateway) -> None:
    """Who takes nothing else is told so, and nothing is executed."""
    headers = {"Accept": "text/event-stream"}

    response = batching.client.post(
        "/graphql", json=[{"query": "{ __typename }"}], headers=headers
    )

    assert response.status_code == 406
    (error,) = response.json()["errors"]
    assert error["message"].startswith("The response to a batch is JSON")


def test_subscription_of_a_list_is_refused_in_its_place(batching: Gateway) -> None:
    """A stream has no place among answers."""
    watch = "subscription { imagesChanged { kind } }"
    headers = {"Accept": "text/event-stream, application/json", "X-Auth-Token": "t"}

    response = batching.client.post(
        "/graphql",
        json=[{"query": watch}, {"query": "{ __typename }"}],
        headers=headers,
    )

    refused, answered = response.json()
    assert refused["errors"][0]["message"] == "A batch must not contain subscriptions."
    assert answered == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("number", [0, 4])
def test_list_of_too_many_or_none_is_refused(batching: Gateway, number: int) -> None:
    """As a whole."""
    requests = [{"query": "{ __typename }"}] * number

    response = batching.client.post("/graphql", json=requests)

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"] == "A batch must have 1 to 3 requests."
