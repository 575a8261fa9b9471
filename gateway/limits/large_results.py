"""Limits how many large results one worker produces at the same time.

A result is made of many small objects: several large ones at once would take
hundreds of MiB, which the process does not return to the system.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from gateway.limits.exceeded import OVERLOADED, LimitExceeded

# Smaller results do not wait.
LARGE_VALUES = 5_000
MAX_WAITING = 1_000

Result = TypeVar("Result")


class LargeResults:
    """Room for the values of the large results that are in progress."""

    def __init__(self, room: int) -> None:
        """Allow results of `room` values at once, or a single larger one."""
        self._room = room
        self._free = room
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def make(
        self, values: int, deadline_at: float, make: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Return what `make` returns, once there is room for so many values.

        First come, first served. Raises LimitExceeded, with HTTP status 503, where
        too many wait or the deadline, a time of the loop's clock, has passed.
        """
        taken = min(values, self._room)
        await self._enter(taken, deadline_at)
        try:
            return await make()
        finally:
            self._free += taken
            self._admit()

    async def _enter(self, taken: int, deadline_at: float) -> None:
        if not self._waiting and self._free >= taken:
            self._free -= taken
            return
        if len(self._waiting) >= MAX_WAITING:
            raise self._overloaded()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((taken, turn))
        try:
            async with asyncio.timeout_at(deadline_at):
                await turn
        except (asyncio.CancelledError, TimeoutError) as error:
            self._give_up(taken, turn)
            if isinstance(error, TimeoutError):
                raise self._overloaded() from error
            raise

    def _give_up(self, taken: int, turn: asyncio.Future[None]) -> None:
        """Leave the queue, or release room that was assigned in the meantime."""
        if turn.done() and not turn.cancelled():
            self._free += taken
        else:
            self._waiting.remove((taken, turn))
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._free >= self._waiting[0][0]:
            taken, turn = self._waiting.popleft()
            self._free -= taken
            turn.set_result(None)

    def _overloaded(self) -> LimitExceeded:
        return LimitExceeded(
            OVERLOADED,
            "Too many large results are being made: try again later.",
            measured=len(self._waiting) + 1,
            limit=MAX_WAITING,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
        )
