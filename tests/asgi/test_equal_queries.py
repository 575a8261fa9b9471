"""Equal queries at the same time share one execution, as far as it is theirs."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from gateway.asgi.graphql.equal_queries import Outcome, QueryExecution
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

IMAGE = {"id": "1", "name": "old", "status": "active"}
SHOW = "{ image(id: 1) { name } }"
RENAME = 'mutation { updateImage(input: {id: 1, name: "new"}) { __typename } }'
CLIENTS = 10
TRACE = {"X-Gateway-Trace": "1"}


class Coalescing:
    """How many requests wait for an equal query, which tests wait for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count requests that begin to wait."""
        self._changed = threading.Condition()
        self._count = 0
        coalesce = QueryExecution.coalesce

        async def counted(
            execution: QueryExecution,
        ) -> Outcome | None:
            with self._changed:
                self._count += 1
                self._changed.notify_all()
            return await coalesce(execution)

        monkeypatch.setattr(QueryExecution, "coalesce", counted)

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have begun to wait."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._count >= count, timeout=20)


@pytest.fixture
def coalescing(monkeypatch: pytest.MonkeyPatch) -> Coalescing:
    """Return the count of requests that wait for an equal query."""
    return Coalescing(monkeypatch)


class Held:
    """A Glance whose answers wait until a test lets them go."""

    def __init__(self, double: GlanceDouble, reply: Reply) -> None:
        """Answer every call so."""
        self.reply = reply
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()
        double.script = self

    def __call__(self, received: Received) -> Reply:
        """Answer a call; a write at once."""
        if received.method == "PATCH":
            return json_reply(IMAGE | {"name": "new"})
        reply = self.reply
        self.was_asked.set()
        return Reply(reply.status, reply.body, reply.headers, until=self.may_answer)


@contextmanager
def asking(
    gateway: Gateway, coalescing: Coalescing, document: str = SHOW, **headers: str
) -> Iterator[list[Future[httpx.Response]]]:
    """Send equal queries; yield once all but one wait for the first."""

    def ask(number: int) -> httpx.Response:
        own = {"X-OpenStack-Request-ID": f"req-{number}", **headers}
        return gateway.post(document, token="t", headers=own)

    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask, number) for number in range(CLIENTS)]
        coalescing.wait_for(CLIENTS - 1)
        yield asked


def codes(answer: Json) -> list[str]:
    """Return the codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer["errors"]]


def test_equal_queries_at_once_are_executed_once(
    double: GlanceDouble, coalescing: Coalescing, executed: Counter[str]
) -> None:
    """Each client is sent the same bytes, under its own request id."""
    glance = Held(double, json_reply(IMAGE))
    with (
        running_gateway(double.url) as gateway,
        asking(gateway, coalescing) as asked,
    ):
        glance.may_answer.set()
        answers = [one.result() for one in asked]

    assert executed == {SHOW: 1}
    assert len(double.calls) == 1
    assert {one.content for one in answers} == {b'{"data":{"image":{"name":"old"}}}'}
    ids = {one.headers["X-OpenStack-Request-ID"] for one in answers}
    assert ids == {f"req-{number}" for number in range(CLIENTS)}


def test_trace_tells_who_shared(double: GlanceDouble, coalescing: Coalescing) -> None:
    """One has called Glance, the others have not."""
    glance = Held(double, json_reply(IMAGE))
    with (
        running_gateway(double.url, cache_ttl_image_seconds=0) as gateway,
        asking(gateway, coalescing, **TRACE) as asked,
    ):
        glance.may_answer.set()
        answers = [one.result().json() for one in asked]

    costs = [tuple(one["extensions"]["glance"].values()) for one in answers]
    assert Counter(costs) == {(1, 0, 0, 0, 1): 1, (0, 0, 1, 0, 1): CLIENTS - 1}


def test_result_that_is_not_cached_is_shared(
    double: GlanceDouble, coalescing: Coalescing, executed: Counter[str]
) -> None:
    """Those who ask at the same time share what nobody may be shown later."""
    glance = Held(double, json_reply(IMAGE))
    with (
        running_gateway(double.url, cache_ttl_image_seconds=0) as gateway,
        asking(gateway, coalescing) as asked,
    ):
        glance.may_answer.set()
        assert {one.result().status_code for one in asked} == {200}

    assert executed == {SHOW: 1}


def test_errors_are_shared(
    double: GlanceDouble, coalescing: Coalescing, executed: Counter[str]
) -> None:
    """Each client sees the code, and the id under which Glance was called."""
    glance = Held(double, Reply(503))
    document = "{ image(id: 1) { name } __typename }"
    with (
        running_gateway(double.url) as gateway,
        asking(gateway, coalescing, document) as asked,
    ):
        glance.may_answer.set()
        answers = [one.result().json() for one in asked]

    assert executed == {document: 1}
    assert {one["data"]["__typename"] for one in answers} == {"Query"}
    assert [codes(one) for one in answers] == [["GLANCE_UNAVAILABLE"]] * CLIENTS
    assert answers == [answers[0]] * CLIENTS


