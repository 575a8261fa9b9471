"""Decides which call is sent to Glance next. Pure: its callers pass the time."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.glance.crowd_limit import CrowdLimit, Kind
from gateway.glance.pace import FIRST_CALLS, Pace
from gateway.glance.proven import ProvenTokens
from gateway.glance.queue import Queue, Ticket

# The group of all tokens that Glance has not accepted yet. No identity's scope is
# equal to it: they are 64 hexadecimal digits.
UNPROVEN = "unproven"
RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many calls may be in flight, and how many may wait.

    All tokens that Glance has not accepted yet share `unproven` calls in flight; a
    hundred times as many may wait.
    """

    calls: int = 64
    calls_per_identity: int = 16
    waiting: int = 10_000
    waiting_per_identity: int = 4_000
    unproven: int = 4

    def calls_of(self, group: str) -> int:
        """Return how many calls of the group may be in flight."""
        return self.unproven if group == UNPROVEN else self.calls_per_identity

    def waiting_of(self, group: str) -> int:
        """Return how many calls of the group may wait."""
        return 100 * self.unproven if group == UNPROVEN else self.waiting_per_identity


class Full(Exception):
    """No further call may wait."""

    def __init__(self, measured: int, limit: int) -> None:
        """Set how many calls would wait, and how many may."""
        super().__init__()
        self.measured = measured
        self.limit = limit


class CallScheduler:
    """Assigns slots fairly between identities and between their requests.

    A call is uncontended if its identity has no other call. It enters at once while
    there are free slots. The other calls of an identity are a crowd. All crowds share
    the CrowdLimit while other identities have made uncontended calls recently.
    """

    def __init__(self, bounds: Bounds) -> None:
        """Begin with all slots free and no token proven."""
        self._bounds = bounds
        self._free = bounds.calls
        self._in_flight: dict[str, int] = {}
        self._crowd_in_flight = 0
        self._crowd_calls = 0
        # No call of a crowd enters before this time, if other identities call Glance.
        self.pause_until = 0.0
        self._paces: dict[str, Pace] = {}
        self._queue = Queue()
        self._proven = ProvenTokens()
        self._limit = CrowdLimit(most=bounds.calls)
        self._last_uncontended = _LastUncontended()

    def arrive(self, ticket: Ticket, now: float) -> None:
        """Assign a slot to the ticket or queue it; raises Full if it may not wait."""
        if not self._proven.has(ticket.scope, now):
            ticket.group, ticket.turn = UNPROVEN, ticket.scope
        group = ticket.group
        is_waiting = group in self._queue
        ticket.is_uncontended = not is_waiting and group not in self._in_flight
        if ticket.is_uncontended and group != UNPROVEN:
            self._last_uncontended.observe(group, now)
        if self._free and not is_waiting and self._may_enter(ticket, now):
            self._enter(ticket, now)
            return
        self._check_waiting(group)
        self._queue.add(ticket)

    def _check_waiting(self, group: str) -> None:
        of_group = self._queue.waiting(group), self._bounds.waiting_of(group)
        for waiting, limit in (of_group, (len(self._queue), self._bounds.waiting)):
            if waiting >= limit:
                raise Full(waiting + 1, limit)

    def _may_enter(self, ticket: Ticket, now: float) -> bool:
        if ticket.is_uncontended:
            return True
        if self._in_flight.get(ticket.group, 0) >= self._calls_of(ticket.group):
            return False
        if not self._last_uncontended.has_recent_other(ticket.group, now):
            return True
        return self._crowd_in_flight < self._limit.calls and now >= self.pause_until

    def _calls_of(self, group: str) -> int:
        pace = self._paces.get(group)
        calls = FIRST_CALLS if pace is None else pace.calls
        return min(calls, self._bounds.calls_of(group))

    def _enter(self, ticket: Ticket, now: float) -> None:
        self._free -= 1
        self._in_flight[ticket.group] = self._in_flight.get(ticket.group, 0) + 1
        ticket.crowd_calls = self._crowd_calls - self._crowd_in_flight
        ticket.entered_at = now
        if not ticket.is_uncontended:
            self._crowd_in_flight += 1
            self._crowd_calls += 1

    def give_up(self, ticket: Ticket) -> None:
        """Remove a waiting ticket."""
        self._queue.remove(ticket)
        if ticket.group not in self._in_flight and ticket.group not in self._queue:
            self._paces.pop(ticket.group, None)

    def leave(self, ticket: Ticket, now: float) -> None:
        """Release the slot of a ticket that has entered."""
        self._free += 1
        seconds = now - (ticket.entered_at or now)
        in_flight = self._in_flight[ticket.group] - 1
        if in_flight:
            self._in_flight[ticket.group] = in_flight
        else:
            del self._in_flight[ticket.group]
        self._pace(ticket.group, seconds)
        if not ticket.is_uncontended:
            self._crowd_in_flight -= 1
            self.pause_until = now + self._limit.pause_seconds(seconds)

    def _pace(self, group: str, seconds: float) -> None:
        """Update the group's pace from a call's duration, if it has other calls."""
        if group in self._in_flight or group in self._queue:
            pace = self._paces.get(group)
            if pace is None:
                pace = self._paces[group] = Pace()
            pace.observe(seconds)
        elif self._paces:
            self._paces.pop(group, None)

    def observe(self, ticket: Ticket, kind: Kind, status: int, now: float) -> None:
        """Update the proven tokens and the crowd limit from a call's response."""
        self._proven.observe(ticket.scope, status, now)
        if ticket.group == UNPROVEN and self._proven.has(ticket.scope, now):
            self._queue.release(UNPROVEN, ticket.scope)
        is_alone = self._in_flight[ticket.group] == 1
        if ticket.is_uncontended and is_alone and ticket.entered_at is not None:
            seconds = now - ticket.entered_at
            was_beside = self._crowd_calls > ticket.crowd_calls
            self._limit.observe(kind, seconds, was_beside_crowd=was_beside)

    def admitted(self, now: float) -> Sequence[Ticket]:
        """Assign the free slots, and return the tickets that get one, in order."""
        entering: list[Ticket] = []
        while self._free and (ticket := self._next(now)) is not None:
            self._queue.take(ticket)
            self._enter(ticket, now)
            entering.append(ticket)
        return entering

    def _next(self, now: float) -> Ticket | None:
        heads = (one for one in self._queue.heads() if self._may_enter(one, now))
        return next(heads, None)


class _LastUncontended:
    """When identities last made an uncontended call."""

    def __init__(self) -> None:
        self._last = self._other = ("", float("-inf"))

    def observe(self, group: str, now: float) -> None:
        """Record the last call, and the last one of another group."""
        if group != self._last[0]:
            self._other = self._last
        self._last = (group, now)

    def has_recent_other(self, group: str, now: float) -> bool:
        """Return whether another group made an uncontended call recently."""
        _, at = self._last if self._last[0] != group else self._other
        return now - at < RECENT_SECONDS
