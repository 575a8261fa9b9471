"""Reads that go through what is remembered.

A read is fresh, shown while it is asked for again, or asked for, once for all
who want it at the same time. What Glance cannot answer is shown as it was.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from gateway.cache.entry import Entry, Stamps
from gateway.cache.keys import ReadKey
from gateway.cache.policy import Freshness, Use, topics_revoked
from gateway.cache.single_flight import SingleFlight
from gateway.cache.store import Loaded, Store, Wanted
from gateway.caller import Directive, Tally
from gateway.facts import Hook, RefreshFacts, tell

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Glance answered, and for how many seconds that counts as fresh.

    `value` is the content decoded, where it was looked into.
    """

    content: bytes
    fresh_seconds: float
    value: object = None


@dataclass(slots=True)
class Landed:
    """An answer that was asked for, as it is remembered.

    `value` is its content decoded, for one reader: no two share a record.
    """

    entry: Entry
    value: object

    def taken(self) -> "Content":
        """Return the content, decoded for whoever comes first."""
        value, self.value = self.value, None
        return Content(self.entry.content, value)


@dataclass(frozen=True, slots=True)
class Content:
    """What is known, and the same decoded where it need not be done again."""

    encoded: bytes
    value: object = None


Fetch = Callable[[Tally], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Failures:
    """The exceptions that mean something to a cache.

    `expected`: all that a read may end with; of these `outage`: Glance cannot
    answer, in time or at all; `revoked`: nothing that the identity has read may
    be shown again.
    """

    expected: tuple[type[Exception], ...]
    outage: tuple[type[Exception], ...]
    revoked: tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A read: its key, its topics, how to ask for it and how long to wait.

    `fetch` counts its calls in the tally it is given; `deadline_at` is a time
    of the running loop's clock.
    """

    key: ReadKey
    topics: tuple[str, ...]
    fetch: Fetch
    deadline_at: float

    @property
    def own_topic(self) -> str:
        """Return the topic that asking afresh renews."""
        return self.key.text

    @property
    def wanted(self) -> Wanted:
        """Return what to load: the entry and the stamps of all its topics."""
        return self.key.text, (*self.topics, self.own_topic)


Found = Mapping[ReadKey, Answer]
FetchMany = Callable[[Sequence[Read], Tally], Coroutine[object, object, Found]]


class Reader(Protocol):
    """How the catalog reads.

    A read raises what its `fetch` does, and TimeoutError at its deadline.
    """

    async def read(self, read: Read, directive: Directive, tally: Tally) -> Content:
        """Return the answer's content."""

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Content | Exception]:
        """Return each answer's content, or what `read` would raise.

        Two or more that have to be asked for are asked for by `fetch_many`,
        where there is one; what it does not find is fetched alone.
        """

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""

    async def close(self) -> None:
        """End what is under way."""


