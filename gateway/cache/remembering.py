"""Reads that go through what is remembered.

A read is fresh, shown while it is asked for again, or asked for, once for all
who want it at the same time. What Glance cannot answer is shown as it was.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gateway.cache.entry import Entry, Stamps, is_doubtful
from gateway.cache.policy import Freshness, Use, topics_revoked, topics_told
from gateway.cache.reader import (
    Answer,
    Clock,
    Content,
    Failures,
    FetchMany,
    Read,
    batched,
    gathered,
)
from gateway.cache.single_flight import SingleFlight
from gateway.cache.store import Loaded, Store
from gateway.caller import Directive, Tally
from gateway.facts import Hook, RefreshFacts, tell


@dataclass(slots=True)
class _Landed:
    """An answer that was asked for, as it is remembered.

    `value` is its content decoded, for one reader: no two share a record.
    """

    entry: Entry
    value: object

    def taken(self) -> Content:
        """Return the content, decoded for whoever comes first."""
        value, self.value = self.value, None
        return Content(self.entry.content, value)


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
        self._flights = SingleFlight[_Landed]()
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
        tallies: Sequence[Tally],
    ) -> Sequence[Content | Exception]:
        """Return each answer's content, or what `read` would raise."""
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
            self._finish(read, loaded, directive, tally)
            for read, loaded, tally in zip(reads, loads, tallies, strict=True)
        )

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""
        await self._store.renew(topics)

    async def doubt(self, topics: tuple[str, ...]) -> None:
        """Mark entries of the topics doubtful: used only in an outage, as stale."""
        await self._store.doubt(topics)

    async def stamps(self, topics: tuple[str, ...]) -> Stamps | None:
        """Return the topics' stamps as the store has them."""
        return await self._store.stamps(topics)

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
        if directive is Directive.POLL:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._ask_and_save(read, loaded.stamps, tally)
            return _rested(read, landed, tally)
        if directive is not Directive.NONE:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._ask_afresh(read, loaded.stamps, directive, tally)
            return _rested(read, landed, tally)
        known, use = loaded.entry, self._use_of(loaded)
        if known is not None and use is Use.FRESH:
            tally.cached += 1
            return _rested(read, _Landed(known, None), tally)
        if known is not None and use is Use.REVALIDATED:
            tally.cached += 1
            self._refresh(read, loaded.stamps)
            return _stale(known, tally)
        try:
            async with asyncio.timeout_at(read.deadline_at):
                landed = await self._share(read, loaded.stamps, tally)
        except self._failures.outage:
            stand_in = await self._stand_in(read)
            if stand_in is None:
                raise
            return _stale(stand_in, tally)
        return _rested(read, landed, tally)

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
        if entry.stamps == loaded.stamps:
            return self._freshness.use(age_seconds, entry.fresh_seconds)
        if is_doubtful(entry.stamps, loaded.stamps):
            return self._freshness.use_in_doubt(age_seconds, entry.fresh_seconds)
        return Use.NONE

    async def _share(self, read: Read, stamps: Stamps, tally: Tally) -> _Landed:
        """Ask once for all who want it now; a write in between is no 'now'."""
        flight = (read.key, stamps)
        if self._flights.has(flight):
            tally.coalesced += 1
        asking = partial(self._ask_if_unknown, read, stamps, tally)
        return await self._flights.run(flight, asking)

    async def _ask_if_unknown(
        self, read: Read, stamps: Stamps, tally: Tally
    ) -> _Landed:
        """Ask, unless an answer has landed between our load and our flight."""
        loaded = await self._load(read)
        if loaded.entry is not None and self._use_of(loaded) is Use.FRESH:
            tally.cached += 1
            return _Landed(loaded.entry, None)
        return await self._ask_and_save(read, stamps, tally)

    async def _ask_afresh(
        self, read: Read, stamps: Stamps, directive: Directive, tally: Tally
    ) -> _Landed:
        """Ask, and make untrue what was known, unless nothing shall be stored.

        What was asked for before and lands later is untrue, too.
        """
        asked_at = self._clock()
        answer = await self._ask(read, tally)
        renewed = None
        if directive is Directive.NO_CACHE:
            renewed = await self._store.renew((read.own_topic,))
        if renewed is None:
            tally.grounds.give_way()
            return _landed(answer, asked_at, stamps)
        landed = _landed(answer, asked_at, (*stamps[:-1], *renewed))
        await self._save(read, landed.entry)
        return landed

    async def _ask_and_save(self, read: Read, stamps: Stamps, tally: Tally) -> _Landed:
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
            await self.renew(topics_told(topics_revoked(read.key.scope)))
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


def _landed(answer: Answer, asked_at: float, stamps: Stamps) -> _Landed:
    entry = Entry(answer.content, asked_at, answer.fresh_seconds, stamps)
    return _Landed(entry, answer.value)


def _rested(read: Read, landed: _Landed, tally: Tally) -> Content:
    """Return the content; what is built of it rests on this read."""
    entry = landed.entry
    _, topics = read.wanted
    stamps = zip(topics, entry.stamps, strict=True)
    tally.grounds.add(stamps, entry.stored_at + entry.fresh_seconds)
    tally.read_bytes += len(entry.content)
    return landed.taken()


def _stale(known: Entry, tally: Tally) -> Content:
    tally.stale += 1
    tally.read_bytes += len(known.content)
    tally.grounds.give_way()
    return Content(known.content)
