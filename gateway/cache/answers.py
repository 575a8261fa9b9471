"""Answers of ours that are remembered, exactly while every read in them is."""

import time
from dataclasses import replace
from typing import Protocol

from gateway.cache.answer import AnswerKey, RememberedAnswer
from gateway.cache.reader import Clock
from gateway.cache.store import MemoryStore, Store
from gateway.caller import Grounds


class Answers(Protocol):
    """The cache of responses to queries.

    `shares` tells whether equal queries at the same time share one result.
    """

    shares: bool

    async def find(self, key: AnswerKey) -> RememberedAnswer | None:
        """Return the answer, if it is true now."""

    async def keep(self, key: AnswerKey, body: bytes, grounds: Grounds) -> None:
        """Remember an answer, as far as its grounds allow."""

    async def are_valid(self, grounds: Grounds) -> bool:
        """Return whether no topic of the dependencies was invalidated since."""

    async def keep_compressed(
        self, key: AnswerKey, answer: RememberedAnswer, encoding: str, body: bytes
    ) -> None:
        """Keep another form of an answer's body while the answer is kept."""


class NoAnswers:
    """Nothing remembered."""

    shares = False

    async def find(self, key: AnswerKey) -> RememberedAnswer | None:
        """Find nothing."""

    async def keep(self, key: AnswerKey, body: bytes, grounds: Grounds) -> None:
        """Keep nothing."""

    async def are_valid(self, grounds: Grounds) -> bool:
        """Return False: without topic versions, invalidations go unnoticed."""
        del grounds
        return False

    async def keep_compressed(
        self, key: AnswerKey, answer: RememberedAnswer, encoding: str, body: bytes
    ) -> None:
        """Keep nothing."""


class RememberedAnswers:
    """Answers in the memory of this worker, under the stamps of a store."""

    shares = True

    def __init__(
        self, memory: MemoryStore, store: Store, *, clock: Clock = time.time
    ) -> None:
        """Keep in `memory` what rests on reads of `store`."""
        self._memory = memory
        self._store = store
        self._clock = clock

    async def find(self, key: AnswerKey) -> RememberedAnswer | None:
        """Return the answer, if it is true now."""
        known = self._memory.answer(key)
        if known is None:
            return None
        is_fresh = known.is_fresh(self._clock())
        if is_fresh and known.stamps == await self._store.stamps(known.topics):
            return known
        self._memory.drop(key)
        return None

    async def keep(self, key: AnswerKey, body: bytes, grounds: Grounds) -> None:
        """Remember an answer on firm grounds.

        What rests on no read could be had without a token, any number of times.
        """
        now = self._clock()
        is_fresh = now < grounds.fresh_until
        if not (grounds.reads and grounds.is_firm and is_fresh):
            return
        topics, stamps = tuple(grounds.stamps), tuple(grounds.stamps.values())
        answer = RememberedAnswer(
            body, grounds.reads, topics, stamps, now, grounds.fresh_until
        )
        self._memory.keep(key, answer)

    async def are_valid(self, grounds: Grounds) -> bool:
        """Return whether the topics of the dependencies still have their versions."""
        stamps = await self._store.stamps(tuple(grounds.stamps))
        return stamps == tuple(grounds.stamps.values())

    async def keep_compressed(
        self, key: AnswerKey, answer: RememberedAnswer, encoding: str, body: bytes
    ) -> None:
        """Keep another form of the body, unless the answer is another one by now."""
        kept = self._memory.answer(key)
        if kept is not None and kept.body is answer.body:
            compressed = {**kept.compressed, encoding: body}
            self._memory.keep(key, replace(kept, compressed=compressed))
