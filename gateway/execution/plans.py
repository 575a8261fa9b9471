"""The plans of a document, a bounded number, least recently used ones first."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphql import FieldNode, GraphQLObjectType

from gateway.execution.plan import Plan

MAX_PLANS = 100

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

    def __init__(self, max_plans: int = MAX_PLANS) -> None:
        """Keep at most so many."""
        self._max_plans = max_plans
        self._sights: OrderedDict[Key, _Sight] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of selections that are known."""
        return len(self._sights)

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
            self._sights[key] = _Sight(nodes)
            if len(self._sights) > self._max_plans:
                self._sights.popitem(last=False)
            return None
        self._sights.move_to_end(key)
        if not sight.is_compiled:
            sight.plan, sight.is_compiled = compiled(), True
        return sight.plan
