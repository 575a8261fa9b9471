"""Where answers are remembered: what every store can do, and the bounded memory.

Stores keep their values through aiocache, under keys, bounds and versions of
our own: its memory cache is unbounded, keeps a timer for each key with a
lifetime and cannot tell None from a miss, so none of these are used.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiocache import SimpleMemoryCache

from gateway.cache.cached_response import CachedResponse, ResponseKey
from gateway.cache.entry import Entry, Versions
from gateway.cache.version_table import VersionTable

ENTRY_OVERHEAD_BYTES = 700
SWEEP_SECONDS = 5.0

Topics = tuple[str, ...]
Wanted = tuple[str, Topics]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a store knows under a key, and the versions of the topics now."""

    entry: Entry | None
    versions: Versions


class Store(Protocol):
    """Entries by key and versions by topic. No method raises for an outage."""

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return each entry, also an outdated one, and its topics' versions."""

    async def versions(self, topics: Topics) -> Versions | None:
        """Return the topics' versions now, None while nothing is remembered.

        A topic that no version was needed of yet may have a placeholder.
        """

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry, at most for so long; less where space is short."""

    async def forget(self, key: str) -> None:
        """Remember nothing under the key; a no-op where nothing is."""

    async def renew(self, topics: Topics) -> Versions | None:
        """Make every entry of these topics untrue.

        Returns their new versions, None where somebody else may have renewed them
        since, or nothing is remembered.
        """

    async def doubt(self, topics: Topics) -> None:
        """Make every entry of these topics doubtful, and leave it stored."""

    async def close(self) -> None:
        """Give back what is held."""


class _Entries(SimpleMemoryCache):  # type: ignore[misc]  # aiocache is untyped
    """aiocache's memory, from which the event loop's timers can drop, too."""

    def drop(self, key: str) -> None:
        """Drop an entry; a no-op where there is none."""
        self._cache.pop(key, None)


class MemoryStore:
    """Entries of this worker, least recently used ones forgotten first.

    What has expired is dropped within seconds, so that an idle process is small.
    """

    def __init__(
        self, versions: VersionTable, *, max_entries: int, max_bytes: int
    ) -> None:
        """Hold so many entries and answers, so many bytes with their overhead."""
        self._versions = versions
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries = _Entries(timeout=0)
        self._answers: dict[ResponseKey, CachedResponse] = {}
        self._sizes: OrderedDict[str | ResponseKey, int] = OrderedDict()
        self._expires_at: dict[str | ResponseKey, float] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self.bytes_held = 0

    def __len__(self) -> int:
        """Return the number of entries and answers."""
        return len(self._sizes)

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return each entry and count it as used."""
        return [await self._load(key, topics) for key, topics in wanted]

    async def versions(self, topics: Topics) -> Versions | None:
        """Return the topics' versions now."""
        return self._versions.read(topics)

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry until it expires or space is needed."""
        self.drop(key)
        size = len(key) + len(entry.content) + ENTRY_OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        await self._entries.set(key, entry)
        self._count(key, size, lifetime_seconds)

    async def forget(self, key: str) -> None:
        """Remember nothing under the key."""
        self.drop(key)

    def response(self, key: ResponseKey) -> CachedResponse | None:
        """Return an answer that is kept, true or not, and count it as used."""
        answer = self._answers.get(key)
        if answer is not None:
            self._sizes.move_to_end(key)
        return answer

    def keep(self, key: ResponseKey, answer: CachedResponse) -> None:
        """Keep the answer until it expires or space is needed."""
        self.drop(key)
        size = len(key) + len(answer) + ENTRY_OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        self._answers[key] = answer
        self._count(key, size, answer.fresh_until - answer.kept_at)

    def drop(self, key: str | ResponseKey) -> None:
        """Hold nothing under the key; a no-op where nothing is held."""
        if key not in self._sizes:
            return
        self.bytes_held -= self._sizes.pop(key)
        del self._expires_at[key]
        if isinstance(key, ResponseKey):
            del self._answers[key]
        else:
            self._entries.drop(key)

    def drop_expired(self, now: float) -> None:
        """Drop what has expired at a time of the event loop's clock."""
        for key in [key for key, at in self._expires_at.items() if at <= now]:
            self.drop(key)

    async def renew(self, topics: Topics) -> Versions | None:
        """Make every entry of these topics untrue, in every worker."""
        return self._versions.renew(topics)

    async def doubt(self, topics: Topics) -> None:
        """Make every entry of these topics doubtful, in every worker."""
        self._versions.doubt(topics)

    async def close(self) -> None:
        """Hold nothing outside of this process, and no timer."""
        if self._sweep is not None:
            self._sweep.cancel()

    def _count(
        self, key: str | ResponseKey, size: int, lifetime_seconds: float
    ) -> None:
        """Count what was added, and make room for it."""
        loop = asyncio.get_running_loop()
        self._expires_at[key] = loop.time() + lifetime_seconds
        self._sizes[key] = size
        self.bytes_held += size
        while self.bytes_held > self._max_bytes or len(self) > self._max_entries:
            self.drop(next(iter(self._sizes)))
        if self._sweep is None:
            self._sweep = loop.call_later(SWEEP_SECONDS, self._sweep_once, loop)

    def _sweep_once(self, loop: asyncio.AbstractEventLoop) -> None:
        """Drop what has expired, and come back as long as there is anything."""
        self.drop_expired(loop.time())
        self._sweep = None
        if self._sizes:
            self._sweep = loop.call_later(SWEEP_SECONDS, self._sweep_once, loop)

    async def _load(self, key: str, topics: Topics) -> Loaded:
        entry: Entry | None = await self._entries.get(key)
        if entry is not None:
            self._sizes.move_to_end(key)
        return Loaded(entry, self._versions.read(topics))
