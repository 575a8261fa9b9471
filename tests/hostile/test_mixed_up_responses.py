"""Responses that belong to another request: nobody is shown what is not theirs."""

import logging
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.raw_glance import (
    RawConnection,
    RawRequest,
    Serve,
    answering,
    raw_glance,
    response,
)

ROUNDS = 1000
REST_OF_UUID = "-1111-1111-1111-111111111111"
LIST = "{ images { nodes { name } } }"
SHOW = "query ($id: ID!) { image(id: $id) { id name } }"
RENAME = """mutation ($id: ID!) {
    updateImage(input: {id: $id, name: "new"}) { image { id name } } }"""


def own(request: RawRequest, *, request_id: str | None = None) -> bytes:
    """Return the true response: images are named after their owner's token."""
    sent = request_id or request.request_id
    path = request.target.partition("?")[0]
    image = {"id": path.removeprefix("/v2/images/"), "name": request.token}
    is_list = path == "/v2/images"
    return response({"images": [image | {"id": "1"}]} if is_list else image, sent)


class Injecting:
    """Mixes responses of earlier requests, and of none, into connections."""

    def __init__(self, seed: int) -> None:
        """Mix in an order that is the same each time."""
        self._random = random.Random(seed)  # noqa: S311 - an order, no secret
        self._last = b""

    def __call__(self, connection: RawConnection) -> None:
        """Serve a connection: three in ten responses have a stray one with them."""
        while (request := connection.request()) is not None:
            true, stray = own(request), self._stray()
            match self._random.randrange(10):
                case 0:
                    connection.send(stray + true)
                case 1:
                    connection.send(true + stray)
                case 2:
                    connection.send(true)
                    connection.send(stray[: self._random.randrange(1, len(stray))])
                case _:
                    connection.send(true)
            self._last = true

    def _stray(self) -> bytes:
        """Return the last response, one without an id, or a page of a proxy's."""
        nameless = b"\r\n".join(
            line
            for line in self._last.split(b"\r\n")
            if not line.startswith(b"x-openstack")
        )
        timeout = response(b"<h1>408 Request Time-out</h1>", None, status=408)
        gone = response(b"", None, status=404)
        strays = [one for one in (self._last, nameless, timeout, gone) if one]
        return self._random.choice(strays)


def seen_by(gateway: Gateway, token: str, rounds: int) -> Iterator[Any]:
    """Yield what the token's owner gets: data, or the code of an error."""
    for number in range(rounds):
        image_id = f"{token}-{number}"
        document = (LIST, SHOW, RENAME)[number % 3]
        variables = {} if document == LIST else {"id": image_id}
        answer = gateway.answer(document, token=token, **variables)
        errors = answer.get("errors", [])
        yield [one["extensions"]["code"] for one in errors] or answer["data"]


def allowed(token: str, number: int) -> Any:
    """Return what the token's owner is to get."""
    image = {"id": f"{token}-{number}", "name": token}
    return (
        {"images": {"nodes": [{"name": token}]}},
        {"image": image},
        {"updateImage": {"image": image}},
    )[number % 3]


