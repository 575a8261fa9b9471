"""Reads through the cache.

A read is fresh, shown while it is asked for again, or asked for, once for all
who want it at the same time. In an outage of Glance the old entry is returned as stale.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gateway.cache.entry import Entry, Versions, is_doubtful
from gateway.cache.policy import Freshness, Use, topics_revoked, topics_told
from gateway.cache.reader import (
    Clock,
    Content,
    Failures,
    FetchMany,
    Read,
    ReadResult,
    batched,
    gathered,
)
from gateway.cache.single_flight import SingleFlight
from gateway.cache.store import Loaded, Store
from gateway.caller import Counters, Directive
from gateway.facts import Hook, RefreshFacts, tell


@dataclass(slots=True)
class _Landed:
    """The result of a call, as a cache entry.

    `value` is its content decoded, for one reader: no two share a record.
    """

    entry: Entry
    value: object

    def taken(self) -> Content:
        """Return the content, decoded for whoever comes first."""
        value, self.value = self.value, None
        return Content(self.entry.content, value)


class CachingReader:
    """A reader that caches in a store, as long as a policy allows."""

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
        self._flights = SingleFlight[_Landed]()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def read(
        self, read: Read, directive: Directive, counters: Counters
    ) -> Content:
        """Return the result's content."""
        loaded = await self._load(read)
        return await self._finish(read, loaded, directive, counters)

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        all_counters: Sequence[Counters],
    ) -> Sequence[Content | Exception]:
        """Return each result's content, or what `read` would raise."""
        loads = await self._store.load([one.wanted for one in reads])
        asked = {
            read.key: read
            for read, loaded in zip(reads, loads, strict=True)
            if self._must_ask(read, loaded, directive)
        }
        if len(asked) > 1:
            batch = batched([*asked.values()], fetch_many)
            fetches = {read.key: read for read in batch}
            reads = [fetches.get(read.key, read) for read in reads]
        return await gathered(
            self._finish(read, loaded, directive, counters)
            for read, loaded, counters in zip(reads, loads, all_counters, strict=True)
        )

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""
        await self._store.renew(topics)

    async def doubt(self, topics: tuple[str, ...]) -> None:
        """Mark entries of the topics doubtful: used only in an outage, as stale."""
        await self._store.doubt(topics)

    async def versions(self, topics: tuple[str, ...]) -> Versions | None:
        """Return the topics' versions as the store has them."""
        return await self._store.versions(topics)

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
        """Return whether the read will call its `fetch` for its own sake."""
        if directive is not Directive.NONE:
            return True
        is_known = self._use_of(loaded) in {Use.FRESH, Use.REVALIDATED}
        return not is_known and not self._flights.has((read.key, loaded.versions))

    async def _finish(
        self, read: Read, loaded: Loaded, directive: Directive, counters: Counters
    ) -> Content:
        """Return what is known, or ask."""
        if directive is Directive.POLL:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._ask_and_save(read, loaded.versions, counters)
            return _rested(read, landed, counters)
        if directive is not Directive.NONE:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._ask_afresh(
                    read, loaded.versions, directive, counters
                )
            return _rested(read, landed, counters)
        known, use = loaded.entry, self._use_of(loaded)
        if known is not None and use is Use.FRESH:
            counters.cached += 1
            return _rested(read, _Landed(known, None), counters)
        if known is not None and use is Use.REVALIDATED:
            counters.cached += 1
            self._refresh(read, loaded.versions)
            return _stale(known, counters)
        try:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._share(read, loaded.versions, counters)
        except self._failures.outage:
            stand_in = await self._stand_in(read)
            if stand_in is None:
                raise
            return _stale(stand_in, counters)
        return _rested(read, landed, counters)

    async def _stand_in(self, read: Read) -> Entry | None:
        """Return the entry that may be returned as stale, None if there is none.

        It is loaded after the call has failed: an entry that was loaded before the
        call may have been invalidated since.
        """
        loaded = await self._load(read)
        return None if self._use_of(loaded) is Use.NONE else loaded.entry

    def _use_of(self, loaded: Loaded) -> Use:
        entry = loaded.entry
        if entry is None:
            return Use.NONE
        age_seconds = entry.age_seconds(self._clock())
        if entry.versions == loaded.versions:
            return self._freshness.use(age_seconds, entry.fresh_seconds)
        if is_doubtful(entry.versions, loaded.versions):
            return self._freshness.use_in_doubt(age_seconds, entry.fresh_seconds)
        return Use.NONE

    async def _share(
        self, read: Read, versions: Versions, counters: Counters
    ) -> _Landed:
        """Ask once for all who want it now; a write in between is no 'now'."""
        flight = (read.key, versions)
        if self._flights.has(flight):
            counters.coalesced += 1
        asking = partial(self._ask_if_unknown, read, versions, counters)
        return await self._flights.run(flight, asking)

    async def _ask_if_unknown(
        self, read: Read, versions: Versions, counters: Counters
    ) -> _Landed:
        """Ask, unless an result has landed between our load and our flight."""
        loaded = await self._load(read)
        if loaded.entry is not None and self._use_of(loaded) is Use.FRESH:
            counters.cached += 1
            return _Landed(loaded.entry, None)
        return await self._ask_and_save(read, versions, counters)

    async def _ask_afresh(
        self, read: Read, versions: Versions, directive: Directive, counters: Counters
    ) -> _Landed:
        """Ask, and make untrue what was known, unless nothing shall be stored.

        What was asked for before and lands later is untrue, too.
        """
        asked_at = self._clock()
        result = await self._ask(read, counters)
        renewed = None
        if directive is Directive.NO_CACHE:
            renewed = await self._store.renew((read.own_topic,))
        if renewed is None:
            counters.dependencies.prevent_caching()
            return _landed(result, asked_at, versions)
        landed = _landed(result, asked_at, (*versions[:-1], *renewed))
        await self._save(read, landed.entry)
        return landed

    async def _ask_and_save(
        self, read: Read, versions: Versions, counters: Counters
    ) -> _Landed:
        """Call Glance, and cache the result.

        The versions are those from before the call.
        """
        asked_at = self._clock()
        landed = _landed(await self._ask(read, counters), asked_at, versions)
        await self._save(read, landed.entry)
        return landed

    async def _save(self, read: Read, entry: Entry) -> None:
        if entry.fresh_seconds > 0:
            lifetime_seconds = self._freshness.lifetime_seconds(entry.fresh_seconds)
            await self._store.save(read.key.text, entry, lifetime_seconds)
        else:
            await self._store.forget(read.key.text)

    async def _ask(self, read: Read, counters: Counters) -> ReadResult:
        try:
            return await read.fetch(counters)
        except self._failures.revoked:
            await self.renew(topics_told(topics_revoked(read.key.scope)))
            raise

    def _refresh(self, read: Read, versions: Versions) -> None:
        """Ask in the background; what fails is asked for by the next read."""
        task = asyncio.create_task(self._refreshed(read, versions))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _refreshed(self, read: Read, versions: Versions) -> None:
        counters = Counters()
        with suppress(*self._failures.expected):
            await self._share(read, versions, counters)
        tell(self._hooks, lambda: RefreshFacts(read.key.scope, counters.calls))


def _landed(result: ReadResult, asked_at: float, versions: Versions) -> _Landed:
    entry = Entry(result.content, asked_at, result.fresh_seconds, versions)
    return _Landed(entry, result.value)


def _rested(read: Read, landed: _Landed, counters: Counters) -> Content:
    """Return the content; what is built of it rests on this read."""
    entry = landed.entry
    _, topics = read.wanted
    versions = zip(topics, entry.versions, strict=True)
    counters.dependencies.add(versions, entry.stored_at + entry.fresh_seconds)
    counters.read_bytes += len(entry.content)
    return landed.taken()


def _stale(known: Entry, counters: Counters) -> Content:
    counters.stale += 1
    counters.read_bytes += len(known.content)
    counters.dependencies.prevent_caching()
    return Content(known.content)