class PlainReader:
    """Nothing remembered, nothing coalesced."""

    async def read(self, read: Read, directive: Directive, tally: Tally) -> Content:
        """Ask."""
        del directive
        tally.grounds.give_way()
        async with asyncio.timeout_at(read.deadline_at):
            answer = await read.fetch(tally)
        return Content(answer.content, answer.value)

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Content | Exception]:
        """Ask for all, then for each that was not found."""
        asked = _batched(reads, fetch_many) if len(reads) > 1 else reads
        return await gathered(self.read(read, directive, tally) for read in asked)

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Do nothing: nothing is remembered."""

    async def close(self) -> None:
        """Do nothing: nothing is under way."""


class RememberingReader:
    """Reads remembered in a store, as long as a policy says."""

    def __init__(
        self,
        store: Store,
        freshness: Freshness,
        failures: Failures,
        *,
        hooks: Sequence[Hook] = (),
        clock: Clock = time.time,
    ) -> None:
        """Own the store; the clock gives seconds since 1970.

        `hooks` are given the RefreshFacts of each read in the background.
        """
        self._store = store
        self._freshness = freshness
        self._failures = failures
        self._hooks = hooks
        self._clock = clock
        self._flights = SingleFlight[Landed]()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def read(self, read: Read, directive: Directive, tally: Tally) -> Content:
        """Return the answer's content."""
        loaded = await self._load(read)
        return await self._finish(read, loaded, directive, tally)

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Content | Exception]:
        """Return each answer's content, or what `read` would raise."""
        loads = await self._store.load([one.wanted for one in reads])
        pairs = [*zip(reads, loads, strict=True)]
        asked = [one for one in pairs if self._must_ask(*one, directive)]
        if len(asked) > 1:
            batch = _batched([read for read, _ in asked], fetch_many)
            fetches = {read.key: read for read in batch}
            pairs = [(fetches.get(read.key, read), loaded) for read, loaded in pairs]
        return await gathered(
            self._finish(read, loaded, directive, tally) for read, loaded in pairs
        )

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""
        await self._store.renew(topics)

    async def close(self) -> None:
        """End what is under way and close the store."""
        for task in self._refreshing:
            task.cancel()
        await asyncio.gather(*self._refreshing, return_exceptions=True)
        await self._flights.close()
        await self._store.close()

    async def _load(self, read: Read) -> Loaded:
        (loaded,) = await self._store.load([read.wanted])
        return loaded

    def _must_ask(self, read: Read, loaded: Loaded, directive: Directive) -> bool:
        """Tell whether the read will call its `fetch` for its own sake."""
        if directive is not Directive.NONE:
            return True
        is_known = self._use_of(loaded) in {Use.FRESH, Use.REVALIDATED}
        return not is_known and not self._flights.has((read.key, loaded.stamps))

    async def _finish(
        self, read: Read, loaded: Loaded, directive: Directive, tally: Tally
    ) -> Content:
        """Return what is known, or ask."""
        if directive is not Directive.NONE:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._ask_afresh(read, loaded.stamps, directive, tally)
            return _rested(read, landed, tally)
        known, use = loaded.entry, self._use_of(loaded)
        if known is not None and use is Use.FRESH:
            tally.cached += 1
            return _rested(read, Landed(known, None), tally)
        if known is not None and use is Use.REVALIDATED:
            tally.cached += 1
            self._refresh(read, loaded.stamps)
            return _stale(known, tally)
        try:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._share(read, loaded.stamps, tally)
        except self._failures.outage:
            if known is None or use is not Use.STAND_IN:
                raise
            return _stale(known, tally)
        return _rested(read, landed, tally)

    def _use_of(self, loaded: Loaded) -> Use:
        entry = loaded.entry
        if entry is None or entry.stamps != loaded.stamps:
            return Use.NONE
        age_seconds = entry.age_seconds(self._clock())
        return self._freshness.use(age_seconds, entry.fresh_seconds)

    async def _share(self, read: Read, stamps: Stamps, tally: Tally) -> Landed:
        """Ask once for all who want it now; a write in between is no 'now'."""
        flight = (read.key, stamps)
        if self._flights.has(flight):
            tally.coalesced += 1
        asking = partial(self._ask_if_unknown, read, stamps, tally)
        return await self._flights.run(flight, asking)

    async def _ask_if_unknown(self, read: Read, stamps: Stamps, tally: Tally) -> Landed:
        """Ask, unless an answer has landed between our load and our flight."""
        loaded = await self._load(read)
        if loaded.entry is not None and self._use_of(loaded) is Use.FRESH:
            tally.cached += 1
            return Landed(loaded.entry, None)
        return await self._ask_and_save(read, stamps, tally)

    async def _ask_afresh(
        self, read: Read, stamps: Stamps, directive: Directive, tally: Tally
    ) -> Landed:
        """Ask, and make untrue what was known, unless nothing shall be stored.

        What was asked for before and lands later is untrue, too.
        """
        if directive is Directive.NO_STORE:
            tally.grounds.give_way()
            asked_at = self._clock()
            answer = await self._ask(read, tally)
            return _landed(answer, asked_at, stamps)
        asked_at = self._clock()
        answer = await self._ask(read, tally)
        await self.renew((read.own_topic,))
        own_stamp = (await self._load(read)).stamps[-1]
        landed = _landed(answer, asked_at, (*stamps[:-1], own_stamp))
        await self._save(read, landed.entry)
        return landed

    async def _ask_and_save(self, read: Read, stamps: Stamps, tally: Tally) -> Landed:
        """Ask, and remember the answer in place of what is known.

        The stamps are those from before anybody was asked for it.
        """
        asked_at = self._clock()
        landed = _landed(await self._ask(read, tally), asked_at, stamps)
        await self._save(read, landed.entry)
        return landed

    async def _save(self, read: Read, entry: Entry) -> None:
        if entry.fresh_seconds > 0:
            lifetime_seconds = self._freshness.lifetime_seconds(entry.fresh_seconds)
            await self._store.save(read.key.text, entry, lifetime_seconds)
        else:
            await self._store.forget(read.key.text)

    async def _ask(self, read: Read, tally: Tally) -> Answer:
        try:
            return await read.fetch(tally)
        except self._failures.revoked:
            await self.renew(topics_revoked(read.key.scope))
            raise

    def _refresh(self, read: Read, stamps: Stamps) -> None:
        """Ask in the background; what fails is asked for by the next read."""
        task = asyncio.create_task(self._refreshed(read, stamps))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _refreshed(self, read: Read, stamps: Stamps) -> None:
        tally = Tally()
        with suppress(*self._failures.expected):
            await self._share(read, stamps, tally)
        tell(self._hooks, lambda: RefreshFacts(read.key.scope, tally.calls))


