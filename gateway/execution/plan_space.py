"""Bounds the memory that the plans of all documents take together."""

import gc
from collections import OrderedDict
from collections.abc import Callable

from gateway.execution.plan import Plan

MAX_BYTES = 32 * 1024 * 1024
# Only the garbage collector frees classes; those of so many plans take some 10 MB.
PLANS_PER_COLLECTION = 500

Drop = Callable[[], None]


class PlanSpace:
    """The holders of plans, least recently used first.

    A plan with several holders counts once. A `holder` is any number that is unique
    until its release.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Hold at most so many bytes, by their estimates."""
        self._max_bytes = max_bytes
        self._held: OrderedDict[int, tuple[int, Plan | None, Drop]] = OrderedDict()
        self._holders: dict[int, int] = {}
        self._dropped_plans = 0
        self.bytes_held = 0

    def hold(self, holder: int, size_bytes: int, plan: Plan | None, drop: Drop) -> None:
        """Count what a holder has, in place of what it had before.

        `drop` is called when its memory is needed for other holders.
        """
        self.release(holder)
        self._held[holder] = size_bytes, plan, drop
        self.bytes_held += size_bytes
        if plan is not None:
            self._count_holder(plan)
        while self.bytes_held > self._max_bytes and len(self._held) > 1:
            oldest = next(iter(self._held))
            _, _, drop_oldest = self._held[oldest]
            self.release(oldest)
            drop_oldest()

    def touch(self, holder: int) -> None:
        """Mark the holder as the most recently used one."""
        self._held.move_to_end(holder)

    def release(self, holder: int) -> None:
        """Stop counting what the holder has; a no-op if that is nothing."""
        size_bytes, plan, _ = self._held.pop(holder, (0, None, None))
        self.bytes_held -= size_bytes
        if plan is not None:
            self._count_out(plan)

    def collect(self) -> None:
        """Free the classes of dropped plans, if there are many."""
        if self._dropped_plans >= PLANS_PER_COLLECTION:
            self._dropped_plans = 0
            gc.collect()

    def _count_holder(self, plan: Plan) -> None:
        holders = self._holders.get(id(plan), 0)
        self._holders[id(plan)] = holders + 1
        if not holders:
            self.bytes_held += plan.size_bytes

    def _count_out(self, plan: Plan) -> None:
        holders = self._holders.pop(id(plan)) - 1
        if holders:
            self._holders[id(plan)] = holders
            return
        self.bytes_held -= plan.size_bytes
        self._dropped_plans += 1


SPACE = PlanSpace()
