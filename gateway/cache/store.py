"""Where answers are remembered: what every store can do, and the bounded memory.

Stores keep their values through aiocache, under keys, bounds and stamps of
our own: its memory cache is unbounded, keeps a timer for each key with a
lifetime and cannot tell None from a miss, so none of these are used.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiocache import SimpleMemoryCache

from gateway.cache.answer import AnswerKey, RememberedAnswer
from gateway.cache.entry import Entry, Stamps
from gateway.cache.stamps import StampTable

ENTRY_OVERHEAD_BYTES = 700

Topics = tuple[str, ...]
Wanted = tuple[str, Topics]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a store knows under a key, and the stamps of the topics now."""

    entry: Entry | None
    stamps: Stamps


class Store(Protocol):
    """Entries by key and stamps by topic. No method raises for an outage."""

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return each entry, also an outdated one, and its topics' stamps."""

    async def stamps(self, topics: Topics) -> Stamps | None:
        """Return the topics' stamps now, None while nothing is remembered.

        A topic that no stamp was needed of yet may have an empty one.
        """

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry, at most for so long; less where space is short."""

    async def forget(self, key: str) -> None:
        """Remember nothing under the key; a no-op where nothing is."""

    async def renew(self, topics: Topics) -> Stamps | None:
        """Make every entry of these topics untrue.

        Returns their new stamps, None where somebody else may have renewed them
        since, or nothing is remembered.
        """

    async def doubt(self, topics: Topics) -> None:
        """Make every entry of these topics doubtful, and leave it stored."""

    async def close(self) -> None:
        """Give back what is held."""


class MemoryStore:
    """Entries of this worker, least recently used ones forgotten first."""

    def __init__(self, stamps: StampTable, *, max_entries: int, max_bytes: int) -> None:
        """Hold so many entries and answers, so many bytes with their overhead."""
        self._stamps = stamps
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries = SimpleMemoryCache(timeout=0)
        self._answers: dict[AnswerKey, RememberedAnswer] = {}
        self._sizes: OrderedDict[str | AnswerKey, int] = OrderedDict()
        self.bytes_held = 0

    def __len__(self) -> int:
        """Return the number of entries and answers."""
        return len(self._sizes)

    async def load(self, wanted: Sequence[Wanted]) -> Sequence[Loaded]:
        """Return each entry and count it as used."""
        return [await self._load(key, topics) for key, topics in wanted]

    async def stamps(self, topics: Topics) -> Stamps | None:
        """Return the topics' stamps now."""
        return self._stamps.read(topics)

    async def save(self, key: str, entry: Entry, lifetime_seconds: float) -> None:
        """Remember the entry until space is needed: its age is in it."""
        del lifetime_seconds
        await self.forget(key)
        size = len(key) + len(entry.content) + ENTRY_OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        await self._entries.set(key, entry)
        await self._count(key, size)

    async def forget(self, key: str) -> None:
        """Remember nothing under the key."""
        self.bytes_held -= self._sizes.pop(key, 0)
        await self._entries.delete(key)

    def answer(self, key: AnswerKey) -> RememberedAnswer | None:
        """Return an answer that is kept, true or not, and count it as used."""
        answer = self._answers.get(key)
        if answer is not None:
            self._sizes.move_to_end(key)
        return answer

    async def keep(self, key: AnswerKey, answer: RememberedAnswer) -> None:
        """Keep the answer until space is needed."""
        self.drop(key)
        size = len(key) + len(answer) + ENTRY_OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        self._answers[key] = answer
        await self._count(key, size)

    def drop(self, key: AnswerKey) -> None:
        """Keep no answer under the key."""
        self.bytes_held -= self._sizes.pop(key, 0)
        self._answers.pop(key, None)

    async def renew(self, topics: Topics) -> Stamps | None:
        """Make every entry of these topics untrue, in every worker."""
        return self._stamps.renew(topics)

    async def doubt(self, topics: Topics) -> None:
        """Make every entry of these topics doubtful, in every worker."""
        self._stamps.doubt(topics)

    async def close(self) -> None:
        """Hold nothing outside of this process."""

    async def _count(self, key: str | AnswerKey, size: int) -> None:
        """Count what was added, and make room for it."""
        self._sizes[key] = size
        self.bytes_held += size
        while self.bytes_held > self._max_bytes or len(self) > self._max_entries:
            oldest = next(iter(self._sizes))
            if isinstance(oldest, AnswerKey):
                self.drop(oldest)
            else:
                await self.forget(oldest)

    async def _load(self, key: str, topics: Topics) -> Loaded:
        entry: Entry | None = await self._entries.get(key)
        if entry is not None:
            self._sizes.move_to_end(key)
        return Loaded(entry, self._stamps.read(topics))
