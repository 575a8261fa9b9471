"""Equal queries at the same time: one is executed, the others share its result."""

import asyncio
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from graphql import ExecutionResult

from gateway.asgi.answering import Waiting
from gateway.asgi.http_request import ClientLeft
from gateway.asgi.http_response import encoded
from gateway.cache.answer import AnswerKey
from gateway.caller import Tally
from gateway.schema.errors import presented

Result = TypeVar("Result")
Counts = dict[str, int]


class Outcome(msgspec.Struct):
    """What one execution gave, and what it cost and rests on.

    `body` is the response of a result without errors, as JSON.
    """

    result: ExecutionResult
    tally: Tally
    body: bytes = b""

    def body_for(self, request_id: str) -> bytes:
        """Return the response for one of the requests; the data is encoded once."""
        if not self.body:
            self.body = encoded({"data": self.result.data})
        if not self.result.errors:
            return self.body
        shown = presented(self.result.errors, request_id, was_executed=True)
        return b"".join((self.body[:-1], b',"errors":', encoded(shown), b"}"))

    @property
    def counts(self) -> Counts:
        """Return what sharing it cost: no call."""
        reads = self.tally.grounds.reads
        return {"calls": 0, "cached": 0, "coalesced": reads, "stale": 0}


class EqualQueries:
    """The queries that are being executed, each by the first who asked."""

    def __init__(self) -> None:
        """Begin with none."""
        self._leads: dict[AnswerKey, Lead] = {}

    def lead(self, key: AnswerKey) -> "Lead":
        """Return what executes a query, or follows one that is executed."""
        return Lead(self._leads, key)

    def part(self, _topics: Sequence[str]) -> None:
        """Let nobody follow what was executed before a write, of these topics."""
        self._leads.clear()


class Lead:
    """One request's part: it leads once it awaits something, until it is left."""

    __slots__ = ("_ended", "_key", "_leads", "_was_left", "outcome")

    def __init__(self, leads: "dict[AnswerKey, Lead]", key: AnswerKey) -> None:
        """Do not lead yet."""
        self._leads = leads
        self._key = key
        self._ended: asyncio.Event | None = None
        self._was_left = False
        # None where others should not share it.
        self.outcome: Outcome | None = None

    @property
    def may_follow(self) -> bool:
        """Return whether an equal query is being executed."""
        return bool(self._leads) and self._key in self._leads

    async def follow(self) -> Outcome | None:
        """Return what equal queries that are executed give, None to execute this.

        Where a client has left whose request led, one of the others leads.
        """
        while (lead := self._leads.get(self._key)) is not None:
            if lead._ended is None:  # noqa: SLF001 - of this class
                lead._ended = asyncio.Event()  # noqa: SLF001
            await lead._ended.wait()  # noqa: SLF001
            if not lead._was_left:  # noqa: SLF001
                return lead.outcome
        self._leads[self._key] = self
        return None

    async def awaited(
        self, waiting: Waiting, work: Coroutine[object, object, Result]
    ) -> Result:
        """Return what the work gives, leading meanwhile and until this is left."""
        self._leads.setdefault(self._key, self)
        return await waiting(work)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Let those who follow go on."""
        if self._leads.get(self._key) is self:
            del self._leads[self._key]
        has_left = asyncio.CancelledError, ClientLeft
        self._was_left = kind is not None and issubclass(kind, has_left)
        if self._ended is not None:
            self._ended.set()
