"""Nothing untrue is shown after a write, a refusal or a race."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.cache.caching_reader import CachingReader
from gateway.cache.keys import ReadKey, ReadKind, read_key
from gateway.cache.policy import Freshness, topics_of
from gateway.cache.reader import Failures, Read, ReadResult
from gateway.cache.store import Loaded, MemoryStore, Wanted
from gateway.cache.version_table import VersionTable, create_versions
from gateway.caller import Caller, Counters, Directive
from gateway.catalog import FAILURES, Catalog
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.transport import Transport
from gateway.identity import Identity
from gateway.reads import Reads
from tests.support.gateway import running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { name } }"
LIST = "{ images { nodes { name } } }"
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
RENAME = 'mutation { updateImage(input: {id: 1, name: "new"}) { image { id } } }'
ACTIVE = {"id": "1", "name": "known", "status": "active"}
ALICE = Identity("alice")


class HeldStore(MemoryStore):
    """A store whose single loads of one key wait for a test."""

    def __init__(self, held: str) -> None:
        """Hold loads of the key `held`."""
        super().__init__(VersionTable(), max_entries=10, max_bytes=100_000)
        self._held = held
        self.waits, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Wait, where it is a load of the held key alone."""
        if [key for key, _ in wanted] == [self._held]:
            self.waits.set()
            await self.may_go_on.wait()
        return await super().load(wanted)


@pytest.mark.anyio
async def test_batch_asked_before_a_write_is_not_believed_after_it() -> None:
    """What a batch brought is as old as the batch, whenever it is saved."""
    deadline_at = asyncio.get_running_loop().time() + 10
    single: list[ReadKey] = []

    def read_of(image_id: str) -> Read:
        key = read_key(ALICE, ReadKind.IMAGE, image_id)

        async def fetch(_: Counters) -> ReadResult:
            single.append(key)
            return ReadResult(b"new", 10)

        topics = topics_of(key.scope, image_id)
        return Read(key, topics, fetch, deadline_at)

    async def fetch_many(
        asked: Sequence[Read], _: Counters
    ) -> Mapping[ReadKey, ReadResult]:
        return {one.key: ReadResult(b"old", 10) for one in asked}

    one, other = read_of("1"), read_of("2")
    store = HeldStore(other.key.text)
    reader = CachingReader(store, Freshness(), Failures((), (), ()))
    reading = asyncio.create_task(
        reader.read_many([one, other], fetch_many, Directive.NONE, [Counters()] * 2)
    )
    await store.waits.wait()
    await reader.renew(("image:2",))
    store.may_go_on.set()
    await reading

    read = await reader.read(other, Directive.NONE, Counters())
    assert read.encoded == b"new"
    assert single == [other.key]
    await reader.close()


def test_older_answer_does_not_replace_a_newer_one(double: GlanceDouble) -> None:
    """Who asked afresh is believed, whichever answer comes first."""
    reading, answering = threading.Event(), threading.Event()

    def script(_: Received) -> Reply:
        if reading.is_set():
            return json_reply(ACTIVE | {"name": "new"})
        reading.set()
        return Reply(body=json_reply(ACTIVE).body, until=answering)

    double.script = script
    with running_gateway(double.url) as gateway, ThreadPoolExecutor(1) as pool:
        early = pool.submit(gateway.data, SHOW, token="t", id="1")
        reading.wait(10)
        afresh = {"Cache-Control": "no-cache", "X-Auth-Token": "t"}
        gateway.post(SHOW, headers=afresh, id="1")
        answering.set()
        early.result()
        seen = gateway.data(SHOW, token="t", id="1")["image"]

    assert seen == {"name": "new"}


def test_walk_begins_afresh_where_its_place_is_lost(double: GlanceDouble) -> None:
    """A remembered page may end at an image that somebody else has deleted."""
    first, other = ({"id": str(number), "name": str(number)} for number in (1, 2))
    pages = [
        json_reply({"images": [first], "next": "/v2/images?marker=1"}),
        Reply(400),
        json_reply({"images": [other]}),
    ]
    double.play(*pages)

    with running_gateway(double.url) as gateway:
        answer = gateway.data("{ images(first: 2) { nodes { name } } }", token="t")

    assert answer == {"images": {"nodes": [{"name": "2"}]}}
    assert [("marker", "1") in call.query for call in double.calls] == [
        False,
        True,
        False,
    ]


def test_cursor_whose_place_is_lost_is_refused_once(double: GlanceDouble) -> None:
    """A place that the client gave cannot be found by asking again."""
    document = """query ($after: String) {
        images(first: 1, after: $after) { pageInfo { endCursor } } }"""

    with running_gateway(double.url, cache_url="none") as gateway:
        double.play(json_reply({"images": [ACTIVE, ACTIVE | {"id": "2"}]}))
        page = gateway.data(document, token="t")["images"]
        double.reset()
        double.always(Reply(400))
        after = page["pageInfo"]["endCursor"]
        error = gateway.error(document, token="t", after=after)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(double.calls) == 1


