"""How answers are compressed, for whom, and how often."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from gateway.asgi import compression
from gateway.asgi.compression import OFF_LOOP_FROM_BYTES, Encoding
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Reply, json_reply

LONG = "{ __schema { types { name description } } }"
TAGS = "{ image(id: 1) { tags } }"
RENAME = 'mutation { updateImage(input: {id: 1, name: "x"}) { __typename } }'
MEDIA_TYPES = ["application/json", "application/graphql-response+json"]


def runs_in_a_loop() -> bool:
    """Return whether this thread is that of a loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.fixture
def remembering(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway before an image with many tags."""
    double.always(image_with_tags("old", 200))
    with running_gateway(double.url) as running:
        yield running


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[Encoding]:
    """Return how often something was compressed."""
    counts: Counter[Encoding] = Counter()
    compress = compression.compress

    def counted(encoding: Encoding, body: bytes) -> bytes:
        counts[encoding] += 1
        return compress(encoding, body)

    monkeypatch.setattr(compression, "compress", counted)
    return counts


def image_with_tags(word: str, count: int) -> Reply:
    """Return Glance's answer for an image with so many tags."""
    tags = [f"{word}-{number}" for number in range(count)]
    return json_reply({"id": "1", "status": "active", "tags": tags})


def answer(
    gateway: Gateway, document: str, encodings: str, accept: str = "*/*"
) -> httpx.Response:
    """Return the answer to a client that takes these encodings."""
    headers = {"Accept-Encoding": encodings, "Accept": accept}
    return gateway.post(document, token="t", headers=headers)


TAKEN = [
    ("gzip", "gzip"),
    ("br", "br"),
    ("GZIP", "gzip"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("gzip, br", "br"),
    ("gzip, zstd;q=0", "gzip"),
    ("gzip;q=1, br;q=0.1", "gzip"),
    ("br;q=0.5, zstd;q=0.4", "br"),
    ("*", "zstd"),
    ("zstd;q=0, *", "br"),
    ("gzip;q=0.5, *;q=0", "gzip"),
    ("gzip, identity", "gzip"),
    ("identity, gzip;q=0.5", None),
    ("identity", None),
    ("deflate", None),
    ("gzip;q=0", None),
    ("gzip;q=2", None),
    ("*;q=0", None),
    ("", None),
]


@pytest.mark.parametrize("accept", MEDIA_TYPES)
@pytest.mark.parametrize(("taken", "encoding"), TAKEN)
def test_long_answer_is_compressed_as_the_client_prefers(
    gateway: Gateway, taken: str, encoding: str | None, accept: str
) -> None:
    """Decoded, it is the same, and caches are told that it may differ."""
    plain = answer(gateway, LONG, "identity", accept)
    sent = answer(gateway, LONG, taken, accept)

    assert sent.headers.get("Content-Encoding") == encoding
    assert sent.headers["Content-Type"] == f"{accept}; charset=utf-8"
    assert sent.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert sent.json() == plain.json()
    is_shorter = sent.num_bytes_downloaded < plain.num_bytes_downloaded / 2
    assert is_shorter == (encoding is not None)


def test_short_answer_is_not_compressed(gateway: Gateway) -> None:
    """It would only grow."""
    headers = answer(gateway, "{ __typename }", "gzip").headers

    assert "Content-Encoding" not in headers


def test_answer_that_would_grow_is_not_compressed(double: GlanceDouble) -> None:
    """However short an answer may be by the setting."""
    with running_gateway(double.url, compress_min_bytes=1) as gateway:
        sent = answer(gateway, "{ __typename }", "gzip")

    assert "Content-Encoding" not in sent.headers
    assert sent.json() == {"data": {"__typename": "Query"}}


def test_long_answer_is_not_compressed_where_the_setting_is_0(
    double: GlanceDouble,
) -> None:
    """A proxy may do it instead."""
    with running_gateway(double.url, compress_min_bytes=0) as gateway:
        headers = answer(gateway, LONG, "gzip").headers

    assert "Content-Encoding" not in headers
    assert "Vary" not in headers


def test_remembered_answer_is_compressed_once(
    remembering: Gateway, runs: Counter[Encoding]
) -> None:
    """And once more when it is remembered, for each encoding."""
    asked = [answer(remembering, TAGS, "gzip") for _ in range(5)]
    asked += [answer(remembering, TAGS, "br") for _ in range(5)]

    assert runs == {Encoding.GZIP: 2, Encoding.BROTLI: 1}
    assert len({one.content for one in asked}) == 1


def test_compressed_answer_is_forgotten_with_the_answer(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """A write is seen at once, whatever form an answer is sent in."""
    for _ in range(3):
        answer(remembering, TAGS, "gzip")
    double.always(image_with_tags("new", 200))

    answer(remembering, RENAME, "gzip")

    tags = answer(remembering, TAGS, "gzip").json()["data"]["image"]["tags"]
    assert tags[0] == "new-0"


def test_remembered_answer_with_what_it_cost_is_compressed_as_it_is(
    remembering: Gateway,
) -> None:
    """What is kept compressed is without it."""
    for _ in range(2):
        answer(remembering, TAGS, "gzip")

    headers = {"Accept-Encoding": "gzip", "X-Gateway-Trace": "1"}
    traced = remembering.post(TAGS, token="t", headers=headers)

    assert traced.headers["Content-Encoding"] == "gzip"
    assert traced.json()["extensions"]["glance"]["cached"] == 1


def test_answer_that_takes_long_is_compressed_beside_the_loop(
    remembering: Gateway, double: GlanceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are answered meanwhile."""
    in_loop: dict[bool, bool] = {}
    compress = compression.compress

    def noted(encoding: Encoding, body: bytes) -> bytes:
        in_loop[len(body) >= OFF_LOOP_FROM_BYTES] = runs_in_a_loop()
        return compress(encoding, body)

    monkeypatch.setattr(compression, "compress", noted)
    answer(remembering, LONG, "gzip")
    double.always(image_with_tags("new", 20_000))
    sent = answer(remembering, TAGS, "gzip")

    assert len(sent.json()["data"]["image"]["tags"]) == 20_000
    assert in_loop == {False: True, True: False}


def test_compressed_get_is_answered_304_as_any(remembering: Gateway) -> None:
    """Its tag is that of the answer, however it is sent."""
    own = {"X-Auth-Token": "t", "Accept-Encoding": "gzip"}
    asked = {"query": TAGS}

    first = remembering.client.get("/graphql", params=asked, headers=own)
    own |= {"If-None-Match": first.headers["ETag"], "Accept-Encoding": "br"}
    second = remembering.client.get("/graphql", params=asked, headers=own)

    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["ETag"].startswith("W/")
    assert (second.status_code, second.content) == (304, b"")
    assert first.headers["Vary"] == second.headers["Vary"]
    assert "Accept-Encoding" in first.headers["Vary"]
