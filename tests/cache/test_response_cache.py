"""How long and how many answers are remembered."""

import pytest

from gateway.cache.cached_response import ResponseKey
from gateway.cache.entry import Entry
from gateway.cache.response_cache import MemoryResponseCache
from gateway.cache.store import MemoryStore
from gateway.cache.version_table import VersionTable
from gateway.caller import Dependencies
from gateway.identity import Identity
from tests.cache.clock import Clock

KEY = ResponseKey(Identity("alice"), b"POST {}")

pytestmark = pytest.mark.anyio


def memory(max_entries: int = 10, max_bytes: int = 100_000) -> MemoryStore:
    """Return a memory with these bounds."""
    return MemoryStore(VersionTable(), max_entries=max_entries, max_bytes=max_bytes)


def dependencies(fresh_until: float) -> Dependencies:
    """Return dependencies of one read without topics."""
    found = Dependencies()
    found.add((), fresh_until)
    return found


async def test_answer_is_shown_until_its_reads_are_no_longer_fresh() -> None:
    """Not a moment longer."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    await answers.keep(KEY, b"answer", dependencies(clock.now + 10))

    clock.pass_(9.9)
    before = await answers.find(KEY)
    clock.pass_(0.1)
    after = await answers.find(KEY)

    assert before is not None
    assert before.body == b"answer"
    assert after is None
    assert len(store) == store.bytes_held == 0


async def test_clock_set_back_ends_answers() -> None:
    """Nobody can tell how old they are."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    await answers.keep(KEY, b"answer", dependencies(clock.now + 10))

    clock.pass_(-3600)

    assert await answers.find(KEY) is None


async def test_topics_of_an_answer_count() -> None:
    """A small answer of many reads is not small."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    found = Dependencies()
    found.add([(f"image:{number}", bytes(8)) for number in range(100)], clock.now + 9)

    await answers.keep(KEY, b"{}", found)

    assert store.bytes_held > 100 * 150


async def test_answer_whose_reads_are_not_remembered_takes_no_place() -> None:
    """Freshness of 0 seconds: nothing is kept."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)

    await answers.keep(KEY, b"answer", dependencies(clock.now))

    assert len(store) == 0


async def test_answer_of_reads_before_and_after_a_write_is_not_kept() -> None:
    """It was never true as a whole."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    found = Dependencies()
    for version in (b"before", b"after"):
        found.add([("lists", version)], clock.now + 10)

    await answers.keep(KEY, b"answer", found)

    assert len(store) == 0


async def test_answers_and_entries_share_one_bound() -> None:
    """Whatever was used least recently makes room."""
    clock, store = Clock(), memory(max_entries=2)
    answers = MemoryResponseCache(store, store, clock=clock)
    await answers.keep(KEY, b"answer", dependencies(clock.now + 10))
    await store.save("one", Entry(b"1", clock.now, 10, ()), 10)
    await answers.find(KEY)

    await store.save("other", Entry(b"2", clock.now, 10, ()), 10)

    one, other = await store.load([("one", ()), ("other", ())])
    assert (one.entry is None, other.entry is None) == (True, False)
    assert await answers.find(KEY) is not None
    assert len(store) == 2


async def test_answer_that_is_too_large_is_not_kept() -> None:
    """The bound of bytes holds for answers, too."""
    clock, store = Clock(), memory(max_bytes=2_000)
    answers = MemoryResponseCache(store, store, clock=clock)

    await answers.keep(KEY, b"x" * 3_000, dependencies(clock.now + 10))

    assert len(store) == store.bytes_held == 0


async def test_compressed_form_counts_and_goes_with_its_answer() -> None:
    """It is found beside the body, as long as that."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    await answers.keep(KEY, b"answer", dependencies(clock.now + 10))
    known, held = await answers.find(KEY), store.bytes_held
    assert known is not None

    await answers.keep_compressed(KEY, known, "gzip", b"short")
    found = await answers.find(KEY)

    assert found is not None
    assert (found.body, found.compressed) == (b"answer", {"gzip": b"short"})
    assert store.bytes_held == held + len(b"short")
    clock.pass_(10)
    assert await answers.find(KEY) is None
    assert store.bytes_held == 0


async def test_compressed_form_of_another_answer_is_not_kept() -> None:
    """While it was compressed, a write may have made another answer true."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    await answers.keep(KEY, b"old", dependencies(clock.now + 10))
    old = await answers.find(KEY)
    assert old is not None
    await answers.keep(KEY, b"new", dependencies(clock.now + 10))

    await answers.keep_compressed(KEY, old, "gzip", b"short")

    found = await answers.find(KEY)
    assert found is not None
    assert (found.body, found.compressed) == (b"new", {})


async def test_equal_answer_takes_the_place_of_the_one_before() -> None:
    """Keeping again counts once."""
    clock, store = Clock(), memory()
    answers = MemoryResponseCache(store, store, clock=clock)
    for body in (b"old", b"new"):
        await answers.keep(KEY, body, dependencies(clock.now + 10))
    held = store.bytes_held

    found = await answers.find(KEY)

    assert found is not None
    assert found.body == b"new"
    assert (len(store), held < 1_000) == (1, True)
