"""Coalesces equal queries: one is executed, the others share its result."""

import asyncio
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from graphql import ExecutionResult

from gateway.asgi.graphql.request import ClientLeft
from gateway.asgi.graphql.response import encoded
from gateway.asgi.graphql.results import Waiting
from gateway.cache.cached_response import ResponseKey
from gateway.caller import Counters
from gateway.schema.errors import presented

Result = TypeVar("Result")
Counts = dict[str, int]


class Outcome(msgspec.Struct):
    """The result of one execution, with its counters and dependencies.

    `body` is the data as JSON, empty until it is encoded.
    """

    result: ExecutionResult
    counters: Counters
    body: bytes = b""

    def body_for(self, request_id: str) -> bytes:
        """Return the result as JSON; errors carry this id, data is encoded once."""
        if not self.body:
            self.body = encoded({"data": self.result.data})
        if not self.result.errors:
            return self.body
        shown = presented(self.result.errors, request_id, was_executed=True)
        return b"".join((self.body[:-1], b',"errors":', encoded(shown), b"}"))

    @property
    def counts(self) -> Counts:
        """Return the counters of a request that shares the outcome."""
        reads = self.counters.dependencies.reads
        return {"calls": 0, "cached": 0, "coalesced": reads, "stale": 0}


class EqualQueries:
    """The queries in flight, by their keys."""

    def __init__(self) -> None:
        """Begin with no query in flight."""
        self._in_flight: dict[ResponseKey, QueryExecution] = {}

    def execution(self, key: ResponseKey) -> "QueryExecution":
        """Return a request's execution of a query, which is not in flight yet."""
        return QueryExecution(self._in_flight, key)

    def stop_sharing(self, _topics: Sequence[str]) -> None:
        """Stop sharing executions that began before a write, whatever its topics.

        A request that waits for one already checks the outcome's dependencies.
        """
        self._in_flight.clear()


class QueryExecution:
    """One request's execution of a query, or its wait for an equal one.

    A context manager: the execution is in flight from its first `run` until the
    block ends. Others can share it meanwhile.
    """

    __slots__ = ("_ended", "_in_flight", "_key", "_was_abandoned", "outcome")

    def __init__(
        self, in_flight: "dict[ResponseKey, QueryExecution]", key: ResponseKey
    ) -> None:
        """Prepare to execute; `in_flight` is shared by all executions."""
        self._in_flight = in_flight
        self._key = key
        self._ended: asyncio.Event | None = None
        self._was_abandoned = False
        # None if other requests may not share it.
        self.outcome: Outcome | None = None

    @property
    def may_coalesce(self) -> bool:
        """Return whether an equal query is in flight."""
        return bool(self._in_flight) and self._key in self._in_flight

    async def coalesce(self) -> Outcome | None:
        """Return the outcome of the equal query in flight.

        Returns None if it can't be shared, or if this request has to execute the
        query: when the client of the executing request disconnects, one of the
        waiting requests takes over.
        """
        while (other := self._in_flight.get(self._key)) is not None:
            if other._ended is None:  # noqa: SLF001 - of this class
                other._ended = asyncio.Event()  # noqa: SLF001
            await other._ended.wait()  # noqa: SLF001
            if not other._was_abandoned:  # noqa: SLF001
                return other.outcome
        self._in_flight[self._key] = self
        return None

    async def run(
        self, waiting: Waiting, work: Coroutine[object, object, Result]
    ) -> Result:
        """Await the work with `waiting`; in flight unless an equal query already is."""
        self._in_flight.setdefault(self._key, self)
        return await waiting(work)

    def __enter__(self) -> Self:
        """Return the execution."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End the execution, and wake the requests that wait for it."""
        if self._in_flight.get(self._key) is self:
            del self._in_flight[self._key]
        abandoned = asyncio.CancelledError, ClientLeft
        self._was_abandoned = kind is not None and issubclass(kind, abandoned)
        if self._ended is not None:
            self._ended.set()