def _landed(answer: Answer, asked_at: float, stamps: Stamps) -> Landed:
    entry = Entry(answer.content, asked_at, answer.fresh_seconds, stamps)
    return Landed(entry, answer.value)


def _rested(read: Read, landed: Landed, tally: Tally) -> Content:
    """Return the content; what is built of it rests on this read."""
    entry = landed.entry
    _, topics = read.wanted
    stamps = zip(topics, entry.stamps, strict=True)
    tally.grounds.add(stamps, entry.stored_at + entry.fresh_seconds)
    return landed.taken()


def _stale(known: Entry, tally: Tally) -> Content:
    tally.stale += 1
    tally.grounds.give_way()
    return Content(known.content)


class _Batch:
    """Reads that are asked for together, once, however many wait for it."""

    def __init__(self, reads: Sequence[Read], fetch_many: FetchMany) -> None:
        self._ask = partial(fetch_many, reads)
        self._flight = SingleFlight[Found]()
        self._landed: Found | None = None

    async def fetch(self, read: Read, tally: Tally) -> Answer:
        """Return the read's answer: the batch's, or its own where that has none."""
        if self._landed is None:
            asking = partial(self._ask, tally)
            self._landed = await self._flight.run(None, asking)
        if read.key in self._landed:
            return self._landed[read.key]
        return await read.fetch(tally)


def _batched(reads: Sequence[Read], fetch_many: FetchMany | None) -> Sequence[Read]:
    """Return the reads with fetches that look into one batch first."""
    if fetch_many is None:
        return reads
    batch = _Batch(reads, fetch_many)
    return [replace(read, fetch=partial(batch.fetch, read)) for read in reads]


async def gathered(
    works: Iterable[Coroutine[object, object, Content]],
) -> Sequence[Content | Exception]:
    """Return what each gives or raises; none is left behind when cancelled."""
    settled = [_settled(work) for work in works]
    if len(settled) == 1:
        return [await settled[0]]
    return await asyncio.gather(*settled)


async def _settled(work: Coroutine[object, object, Content]) -> Content | Exception:
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - whoever asked has to look at it
        return error
