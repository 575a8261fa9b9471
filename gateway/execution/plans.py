"""The plans of a document, a bounded number, least recently used ones first."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakMethod

from graphql import FieldNode, GraphQLObjectType

from gateway.execution.plan import Plan
from gateway.execution.plan_space import SPACE, PlanSpace

MAX_PLANS = 1_000
# The memory of a selection that was seen, and of each of its conditions and nodes.
SIGHT_BYTES, CONDITION_BYTES = 600, 100

Conditions = tuple[tuple[str, object], ...]
Key = tuple[GraphQLObjectType, tuple[int, ...], Conditions]


@dataclass(slots=True)
class _Sight:
    """A selection that was seen; its nodes live on, as their ids are in the key."""

    nodes: Sequence[FieldNode]
    plan: Plan | None = None
    is_compiled: bool = False


class Plans:
    """Plans by type, selection and conditions."""

    def __init__(self, max_plans: int = MAX_PLANS, space: PlanSpace = SPACE) -> None:
        """Keep at most so many selections, fewer if `space` is short."""
        self._max_plans = max_plans
        self._space = space
        self._sights: OrderedDict[Key, _Sight] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of selections that are known."""
        return len(self._sights)

    def __del__(self) -> None:
        """Release the space."""
        for sight in self._sights.values():
            self._space.release(id(sight))

    def find(
        self,
        type_: GraphQLObjectType,
        nodes: Sequence[FieldNode],
        conditions: Conditions,
        compiled: Callable[[], Plan | None],
    ) -> Plan | None:
        """Return the plan, made by `compiled` when it is looked for again.

        None for what is seen for the first time or cannot be planned.
        `conditions` are all values that decide what is skipped or included.
        """
        key = type_, tuple(map(id, nodes)), conditions
        sight = self._sights.get(key)
        if sight is None:
            self._see(key, nodes)
            return None
        self._sights.move_to_end(key)
        if sight.is_compiled:
            self._space.touch(id(sight))
            return sight.plan
        self._space.collect()
        sight.plan, sight.is_compiled = compiled(), True
        self._hold(key, sight)
        return sight.plan

    def _see(self, key: Key, nodes: Sequence[FieldNode]) -> None:
        self._sights[key] = sight = _Sight(nodes)
        self._hold(key, sight)
        if len(self._sights) > self._max_plans:
            _, oldest = self._sights.popitem(last=False)
            self._space.release(id(oldest))

    def _hold(self, key: Key, sight: _Sight) -> None:
        """Count the memory; the callback must not keep the document alive."""
        _, nodes, conditions = key
        size_bytes = SIGHT_BYTES + CONDITION_BYTES * (len(conditions) + len(nodes))
        weak_drop = WeakMethod(self._drop)

        def drop() -> None:
            method = weak_drop()
            if method is not None:
                method(key)

        self._space.hold(id(sight), size_bytes, sight.plan, drop)

    def _drop(self, key: Key) -> None:
        del self._sights[key]
