"""Reads that go through what is remembered.

A read is fresh, shown while it is asked for again, or asked for, once for all
who want it at the same time. What Glance cannot answer is shown as it was.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.cache.entry import Entry, Stamps
from gateway.cache.keys import ReadKey
from gateway.cache.policy import Freshness, Use, topics_revoked
from gateway.cache.single_flight import SingleFlight
from gateway.cache.store import Loaded, Store
from gateway.caller import Directive, Tally

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Glance answered, and for how many seconds that counts as fresh."""

    content: bytes
    fresh_seconds: float


Fetch = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Failures:
    """The exceptions that mean something to a cache.

    `expected`: all that a read may end with; of these `outage`: Glance cannot
    answer; `revoked`: nothing of the identity may be shown any longer;
    `refused`: this read may not.
    """

    expected: tuple[type[Exception], ...]
    outage: tuple[type[Exception], ...]
    revoked: tuple[type[Exception], ...]
    refused: tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A read: its key, its topics, and how to ask for it."""

    key: ReadKey
    topics: tuple[str, ...]
    fetch: Fetch


Found = Mapping[ReadKey, Answer]
FetchMany = Callable[[Sequence[Read]], Coroutine[object, object, Found]]
AskBatch = Callable[[], Awaitable[Found]]
Result = bytes | Exception


class Reader(Protocol):
    """How the catalog reads."""

    async def read(self, read: Read, directive: Directive, tally: Tally) -> bytes:
        """Return the answer's content; raises what `fetch` does."""

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Result]:
        """Return each answer's content, or the exception of its `fetch`.

        Two or more that have to be asked for are asked for by `fetch_many`;
        what it does not find is fetched alone.
        """

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""

    async def close(self) -> None:
        """End what is under way."""


class PlainReader:
    """Nothing remembered, nothing coalesced."""

    async def read(self, read: Read, directive: Directive, tally: Tally) -> bytes:
        """Ask."""
        del directive, tally
        return (await read.fetch()).content

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Result]:
        """Ask for all, then for each that was not found."""
        found = await fetch_many(reads) if len(reads) > 1 else {}

        async def one(read: Read) -> bytes:
            if read.key in found:
                return found[read.key].content
            return await self.read(read, directive, tally)

        return await gathered(one(read) for read in reads)

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
        clock: Clock = time.time,
    ) -> None:
        """Own the store; the clock gives seconds since 1970."""
        self._store = store
        self._freshness = freshness
        self._failures = failures
        self._clock = clock
        self._flights = SingleFlight[bytes]()
        self._batches = SingleFlight[Mapping[ReadKey, Answer]]()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def read(self, read: Read, directive: Directive, tally: Tally) -> bytes:
        """Return the answer's content; raises what `fetch` does."""
        if directive is Directive.NO_STORE:
            return (await self._ask(read)).content
        loaded = await self._store.load(read.key.text, read.topics)
        return await self._finish(read, loaded, directive, tally)

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany,
        directive: Directive,
        tally: Tally,
    ) -> Sequence[Result]:
        """Return each answer's content, or the exception of its `fetch`."""
        loads = (self._store.load(read.key.text, read.topics) for read in reads)
        found = [*zip(reads, await asyncio.gather(*loads), strict=True)]
        batch = [
            read
            for read, loaded in found
            if directive is not Directive.NONE or self._must_ask(read, loaded)
        ]
        if len(batch) > 1:
            ask_batch = self._once(lambda: fetch_many(batch))
            found = [
                (replace(read, fetch=_batched(read, ask_batch)), loaded)
                for read, loaded in found
            ]
        return await gathered(
            self._finish(read, loaded, directive, tally) for read, loaded in found
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

    def _must_ask(self, read: Read, loaded: Loaded) -> bool:
        """Tell whether the read will call its `fetch` for its own sake."""
        is_known = self._use_of(loaded) in {Use.FRESH, Use.REVALIDATED}
        return not is_known and not self._flights.has((read.key, loaded.stamps))

    def _once(self, ask: Callable[[], Coroutine[object, object, Found]]) -> AskBatch:
        """Return what asks once for all who call it, at once or later."""
        landed: list[Found] = []

        async def ask_batch() -> Found:
            if not landed:
                landed[:] = [await self._batches.run(ask_batch, ask)]
            return landed[0]

        return ask_batch

    async def _finish(
        self, read: Read, loaded: Loaded, directive: Directive, tally: Tally
    ) -> bytes:
        """Return what is known, or ask."""
        if directive is Directive.NO_STORE:
            return (await self._ask(read)).content
        if directive is Directive.NO_CACHE:
            return await self._ask_and_save(read, loaded.stamps)
        known, use = loaded.entry, self._use_of(loaded)
        if known is not None and use in {Use.FRESH, Use.REVALIDATED}:
            tally.cached += 1
            if use is Use.REVALIDATED:
                tally.stale += 1
                self._refresh(read, loaded.stamps)
            return known.content
        try:
            return await self._share(read, loaded.stamps, tally)
        except self._failures.outage:
            if known is None or use is not Use.STAND_IN:
                raise
            tally.stale += 1
            return known.content

    def _use_of(self, loaded: Loaded) -> Use:
        entry = loaded.entry
        if entry is None or entry.stamps != loaded.stamps:
            return Use.NONE
        age_seconds = entry.age_seconds(self._clock())
        return self._freshness.use(age_seconds, entry.fresh_seconds)

    async def _share(self, read: Read, stamps: Stamps, tally: Tally) -> bytes:
        """Ask once for all who want it now; a write in between is no 'now'."""
        flight = (read.key, stamps)
        tally.coalesced += self._flights.has(flight)
        return await self._flights.run(
            flight, lambda: self._ask_if_unknown(read, tally)
        )

    async def _ask_if_unknown(self, read: Read, tally: Tally) -> bytes:
        """Ask, unless somebody has just done so: between load and flight."""
        loaded = await self._store.load(read.key.text, read.topics)
        if loaded.entry is not None and self._use_of(loaded) is Use.FRESH:
            tally.cached += 1
            return loaded.entry.content
        return await self._ask_and_save(read, loaded.stamps)

    async def _ask_and_save(self, read: Read, stamps: Stamps) -> bytes:
        asked_at = self._clock()
        answer = await self._ask(read)
        if answer.fresh_seconds > 0:
            entry = Entry(answer.content, asked_at, answer.fresh_seconds, stamps)
            lifetime_seconds = self._freshness.lifetime_seconds(answer.fresh_seconds)
            await self._store.save(read.key.text, entry, lifetime_seconds)
        return answer.content

    async def _ask(self, read: Read) -> Answer:
        try:
            return await read.fetch()
        except self._failures.revoked:
            await self.renew(topics_revoked(read.key.scope))
            raise
        except self._failures.refused:
            await self._store.forget(read.key.text)
            raise

    def _refresh(self, read: Read, stamps: Stamps) -> None:
        """Ask in the background; what fails is asked for by the next read."""
        task = asyncio.create_task(self._refreshed(read, stamps))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _refreshed(self, read: Read, stamps: Stamps) -> None:
        with suppress(*self._failures.expected):
            await self._share(read, stamps, Tally())


def _batched(read: Read, ask_batch: AskBatch) -> Fetch:
    """Return a fetch that looks into the batch first."""

    async def fetch() -> Answer:
        found = await ask_batch()
        return found[read.key] if read.key in found else await read.fetch()

    return fetch


async def gathered(works: Iterable[Coroutine[object, object, bytes]]) -> list[Result]:
    """Return what each gives or raises; none is left behind when cancelled."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
    return [result for result in results if isinstance(result, bytes | Exception)]