def test_error_that_is_not_glances_has_each_clients_own_id(
    double: GlanceDouble, coalescing: Coalescing
) -> None:
    """The log is searched for the id that a client was given."""
    glance = Held(double, json_reply(IMAGE | {"protected": []}))
    document = "{ image(id: 1) { protected } }"
    with (
        running_gateway(double.url) as gateway,
        asking(gateway, coalescing, document) as asked,
    ):
        glance.may_answer.set()
        answers = [one.result() for one in asked]

    for answer in answers:
        (error,) = answer.json()["errors"]
        own = answer.headers["X-OpenStack-Request-ID"]
        assert error["extensions"]["requestId"] == own


def test_client_who_leaves_ends_nothing_for_the_others(
    double: GlanceDouble, coalescing: Coalescing
) -> None:
    """Where it is the one whose request is executed, another's is."""
    glance = Held(double, json_reply(IMAGE))
    with running_gateway(double.url) as gateway, ThreadPoolExecutor(2) as pool:
        gateway.ask_and_leave(SHOW, token="t", once=glance.was_asked)
        asked = [pool.submit(gateway.data, SHOW, token="t") for _ in range(2)]
        coalescing.wait_for(1)
        glance.may_answer.set()

        assert [one.result() for one in asked] == [{"image": {"name": "old"}}] * 2


def test_deadline_of_one_request_is_not_the_others(
    double: GlanceDouble, coalescing: Coalescing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that a time is up which is not its own."""
    glance, seconds = Held(double, json_reply(IMAGE)), iter((0.5, 60.0))
    monkeypatch.setattr(
        "gateway.context.Contexts._deadline_at",
        lambda _: asyncio.get_running_loop().time() + next(seconds),
    )
    with (
        running_gateway(double.url) as gateway,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(gateway.answer, SHOW, token="t")
        assert glance.was_asked.wait(10)
        second = pool.submit(gateway.answer, SHOW, token="t")
        coalescing.wait_for(1)

        assert codes(first.result()) == ["GLANCE_TIMEOUT"]
        glance.may_answer.set()
        assert second.result() == {"data": {"image": {"name": "old"}}}


def test_query_after_a_write_does_not_wait_for_one_from_before(
    double: GlanceDouble, executed: Counter[str]
) -> None:
    """It sees what was written, and is executed for itself."""
    glance = Held(double, json_reply(IMAGE))
    with running_gateway(double.url) as gateway, ThreadPoolExecutor(2) as pool:
        early = pool.submit(gateway.data, SHOW, token="t")
        assert glance.was_asked.wait(10)
        gateway.data(RENAME, token="t")
        double.always(json_reply(IMAGE | {"name": "new"}))

        late = gateway.data(SHOW, token="t")
        glance.may_answer.set()

        assert late == {"image": {"name": "new"}}
        assert early.result() == {"image": {"name": "old"}}
    assert executed == {SHOW: 2, RENAME: 1}


def test_result_from_before_a_write_is_not_shared_after_it(
    double: GlanceDouble, coalescing: Coalescing
) -> None:
    """Also for those who already waited for it."""
    glance = Held(double, json_reply(IMAGE))
    with (
        running_gateway(double.url) as gateway,
        asking(gateway, coalescing) as asked,
    ):
        gateway.data(RENAME, token="t")
        glance.reply = json_reply(IMAGE | {"name": "new"})
        glance.may_answer.set()
        names = Counter(one.result().json()["data"]["image"]["name"] for one in asked)

    assert names == {"old": 1, "new": CLIENTS - 1}


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        pytest.param("other", {}, id="token"),
        pytest.param("t", {"Cache-Control": "no-cache"}, id="no-cache"),
        pytest.param("t", {"Cache-Control": "no-store"}, id="no-store"),
    ],
)
def test_other_query_is_executed_for_itself(
    double: GlanceDouble,
    executed: Counter[str],
    token: str,
    headers: dict[str, str],
) -> None:
    """Nobody shares another token's result, or asks afresh and is shown less."""
    glance = Held(double, json_reply(IMAGE))
    with running_gateway(double.url) as gateway, ThreadPoolExecutor(1) as pool:
        first = pool.submit(gateway.data, SHOW, token="t")
        assert glance.was_asked.wait(10)
        double.always(json_reply(IMAGE | {"name": "own"}))

        own = gateway.post(SHOW, token=token, headers=headers).json()
        glance.may_answer.set()

        assert own == {"data": {"image": {"name": "own"}}}
        assert first.result() == {"image": {"name": "old"}}
    assert executed == {SHOW: 2}


def test_nothing_is_shared_without_a_cache(
    double: GlanceDouble, executed: Counter[str]
) -> None:
    """What a benchmark compares with."""
    glance = Held(double, json_reply(IMAGE))
    with (
        running_gateway(double.url, cache_url="none") as gateway,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(gateway.data, SHOW, token="t")
        assert glance.was_asked.wait(10)
        double.always(json_reply(IMAGE))

        gateway.data(SHOW, token="t")
        glance.may_answer.set()
        first.result()

    assert executed == {SHOW: 2}
    assert len(double.calls) == 2
