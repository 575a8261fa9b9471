"""Requests made to cost Glance as much as possible."""

import time
from collections.abc import Iterator

import pytest

from tests.limits.cloud import Client, StubGlance, gateway_before
from tests.support.gateway import Json

LIMIT = 140
TASKS = "{ nodes { tasks { id } } edges { node { tasks { id } } } }"


@pytest.fixture
def stub() -> StubGlance:
    """Return a Glance of many images."""
    return StubGlance(1000)


@pytest.fixture
def client(stub: StubGlance) -> Iterator[Client]:
    """Run a gateway that takes lists of requests, before it."""
    with gateway_before(
        stub, cache_url="none", limit_cost=LIMIT, batch_max_requests=20
    ) as running:
        yield running


def fields(count: int, text: str) -> str:
    """Return a selection of so many fields, each with a name of its own."""
    return "{ %s }" % " ".join(f"a{number}: {text}" for number in range(count))


@pytest.mark.parametrize(
    "document",
    [
        fields(70, f"images(first: 1000) {TASKS}"),
        fields(2, "images(first: 70) { nodes { tasks { id } } }"),
        "{ ...A ...B } fragment A on Query { a: images(first: 100) %s }"
        " fragment B on Query { b: images(first: 100) %s }" % (TASKS, TASKS),
        fields(141, "jsonSchema(of: IMAGE)"),
        "mutation %s" % fields(71, 'addTag(input: {id: "x", tag: "ü"}) { __typename }'),
    ],
    ids=["lists of tasks", "shorter lists", "fragments", "schemas", "tags"],
)
def test_request_for_too_much_is_no_call(
    client: Client, stub: StubGlance, document: str
) -> None:
    """What takes a page of text to write may not take Glance an hour."""
    answer = client.answer(document)

    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert answer["errors"][0]["extensions"]["estimate"] > LIMIT
    assert stub.calls == []


def test_list_of_requests_costs_no_more_than_one(
    client: Client, stub: StubGlance
) -> None:
    """Twenty requests for 101 calls each are one of them, and 19 errors."""
    body = {"query": f"{{ images(first: 100) {TASKS} }}"}

    answers = client.traced([body] * 20).json()

    assert sum("data" in answer for answer in answers) == 1
    assert len(stub.calls) <= LIMIT


def test_estimate_of_exponential_fragments_is_cheap(client: Client) -> None:
    """2 to the power of 30 selections in two kilobytes are estimated in no time."""
    levels = " ".join(
        f"fragment F{n} on Image {{ ...F{n + 1} ... on Image {{ ...F{n + 1} }} }}"
        for n in range(30)
    )
    document = (
        "query ($a: Boolean = true) { images(first: 1000) { nodes { ...F0 } } "
        f"b: images(first: 1000) {TASKS} }} {levels}"
        " fragment F30 on Image { tasks @include(if: $a) { id } }"
    )
    began_at = time.process_time()

    answer = client.answer(document)

    assert answer["errors"][0]["extensions"]["estimate"] == 2002
    assert time.process_time() - began_at < 2


@pytest.mark.parametrize(
    "first", [10**18, 2**31, -(2**63), 1e308, 1000.5, "9" * 5000, True, None, [[1]], {}]
)
def test_number_of_any_size_is_no_call_and_no_bug(
    client: Client, stub: StubGlance, first: Json
) -> None:
    """A clear code, and nothing executed with it."""
    document = f"query ($first: Int!) {{ images(first: $first) {TASKS} }}"

    answer = client.answer(document, {"first": first})

    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"BAD_USER_INPUT"}
    assert stub.calls == []


def test_glance_of_tiny_pages_is_called_no_more_than_allowed(stub: StubGlance) -> None:
    """The limit holds where the first estimate can't know better."""
    stub.page_images = 1
    document = "{ images(first: 1000) { nodes { id } } }"
    with gateway_before(stub, cache_url="none", limit_cost=50) as client:
        first = client.answer(document)
        calls = len(stub.calls)
        second = client.answer(document)

    codes = [one["errors"][0]["extensions"]["code"] for one in (first, second)]
    assert codes == ["COST_LIMIT_EXCEEDED"] * 2
    assert calls == 50
    assert len(stub.calls) == 50


def test_invented_tokens_do_not_lift_the_rate_of_an_address(stub: StubGlance) -> None:
    """A thousand tokens are as much as one."""
    with gateway_before(
        stub,
        cache_url="none",
        rate_limit_per_identity="10/hour",
        rate_limit_per_address="100/hour",
    ) as client:
        statuses = [
            client.post({"query": "{ stores { id } }"}, {"X-Auth-Token": f"t{n}"})
            for n in range(1000)
        ]

    assert sum(one.status_code == 200 for one in statuses) == 100
    assert len(stub.calls) == 100
