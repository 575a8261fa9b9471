"""Estimates the maximum cost of an operation before it is executed. Pure."""

from collections.abc import Iterable

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from gateway.caller import Budget
from gateway.limits.exceeded import LimitExceeded
from gateway.limits.field_costs import (
    Circumstances,
    Costs,
    Marks,
    Source,
    Tables,
    Values,
)
from gateway.limits.selections import (
    Conditions,
    SelectedField,
    Selection,
    SelectionCompiler,
    Template,
    Variable,
    add,
)

CODE = "COST_LIMIT_EXCEEDED"


class OperationCost:
    """The cost of one operation of a valid document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        costs: Costs,
    ) -> None:
        """Compile the parts of the operation that determine its cost."""
        compiler = SelectionCompiler(schema, document, operation, costs)
        self._root = compiler.root()
        self._has_variables = compiler.has_variables
        self._total = costs.total
        self._known: tuple[Circumstances, int] | None = None

    def estimate(self, variables: Values | None, circumstances: Circumstances) -> int:
        """Return the maximum cost of the operation: calls to Glance, or values.

        `variables` are as the client sent them. If they are invalid, nothing is
        executed, and any estimate is correct.
        """
        if self._known is not None and self._known[0] == circumstances:
            return self._known[1]
        marks = _Evaluation(variables or {}, circumstances).of_root(self._root)
        total = self._total(marks, circumstances)
        if not self._has_variables:
            self._known = circumstances, total
        return total


class OperationCosts:
    """The costs of one operation of a valid document: `calls` and `values`."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        tables: Tables,
    ) -> None:
        """Compile both."""
        self.calls = OperationCost(schema, document, operation, tables.calls)
        self.values = OperationCost(schema, document, operation, tables.values)


class CostLimitExceeded(LimitExceeded):
    """A request that may need more calls to Glance than it may make."""

    def __init__(self, estimate: int, limit: int) -> None:
        """Set the message with the estimate and the limit."""
        message = (
            f"The request may need {estimate} calls to Glance, and at most {limit} are"
            " allowed: select fewer images, or fewer fields of each."
        )
        super().__init__(CODE, message, measured=estimate, limit=limit)

    @property
    def extensions(self) -> dict[str, object]:
        """Return the estimate, and the limit."""
        return {"estimate": self.measured, "limit": self.limit}


def check_calls(budget: Budget, estimate: int) -> None:
    """Raise CostLimitExceeded if the budget has fewer calls left."""
    needed = budget.reserved + estimate
    if needed > budget.limit:
        raise CostLimitExceeded(needed, budget.limit)


class _Evaluation:
    """The marks of an operation, with the variables of one request.

    Each selection is evaluated once, however often it is spread. So the time is
    linear in the document, even if the result is exponential in it.
    """

    def __init__(self, variables: Values, circumstances: Circumstances) -> None:
        self._variables = variables
        self._circumstances = circumstances
        self._known: dict[int, Marks] = {}

    def of_root(self, root: Selection) -> Marks:
        """Return the marks of the operation; fields of one response name merge."""
        fields: dict[str, list[SelectedField]] = {}
        self._collect(root, fields, set())
        marks: dict[str, int] = {}
        for same in fields.values():
            below = self._of(same[0].below) if len(same) == 1 else self._merged(same)
            add(marks, self._left(same[0], below))
        return marks

    def _collect(
        self,
        selection: Selection,
        fields: dict[str, list[SelectedField]],
        seen: set[int],
    ) -> None:
        """Collect the included fields (GraphQL specification, CollectFields)."""
        if id(selection) in seen:
            return
        seen.add(id(selection))
        for one in selection.fields:
            if self._is_included(one.conditions):
                fields.setdefault(one.name, []).append(one)
        for spread in selection.spreads:
            if self._is_included(spread.conditions):
                self._collect(spread.selection, fields, seen)

    def _merged(self, same: Iterable[SelectedField]) -> Marks:
        marks: dict[str, int] = {}
        for one in same:
            add(marks, self._of(one.below))
        return marks

    def _of(self, selection: Selection) -> Marks:
        if selection.is_fixed:
            return selection.fixed
        known = self._known.get(id(selection))
        if known is None:
            known = self._known[id(selection)] = self._summed(selection)
        return known

    def _summed(self, selection: Selection) -> Marks:
        marks = dict(selection.fixed)
        for one in selection.fields:
            if self._is_included(one.conditions):
                add(marks, self._left(one, self._of(one.below)))
        for spread in selection.spreads:
            if self._is_included(spread.conditions):
                add(marks, self._of(spread.selection))
        return marks

    def _left(self, one: SelectedField, below: Marks) -> Marks:
        """Return the marks of a field; `below` are the marks of its selection."""
        cost = one.cost
        if cost is None:
            return below
        if not isinstance(cost, Source):
            return {**below, cost.name: below.get(cost.name, 0) + 1}
        values = {
            name: value.value(self._variables)
            if isinstance(value, Variable | Template)
            else value
            for name, value in one.arguments.items()
        }
        return cost.marks(values, below, self._circumstances)

    def _is_included(self, conditions: Conditions) -> bool:
        """Return whether all conditions hold.

        A null condition is an error, and its siblings are not executed either.
        """
        return all(
            variable.value(self._variables) is expected
            for variable, expected in conditions
        )
