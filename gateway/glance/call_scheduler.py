"""Which call goes to Glance next. Pure: times are given, nothing is awaited."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.glance.crowd_limit import CrowdLimit, Kind
from gateway.glance.pace import FIRST_CALLS, Pace
from gateway.glance.proven import ProvenTokens
from gateway.glance.queue import Queue, Ticket

# No identity's scope, which is 64 hexadecimal digits.
UNPROVEN = "unproven"
RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many calls may be under way, and how many may wait for it.

    `unproven` are those of all tokens together that Glance has not accepted
    yet: calls under way, of which a hundred times as many may wait.
    """

    calls: int = 64
    calls_per_identity: int = 16
    waiting: int = 10_000
    waiting_per_identity: int = 4_000
    unproven: int = 4

    def calls_of(self, group: str) -> int:
        """Return how many calls of the group may be under way."""
        return self.unproven if group == UNPROVEN else self.calls_per_identity

    def waiting_of(self, group: str) -> int:
        """Return how many calls of the group may wait."""
        return 100 * self.unproven if group == UNPROVEN else self.waiting_per_identity


class Full(Exception):
    """As many calls wait as may wait."""

    def __init__(self, measured: int, limit: int) -> None:
        """Keep how many would wait and how many may."""
        super().__init__()
        self.measured = measured
        self.limit = limit


class CallScheduler:
    """Decides who enters: fair between identities, and between their requests.

    The only call of an identity enters at once while there are slots. What an
    identity wants beyond it is a crowd: where others have made an only call
    lately, all crowds share the CrowdLimit.
    """

    def __init__(self, bounds: Bounds) -> None:
        """Begin with all slots free and no token proven."""
        self._bounds = bounds
        self._free = bounds.calls
        self._under_way: dict[str, int] = {}
        self._crowd_under_way = 0
        self._crowd_calls = 0
        # Until then no call of a crowd enters, where others would notice.
        self.pause_until = 0.0
        self._paces: dict[str, Pace] = {}
        self._queue = Queue()
        self._proven = ProvenTokens()
        self._limit = CrowdLimit(most=bounds.calls)
        self._last_uncontended = _LastUncontended()

    def arrive(self, ticket: Ticket, now: float) -> None:
        """Let the ticket enter, or wait; raises Full where it may not even wait."""
        if not self._proven.has(ticket.scope, now):
            ticket.group, ticket.turn = UNPROVEN, ticket.scope
        group = ticket.group
        is_waiting = group in self._queue
        ticket.is_uncontended = not is_waiting and group not in self._under_way
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
        if self._under_way.get(ticket.group, 0) >= self._calls_of(ticket.group):
            return False
        if not self._last_uncontended.is_recent(ticket.group, now):
            return True
        return self._crowd_under_way < self._limit.calls and now >= self.pause_until

    def _calls_of(self, group: str) -> int:
        pace = self._paces.get(group)
        calls = FIRST_CALLS if pace is None else pace.calls
        return min(calls, self._bounds.calls_of(group))

    def _enter(self, ticket: Ticket, now: float) -> None:
        self._free -= 1
        self._under_way[ticket.group] = self._under_way.get(ticket.group, 0) + 1
        ticket.crowd_calls = self._crowd_calls - self._crowd_under_way
        ticket.entered_at = now
        if not ticket.is_uncontended:
            self._crowd_under_way += 1
            self._crowd_calls += 1

    def give_up(self, ticket: Ticket) -> None:
        """Let a ticket go that waits."""
        self._queue.remove(ticket)
        if ticket.group not in self._under_way and ticket.group not in self._queue:
            self._paces.pop(ticket.group, None)

    def leave(self, ticket: Ticket, now: float) -> None:
        """Give back the slot of a ticket that has entered."""
        self._free += 1
        seconds = now - (ticket.entered_at or now)
        under_way = self._under_way[ticket.group] - 1
        if under_way:
            self._under_way[ticket.group] = under_way
        else:
            del self._under_way[ticket.group]
        self._pace(ticket.group, seconds)
        if not ticket.is_uncontended:
            self._crowd_under_way -= 1
            self.pause_until = now + self._limit.pause_seconds(seconds)

    def _pace(self, group: str, seconds: float) -> None:
        """Learn from a call of a group, as long as the group wants more."""
        if group in self._under_way or group in self._queue:
            pace = self._paces.get(group)
            if pace is None:
                pace = self._paces[group] = Pace()
            pace.observe(seconds)
        elif self._paces:
            self._paces.pop(group, None)

    def observe(self, ticket: Ticket, kind: Kind, status: int, now: float) -> None:
        """Learn from the response to the call of a ticket that has entered."""
        self._proven.observe(ticket.scope, status, now)
        if ticket.group == UNPROVEN and self._proven.has(ticket.scope, now):
            self._queue.release(UNPROVEN, ticket.scope)
        is_alone = self._under_way[ticket.group] == 1
        if ticket.is_uncontended and is_alone and ticket.entered_at is not None:
            seconds = now - ticket.entered_at
            was_beside = self._crowd_calls > ticket.crowd_calls
            self._limit.observe(kind, seconds, was_beside_crowd=was_beside)

    def admitted(self, now: float) -> Sequence[Ticket]:
        """Return the tickets that enter now, in the order of their turns."""
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
    """When identities made the only call that they wanted at the time."""

    def __init__(self) -> None:
        self._last = self._other = ("", float("-inf"))

    def observe(self, group: str, now: float) -> None:
        """Keep the last one, and the last one of another group than its."""
        if group != self._last[0]:
            self._other = self._last
        self._last = (group, now)

    def is_recent(self, group: str, now: float) -> bool:
        """Return whether another group than this made one lately."""
        _, at = self._last if self._last[0] != group else self._other
        return now - at < RECENT_SECONDS
