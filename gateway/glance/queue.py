"""The calls that wait for a slot, and their order."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator


class Ticket:
    """One call's place in the queue, and later its slot.

    Calls of one `group` share slots: it is an identity, or all unproven tokens
    together. Within a group, `turn` takes turns: it is a request, or one of those
    tokens. `is_uncontended`: the group had no other call when this one arrived.
    `entered_at` is when it got its slot, None while it waits; `crowd_calls` is how
    many calls of crowds had ended by then.
    """

    __slots__ = (
        "crowd_calls",
        "entered_at",
        "group",
        "is_uncontended",
        "request_id",
        "scope",
        "turn",
    )

    def __init__(self, scope: str, request_id: str) -> None:
        """Begin in the group of the identity, with one turn per request."""
        self.scope = self.group = scope
        self.request_id = self.turn = request_id
        self.is_uncontended = False
        self.entered_at: float | None = None
        self.crowd_calls = 0


Turns = OrderedDict[str, OrderedDict[Ticket, None]]


class Queue:
    """Waiting tickets: groups take turns, and so do the requests of a group."""

    def __init__(self) -> None:
        """Begin empty."""
        self._groups: OrderedDict[str, Turns] = OrderedDict()
        self._waiting: dict[str, int] = {}
        self._all = 0

    def __len__(self) -> int:
        """Return how many tickets wait."""
        return self._all

    def __contains__(self, group: Hashable) -> bool:
        """Return whether a ticket of the group waits."""
        return group in self._groups

    def waiting(self, group: str) -> int:
        """Return how many tickets of the group wait."""
        return self._waiting.get(group, 0)

    def add(self, ticket: Ticket) -> None:
        """Add a ticket, behind the others of its group and turn."""
        turns = self._groups.setdefault(ticket.group, OrderedDict())
        turns.setdefault(ticket.turn, OrderedDict())[ticket] = None
        self._waiting[ticket.group] = self._waiting.get(ticket.group, 0) + 1
        self._all += 1

    def heads(self) -> Iterator[Ticket]:
        """Yield the next ticket of each group, in the order of their turns."""
        for turns in self._groups.values():
            yield next(iter(next(iter(turns.values()))))

    def take(self, ticket: Ticket) -> None:
        """Remove a ticket that gets its slot; move its group and turn to the end."""
        self.remove(ticket)
        turns = self._groups.get(ticket.group)
        if turns is None:
            return
        self._groups.move_to_end(ticket.group)
        if ticket.turn in turns:
            turns.move_to_end(ticket.turn)

    def remove(self, ticket: Ticket) -> None:
        """Remove a ticket."""
        turns = self._groups[ticket.group]
        tickets = turns[ticket.turn]
        del tickets[ticket]
        if not tickets:
            del turns[ticket.turn]
        self._waiting[ticket.group] -= 1
        if not turns:
            del self._groups[ticket.group], self._waiting[ticket.group]
        self._all -= 1

    def release(self, group: str, turn: str) -> None:
        """Move the tickets of a group and turn to the groups of their identities."""
        turns = self._groups.get(group)
        for ticket in [*turns.get(turn, ())] if turns else ():
            self.remove(ticket)
            ticket.group, ticket.turn = ticket.scope, ticket.request_id
            self.add(ticket)
