"""How many calls go to Glance at once, and whose turn it is.

First come first served within an identity; between identities, one each in
turn, so that no identity's crowd makes another one wait for all of it.
"""

import asyncio
from collections import Counter, OrderedDict, deque

Turn = asyncio.Future[None]


class Bulkhead:
    """Slots for calls: so many in all, so many for each scope."""

    def __init__(self, *, calls: int, calls_per_scope: int) -> None:
        """Begin with all slots free."""
        self._free = calls
        self._calls_per_scope = calls_per_scope
        self._under_way: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()

    def slot(self, scope: str) -> "Slot":
        """Return what holds a slot of the scope's, after waiting for its turn."""
        return Slot(self, scope)

    async def enter(self, scope: str) -> None:
        """Take a slot once it is the scope's turn; `leave` gives it back."""
        if self._free and self._may_enter(scope):
            self._take(scope)
            return
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(scope, deque()).append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(scope)
            else:
                self._give_up(scope, turn)
            raise

    def _may_enter(self, scope: str) -> bool:
        """Tell whether the scope is below its bound, with nobody before it.

        While slots are free, other scopes wait for nothing but their own bounds.
        """
        is_below_bound = self._under_way[scope] < self._calls_per_scope
        return is_below_bound and scope not in self._waiting

    def _take(self, scope: str) -> None:
        self._free -= 1
        self._under_way[scope] += 1

    def leave(self, scope: str) -> None:
        """Give back a slot."""
        self._free += 1
        self._under_way[scope] -= 1
        if not self._under_way[scope]:
            del self._under_way[scope]
        self._admit()

    def _give_up(self, scope: str, turn: Turn) -> None:
        queue = self._waiting.get(scope, deque())
        if turn in queue:
            queue.remove(turn)
        if not queue:
            self._waiting.pop(scope, None)

    def _admit(self) -> None:
        """Give every free slot to the next scope that may have one."""
        while self._free and (scope := self._next_scope()) is not None:
            queue = self._waiting[scope]
            turn = queue.popleft()
            if queue:
                self._waiting.move_to_end(scope)
            else:
                del self._waiting[scope]
            if not turn.cancelled():
                self._take(scope)
                turn.set_result(None)

    def _next_scope(self) -> str | None:
        """Return the scope that has waited longest and is below its bound."""
        below_bound = (
            scope
            for scope in self._waiting
            if self._under_way[scope] < self._calls_per_scope
        )
        return next(below_bound, None)


class Slot:
    """Holds a slot for as long as a block takes."""

    __slots__ = ("_bulkhead", "_scope")

    def __init__(self, bulkhead: Bulkhead, scope: str) -> None:
        """Hold nothing yet."""
        self._bulkhead = bulkhead
        self._scope = scope

    async def __aenter__(self) -> None:
        """Wait for the turn."""
        await self._bulkhead.enter(self._scope)

    async def __aexit__(self, *_: object) -> None:
        """Give the slot back, whatever happened."""
        self._bulkhead.leave(self._scope)
