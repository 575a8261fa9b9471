"""Answers of the projecting executor beside those of graphql-core."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
)
from graphql.execution import Executor

from gateway.execution.executor import ProjectingExecutor
from gateway.execution.operations import is_awaitable
from gateway.execution.plan import Plan
from gateway.execution.plans import Conditions, Plans

Answer = TypeVar("Answer")

# What a selection goes through: seen for the first time, compiled, found compiled.
ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """A document and what it is executed with."""

    document: DocumentNode
    context: object
    variables: dict[str, object] = field(default_factory=dict)
    operation_name: str | None = None


class Difference(Exception):
    """An answer that is not graphql-core's."""


class CountedPlans(Plans):
    """Plans that count the values that they have projected."""

    def __init__(self, max_plans: int = 200) -> None:
        """Begin with nothing projected."""
        super().__init__(max_plans)
        self.projected = 0

    def find(
        self,
        type_: GraphQLObjectType,
        nodes: Sequence[FieldNode],
        conditions: Conditions,
        compiled: Callable[[], Plan | None],
    ) -> Plan | None:
        """Return the plan; its projections are counted where they succeed."""

        def counted() -> Plan | None:
            plan = compiled()
            if plan is None:
                return None
            rows = plan.rows and replace(
                plan.rows, project=self._counting(plan.rows.project)
            )
            return replace(plan, project=self._counting(plan.project), rows=rows)

        return super().find(type_, nodes, conditions, counted)

    def _counting(
        self, project: Callable[[object], Answer]
    ) -> Callable[[object], Answer]:
        def counting(record: object) -> Answer:
            projected = project(record)
            self.projected += 1
            return projected

        return counting


class Comparison:
    """Compares case by case, with the same plans for all of them."""

    def __init__(self, schema: GraphQLSchema) -> None:
        """Begin with no case."""
        self.schema = schema
        self.plans = CountedPlans()
        self.cases = 0

    async def compare(self, case: Case) -> ExecutionResult:
        """Return graphql-core's answer; raises Difference for another one."""
        self.cases += 1
        expected = await self._answer(Executor, case)
        for number in range(ROUNDS):
            answer = await self._answer(ProjectingExecutor, case, plans=self.plans)
            if seen(answer) != seen(expected):
                raise Difference(number, seen(answer), seen(expected))
        return expected

    async def _answer(
        self, executor_class: type[Executor[Any]], case: Case, **custom: Any
    ) -> ExecutionResult:
        executor = executor_class.build(
            self.schema,
            case.document,
            context_value=case.context,
            raw_variable_values=case.variables,
            operation_name=case.operation_name,
            is_awaitable=is_awaitable,
            **custom,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        result = executor.execute_operation()
        return cast(
            "ExecutionResult", await result if isinstance(result, Awaitable) else result
        )


def seen(answer: ExecutionResult) -> object:
    """Return all that can be told from an answer, in a form that compares."""
    return shape(answer.data), [_told(error) for error in answer.errors or ()]


def shape(value: object) -> object:
    """Return a value with its types and its order; NaN is equal to NaN.

    A Struct is the object that it is encoded as.
    """
    if isinstance(value, msgspec.Struct):
        names = value.__struct_encode_fields__
        values = [getattr(value, name) for name in value.__struct_fields__]
        return shape(dict(zip(names, values, strict=True)))
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(name, shape(one)) for name, one in value.items()]
    if isinstance(value, list | tuple):
        return kind, [shape(one) for one in value]
    return kind, repr(value)


def _told(error: GraphQLError) -> tuple[object, ...]:
    original = error.original_error
    return repr(error.formatted), type(original).__name__, repr(original)