@pytest.mark.parametrize("image_id", ["a/b", "no-such-image"])
def test_write_that_finds_no_image_forgets_no_list(
    double: GlanceDouble, image_id: str
) -> None:
    """Anybody may name an image that there is not: others' lists stay."""
    double.script = lambda received: (
        Reply(404) if received.method == "DELETE" else json_reply({"images": []})
    )
    with running_gateway(double.url) as gateway:
        gateway.data(LIST, token="alice")
        error = gateway.error(DELETE, token="mallory", id=image_id)
        gateway.data(LIST, token="alice")

    assert error["extensions"]["code"] == "NOT_FOUND"
    assert [call.path for call in double.calls].count("/v2/images") == 1


def test_answer_that_is_not_remembered_replaces_what_was(double: GlanceDouble) -> None:
    """What is no longer so does not stand in, either."""
    double.play(json_reply(ACTIVE), Reply(404), Reply(503))
    with running_gateway(
        double.url, cache_ttl_image_seconds=0.001, cache_ttl_transient_image_seconds=0
    ) as gateway:
        seen = [gateway.data(SHOW, token="t", id="1")["image"] for _ in range(2)]
        error = gateway.error(SHOW, token="t", id="1")

    assert seen == [{"name": "known"}, None]
    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_refusal_through_one_worker_holds_on_another(
    double: GlanceDouble, tmp_path: Path
) -> None:
    """After a 403 nothing stands in, wherever it was remembered."""
    versions = tmp_path / "versions"
    create_versions(versions)
    double.play(json_reply(ACTIVE), Reply(403), Reply(503))
    with (
        running_gateway(
            double.url, versions_file=versions, cache_ttl_image_seconds=0.001
        ) as one,
        running_gateway(double.url, versions_file=versions) as other,
    ):
        one.data(SHOW, token="t", id="1")
        other.error(SHOW, token="t", id="1")
        error = one.error(SHOW, token="t", id="1")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_nothing_stands_in_for_a_mutations_image(double: GlanceDouble) -> None:
    """A mutation shows the image as Glance has it, or fails."""
    double.play(json_reply(ACTIVE), Reply(503))
    document = "mutation { updateImage(input: {id: 1}) { image { name } } }"
    with running_gateway(double.url) as gateway:
        gateway.data(SHOW, token="t", id="1")
        error = gateway.error(document, token="t")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_known_answer_stands_in_at_the_requests_deadline(double: GlanceDouble) -> None:
    """A Glance that hangs is one that cannot answer."""
    answering = threading.Event()
    double.script = lambda _: (
        json_reply(ACTIVE) if len(double.calls) == 1 else Reply(until=answering)
    )
    with running_gateway(
        double.url, cache_ttl_image_seconds=0.001, request_timeout_seconds=0.3
    ) as gateway:
        gateway.data(SHOW, token="t", id="1")
        answer = gateway.answer(SHOW, token="t", id="1")
        answering.set()

    assert answer["data"] == {"image": {"name": "known"}}
    assert answer["extensions"]["glance"]["stale"] == 1


def test_write_goes_on_and_is_forgotten_when_its_client_leaves(
    double: GlanceDouble,
) -> None:
    """What was begun is ended, so that nobody remembers what was before it."""
    begun, answering = threading.Event(), threading.Event()
    names = ["old"]

    def script(received: Received) -> Reply:
        if received.method == "PATCH":
            begun.set()
            answering.wait(10)
            names.append("new")
        return json_reply(ACTIVE | {"name": names[-1]})

    double.script = script
    with running_gateway(double.url) as gateway:
        gateway.ask_and_leave(RENAME, token="t", once=begun)
        assert gateway.data(SHOW, token="t", id="1")["image"] == {"name": "old"}
        answering.set()
        seen = (gateway.data(SHOW, token="t", id="1")["image"] for _ in range(200))

        assert {"name": "new"} in seen


@pytest.mark.anyio
async def test_readers_cannot_change_what_is_remembered(double: GlanceDouble) -> None:
    """Each reader has a record of its own."""
    double.always(json_reply(ACTIVE))
    transport = Transport(connections=1)
    client = GlanceClient(
        transport,
        double.url,
        bulkhead=Bulkhead(Bounds(calls=1)),
        timeout_seconds=9,
    )
    freshness = Freshness()
    store = MemoryStore(VersionTable(), max_entries=10, max_bytes=100_000)
    reader = CachingReader(store, freshness, FAILURES)
    catalog = Catalog(client, Reads(client, freshness), reader)
    caller = Caller(ALICE, "req-1", asyncio.get_running_loop().time() + 10)

    first = await catalog.find_image(caller, "1")
    assert first is not None
    first["name"] = "changed by a reader"
    second = await catalog.find_image(caller, "1")

    assert second == ACTIVE
    assert len(double.calls) == 1
    await catalog.close()
    await transport.close()
