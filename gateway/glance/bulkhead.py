"""Slots for calls to Glance, assigned in the order that CallScheduler decides."""

import asyncio
from collections.abc import Sequence
from typing import Self

from gateway.caller import Caller
from gateway.facts import Hook, RejectionFacts, tell
from gateway.glance.call_scheduler import Bounds, CallScheduler, Full
from gateway.glance.crowd_limit import Kind
from gateway.glance.errors import TooManyWaiting
from gateway.glance.queue import Ticket

TOO_MANY_WAITING = "TOO_MANY_WAITING"
MESSAGE = "Too many calls to Glance wait for their turn: try again later."


class Bulkhead:
    """Bounds the calls to Glance that this process has in flight."""

    def __init__(self, bounds: Bounds, *, hooks: Sequence[Hook] = ()) -> None:
        """Begin with all slots free; hooks receive RejectionFacts."""
        self._scheduler = CallScheduler(bounds)
        self._hooks = hooks
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._pause: asyncio.TimerHandle | None = None

    def slot(self, caller: Caller, kind: Kind) -> "Slot":
        """Return a context manager that waits for a slot and holds it.

        Calls of one kind take similar time in Glance.
        """
        return Slot(self, caller, kind)

    def arrive(self, caller: Caller) -> Ticket:
        """Return a ticket that holds a slot, or waits for `turn`.

        Raises TooManyWaiting.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        ticket = Ticket(caller.identity.scope, caller.request_id)
        try:
            self._scheduler.arrive(ticket, now)
        except Full as full:
            raise self._rejection(caller, full) from full
        if ticket.entered_at is None:
            self._turns[ticket] = loop.create_future()
            self._end_pause_in_time(loop, now)
        return ticket

    async def turn(self, ticket: Ticket) -> None:
        """Wait until the ticket gets its slot."""
        try:
            await self._turns[ticket]
        except asyncio.CancelledError:
            self.leave(ticket)
            raise
        finally:
            del self._turns[ticket]

    def leave(self, ticket: Ticket) -> None:
        """Release the slot, or leave the queue."""
        if ticket.entered_at is None:
            self._scheduler.give_up(ticket)
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._scheduler.leave(ticket, now)
        if self._turns:
            self._admit(loop, now)

    def observe(self, ticket: Ticket, kind: Kind, status: int) -> None:
        """Pass the response to a call that holds a slot to the scheduler."""
        now = asyncio.get_running_loop().time()
        self._scheduler.observe(ticket, kind, status, now)

    def _admit(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        """Assign free slots to waiting calls, now and when the crowds' pause ends."""
        for ticket in self._scheduler.admitted(now):
            turn = self._turns[ticket]
            if not turn.done():
                turn.set_result(None)
        self._end_pause_in_time(loop, now)

    def _end_pause_in_time(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        """Schedule `_admit` for the end of the pause of crowds, if there is one.

        `now` is the time of the last `_admit`. By a later clock the pause might be
        over already, and nothing would wake the calls that wait for its end.
        """
        pause_until = self._scheduler.pause_until
        if self._pause is None and pause_until > now:
            self._pause = loop.call_at(pause_until, self._end_pause, loop)

    def _end_pause(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pause = None
        self._admit(loop, loop.time())

    def _rejection(self, caller: Caller, full: Full) -> TooManyWaiting:
        facts = RejectionFacts(
            TOO_MANY_WAITING,
            full.measured,
            full.limit,
            caller.identity.scope,
            caller.request_id,
        )
        tell(self._hooks, lambda: facts)
        return TooManyWaiting(MESSAGE, request_id=caller.request_id, was_sent=False)


class Slot:
    """Holds a slot while its `async with` block runs."""

    __slots__ = ("_bulkhead", "_caller", "_kind", "_ticket")

    def __init__(self, bulkhead: Bulkhead, caller: Caller, kind: Kind) -> None:
        """Begin without a slot."""
        self._bulkhead = bulkhead
        self._caller = caller
        self._kind = kind
        self._ticket: Ticket | None = None

    async def __aenter__(self) -> Self:
        """Wait for the slot; raises TooManyWaiting."""
        self._ticket = self._bulkhead.arrive(self._caller)
        if self._ticket.entered_at is None:
            await self._bulkhead.turn(self._ticket)
        return self

    def observe_response(self, status: int) -> None:
        """Report the status of the response to the call."""
        if self._ticket is not None:
            self._bulkhead.observe(self._ticket, self._kind, status)

    async def __aexit__(self, *_: object) -> None:
        """Release the slot, also after an error."""
        if self._ticket is not None:
            self._bulkhead.leave(self._ticket)
