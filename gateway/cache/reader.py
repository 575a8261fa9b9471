"""How the catalog reads: what a read is, and what of it is known."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from gateway.cache.entry import Versions
from gateway.cache.keys import ReadKey
from gateway.cache.single_flight import SingleFlight
from gateway.cache.store import Wanted
from gateway.caller import Counters, Directive

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What Glance answered, and for how many seconds that counts as fresh.

    `value` is the content decoded, where it was looked into.
    """

    content: bytes
    fresh_seconds: float
    value: object = None


@dataclass(frozen=True, slots=True)
class Content:
    """What is known, and the same decoded where it need not be done again."""

    encoded: bytes
    value: object = None


Fetch = Callable[[Counters], Awaitable[ReadResult]]


@dataclass(frozen=True, slots=True)
class Failures:
    """The exceptions that mean something to a cache.

    `expected`: all that a read may end with; of these `outage`: Glance cannot
    result, in time or at all; `revoked`: nothing that the identity has read may
    be shown again.
    """

    expected: tuple[type[Exception], ...]
    outage: tuple[type[Exception], ...]
    revoked: tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A read: its key, its topics, how to ask for it and how long to wait.

    `fetch` counts its calls in the counters it is given; `deadline_at` is a time
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
        """Return what to load: the entry and the versions of all its topics."""
        return self.key.text, (*self.topics, self.own_topic)


Found = Mapping[ReadKey, ReadResult]
FetchMany = Callable[[Sequence[Read], Counters], Coroutine[object, object, Found]]


class Reader(Protocol):
    """How the catalog reads.

    A read raises what its `fetch` does, and TimeoutError at its deadline.
    """

    async def read(
        self, read: Read, directive: Directive, counters: Counters
    ) -> Content:
        """Return the result's content."""

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        all_counters: Sequence[Counters],
    ) -> Sequence[Content | Exception]:
        """Return each result's content, or what `read` would raise.

        Each has its counters, which may be another request's than the next one's.
        Two or more that have to be asked for are asked for by `fetch_many`,
        where there is one; what it does not find is fetched alone.
        """

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Make untrue what depends on the topics, for every identity."""

    async def doubt(self, topics: tuple[str, ...]) -> None:
        """Mark entries of the topics doubtful: used only in an outage, as stale."""

    async def versions(self, topics: tuple[str, ...]) -> Versions | None:
        """Return what each topic's last renewal has left, None where none is known."""

    async def close(self) -> None:
        """End what is under way."""


class PlainReader:
    """A reader that neither caches nor coalesces."""

    async def read(
        self, read: Read, directive: Directive, counters: Counters
    ) -> Content:
        """Ask."""
        del directive
        counters.dependencies.prevent_caching()
        async with asyncio.timeout_at(read.deadline_at):
            result = await read.fetch(counters)
        return Content(result.content, result.value)

    async def read_many(
        self,
        reads: Sequence[Read],
        fetch_many: FetchMany | None,
        directive: Directive,
        all_counters: Sequence[Counters],
    ) -> Sequence[Content | Exception]:
        """Ask for all, then for each that was not found."""
        asked = batched(reads, fetch_many) if len(reads) > 1 else reads
        return await gathered(
            self.read(read, directive, counters)
            for read, counters in zip(asked, all_counters, strict=True)
        )

    async def renew(self, topics: tuple[str, ...]) -> None:
        """Do nothing: nothing is cached."""

    async def doubt(self, topics: tuple[str, ...]) -> None:
        """Do nothing: nothing is cached."""

    async def versions(self, topics: tuple[str, ...]) -> Versions | None:
        """Return None: nothing is cached."""

    async def close(self) -> None:
        """Do nothing: nothing is under way."""


class _Batch:
    """Reads that are asked for together, once, however many wait for it."""

    def __init__(self, reads: Sequence[Read], fetch_many: FetchMany) -> None:
        self._ask = partial(fetch_many, reads)
        self._flight = SingleFlight[Found]()
        self._landed: Found | None = None

    async def fetch(self, read: Read, counters: Counters) -> ReadResult:
        """Return the read's result: the batch's, or its own where that has none."""
        if self._landed is None:
            asking = partial(self._ask, counters)
            self._landed = await self._flight.run(None, asking)
        if read.key in self._landed:
            return self._landed[read.key]
        return await read.fetch(counters)


def batched(reads: Sequence[Read], fetch_many: FetchMany | None) -> Sequence[Read]:
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