def test_no_stray_response_reaches_anybody(caplog: pytest.LogCaptureFixture) -> None:
    """Early, late, doubled and broken-off responses: no foreign byte is shown."""
    seen: dict[str, list[Any]] = {"alice": [], "bob": []}
    with (
        caplog.at_level(logging.CRITICAL, "gateway.glance.transport"),
        raw_glance(Injecting(seed=1)) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        threads = [
            threading.Thread(
                target=lambda token: seen[token].extend(
                    seen_by(gateway, token, ROUNDS // 2)
                ),
                args=[token],
            )
            for token in seen
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    failures = (["GLANCE_UNAVAILABLE"], ["GLANCE_TIMEOUT"])
    for token, answers in seen.items():
        assert len(answers) == ROUNDS // 2
        for number, one in enumerate(answers):
            assert one in (*failures, allowed(token, number))
    failed = sum(one in failures for answers in seen.values() for one in answers)
    assert failed < ROUNDS // 5
    assert ROUNDS <= len(glance.requests) < 2 * ROUNDS


def stray_after_first(stray: bytes, *, is_glued: bool) -> tuple[Serve, threading.Event]:
    """Return what adds a stray response to its first kept one, and when it has."""
    sent = threading.Event()

    def serve(connection: RawConnection) -> None:
        while (request := connection.request()) is not None:
            is_kept = request.headers.get("connection") != "close"
            added = b"" if sent.is_set() or not is_kept else stray
            if is_glued:
                connection.send(own(request) + added)
            else:
                connection.send(own(request))
                connection.send(added)
            if added:
                sent.set()

    return serve, sent


@pytest.mark.parametrize("is_glued", [True, False], ids=["glued", "later"])
@pytest.mark.parametrize(
    "stray",
    [
        pytest.param(response(b"", None, status=408), id="408"),
        pytest.param(response({"images": []}, None), id="a list without an id"),
        pytest.param(response({"images": []}, "req-other"), id="another's list"),
        pytest.param(b"HTTP/1.1 4", id="the beginning of a response"),
    ],
)
def test_connection_with_unexpected_bytes_is_not_used_again(
    stray: bytes,
    *,
    is_glued: bool,
) -> None:
    """What waits in an idle connection is thrown away with it."""
    serve, sent = stray_after_first(stray, is_glued=is_glued)

    with (
        raw_glance(serve) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        for token in ("alice", "alice"):
            gateway.data(LIST, token=token)
        assert sent.wait(10)
        data = [gateway.data(LIST, token="bob") for _ in range(2)]

    assert data == [{"images": {"nodes": [{"name": "bob"}]}}] * 2
    assert (len(glance.requests), glance.connections) == (4, 3)


def one_wrong(wrong: bytes, *, method: str = "GET") -> Serve:
    """Return what answers a kept connection's first request so, or a write."""
    was_sent = threading.Event()

    def make(request: RawRequest) -> bytes:
        is_kept = request.headers.get("connection") != "close"
        is_meant = is_kept if method == "GET" else request.method == method
        if is_meant and not was_sent.is_set():
            was_sent.set()
            return wrong.replace(b"$id", request.request_id.encode())
        return own(request)

    return answering(make)


WRONG = [
    pytest.param(response({"id": "1", "name": "x"}, "req-other"), id="another id"),
    pytest.param(response({"id": "1", "name": "x"}, None), id="no id"),
    pytest.param(
        response(
            {"id": "1", "name": "x"}, "$id", headers={"X-OpenStack-request-id": "x"}
        ),
        id="two ids",
    ),
    pytest.param(response({"id": "2", "name": "x"}, "$id"), id="another image"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_read_with_another_ones_response_is_repeated(wrong: bytes) -> None:
    """It is repeated once, on a new connection."""
    with (
        raw_glance(one_wrong(wrong)) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        gateway.data(LIST, token="the-token")
        data = gateway.data(SHOW, token="the-token", id="1")

    assert data == {"image": {"id": "1", "name": "the-token"}}
    assert (len(glance.requests), glance.connections) == (3, 3)


@pytest.mark.parametrize("wrong", [one for one in WRONG if one.id != "no id"])
def test_response_of_another_request_is_logged(
    wrong: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One line at ERROR names the call, and no token."""
    with (
        raw_glance(one_wrong(wrong)) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        gateway.data(LIST, token="the-token")
        gateway.data(SHOW, token="the-token", id="1")

    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert glance.requests[1].request_id in record.getMessage()
    assert "the-token" not in caplog.text


@pytest.mark.parametrize("wrong", WRONG)
def test_write_with_another_ones_response_has_an_open_outcome(wrong: bytes) -> None:
    """It is not repeated; the error says that it may have changed something."""
    with (
        raw_glance(one_wrong(wrong, method="PATCH")) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        gateway.data(LIST, token="t")
        error = gateway.error(RENAME, token="t", id="1")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")
    assert [one.method for one in glance.requests] == ["GET", "PATCH"]


def test_rejected_response_poisons_no_later_call() -> None:
    """The connection on which it came is closed."""
    stray = response({"images": [{"id": "1", "name": "mallory"}]}, "req-other")

    with raw_glance(one_wrong(stray)) as glance, running_gateway(glance.url) as gateway:
        data = [gateway.data(LIST, token=token) for token in ("a", "b", "c", "d")]

    names = [one["images"]["nodes"][0]["name"] for one in data]
    assert names == ["a", "b", "c", "d"]


def test_response_that_is_never_proven_ends_as_glance_unavailable() -> None:
    """A Glance whose every response has another id shows nothing."""
    serve = answering(lambda request: own(request, request_id="req-other"))

    with raw_glance(serve) as glance, running_gateway(glance.url) as gateway:
        error = gateway.error(LIST, token="t")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert len(glance.requests) == 2


def test_proxy_that_strips_ids_gets_a_connection_for_each_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without ids only a connection of its own proves whose a response is."""

    def strip(request: RawRequest) -> bytes:
        return response({"images": [{"id": "1", "name": request.token}]}, None)

    with raw_glance(answering(strip)) as glance, running_gateway(glance.url) as gateway:
        for token in ("a", "b", "c"):
            data = gateway.data(LIST, token=token)
            assert data == {"images": {"nodes": [{"name": token}]}}

    assert (len(glance.requests), glance.connections) == (3, 3)
    assert {one.headers["connection"] for one in glance.requests} == {"close"}
    warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(401, "UNAUTHENTICATED"), (502, "GLANCE_UNAVAILABLE")]
)
def test_error_page_without_an_id_counts_on_a_connection_of_its_own(
    status: int, code: str
) -> None:
    """Glance's filter for tokens and proxies echo no id: asked again, they count."""

    def make(request: RawRequest) -> bytes:
        bad = response(b"", None, status=status)
        return bad if request.token == "bad" else own(request)

    with (
        raw_glance(answering(make)) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        for token in ("good", "good"):
            gateway.data(LIST, token=token)
        error = gateway.error(LIST, token="bad")
        again = gateway.data(LIST, token="good")

    assert error["extensions"]["code"] == code
    assert again == {"images": {"nodes": [{"name": "good"}]}}
    tokens = [one.token for one in glance.requests]
    assert tokens == ["good", "good", "bad", "bad", "good"]


def test_equal_request_ids_of_clients_get_different_suffixes() -> None:
    """Each call has an id of its own, which begins with the client's."""
    document = "{ a: image(id: 1) { id } b: image(id: 2) { id } }"
    headers = {"X-OpenStack-Request-ID": "req-" + "x" * 60, "X-Auth-Token": "t"}

    with (
        raw_glance(answering(own)) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        for _ in range(3):
            gateway.post(document, headers=headers)

    ids = [one.request_id for one in glance.requests]
    assert len(set(ids)) == len(ids) == 6
    assert all(one.startswith("req-xxxx") and len(one) == 64 for one in ids)


def test_batch_with_another_image_is_read_one_by_one() -> None:
    """A list by ids that holds what nobody asked for is not believed."""
    one, other, foreign = (f"{number}" * 8 + REST_OF_UUID for number in "123")
    document = """query ($a: ID!, $b: ID!) {
        a: image(id: $a) { name } b: image(id: $b) { name } }"""

    def make(request: RawRequest) -> bytes:
        if not request.target.startswith("/v2/images?"):
            return own(request)
        images = [{"id": image_id, "name": "mallory"} for image_id in (one, foreign)]
        return response({"images": images}, request.request_id)

    with raw_glance(answering(make)) as glance, running_gateway(glance.url) as gateway:
        data = gateway.data(document, token="t", a=one, b=other)

    assert data == {"a": {"name": "t"}, "b": {"name": "t"}}
    assert len(glance.requests) == 3


def test_id_in_other_case_names_the_same_image() -> None:
    """MySQL finds an id however it is written; Glance shows it as it is stored."""
    serve = answering(lambda request: response({"id": "abc"}, request.request_id))

    with raw_glance(serve) as glance, running_gateway(glance.url) as gateway:
        data = gateway.data('{ image(id: "ABC") { id } }', token="t")

    assert data == {"image": {"id": "abc"}}
