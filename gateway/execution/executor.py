"""graphql-core's executor, except that plans complete plain objects.

Source: graphql-core 3.3, `Executor.complete_value` and `execute_fields`, whose
order of steps is kept wherever a resolver runs.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar
from weakref import proxy

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLResolveInfoHelpers,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path, gather_with_cancel

from gateway.execution.plan import (
    Compilations,
    Plan,
    TooManyPlans,
    compile_plan,
)
from gateway.execution.plans import Conditions, Plans
from gateway.execution.turns import is_time_up, next_turn
from gateway.glance.rows import KEY, Rows

Projected = TypeVar("Projected")

logger = logging.getLogger(__name__)


class ProjectingExecutor(Executor[None]):
    """Executes one operation; objects that are JSON are projected by plans."""

    def __init__(self, *args: Any, plans: Plans, **kwargs: Any) -> None:  # noqa: ANN401
        """Take what `Executor.build` gives, and the plans of the document."""
        super().__init__(*args, **kwargs)
        # graphql-core's own helpers hold the executor, as any of its methods does:
        # a pass for garbage would have to free what the request has made.
        own = proxy(self)
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=lambda values: own.gather_async_work(values),  # noqa: PLW0108
            track=lambda values: own.track_async_work(values),  # noqa: PLW0108
        )
        self._plans = plans
        self._compilations = Compilations()
        self._found: dict[
            tuple[GraphQLObjectType, int], tuple[FieldDetailsList, Plan]
        ] = {}

    @cached_property
    def _conditions(self) -> Conditions | None:
        """Return what @skip and @include go by, None where no plan may be used."""
        coerced = self.variable_values.coerced
        found = tuple([(name, coerced.get(name)) for name in _booleans(self.operation)])
        # A null condition is an error, which graphql-core has to find.
        has_null = any(value is None for _, value in found)
        is_plain = self.error_propagation and self.middleware_manager is None
        return found if is_plain and not has_null else None

    async def complete_awaitable_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401
        position_context: None,
    ) -> Any:  # noqa: ANN401
        """Await a value, and complete it in a slice of the event loop.

        A hundred lists that are completed at once would block all other requests.
        """
        try:
            resolved = await self.with_abort_signal(result)
            if is_time_up():
                await next_turn()
            completed = self.complete_value(
                return_type, field_details_list, info, path, resolved, position_context
            )
            if self.is_awaitable(completed):
                completed = await completed
        except Exception as error:  # noqa: BLE001 - as in graphql-core
            self.handle_field_error(error, return_type, field_details_list, path)
            completed = None
        return completed

    def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,  # noqa: ANN401
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> Any:  # noqa: ANN401
        """Execute fields one after the other.

        graphql-core awaits each field within the next one's frame, so that a thousand
        mutations would raise RecursionError.
        """
        results: dict[str, Any] = {}
        fields = iter(grouped_field_set.items())

        def executed(name: str, details: FieldDetailsList) -> Any:  # noqa: ANN401
            field_path = Path(path, name, parent_type.name)
            return self.execute_field(
                parent_type, source_value, details, field_path, position_context
            )

        async def with_rest(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
            results[name] = await value
            for later, details in fields:
                value = executed(later, details)
                results[later] = await value if self.is_awaitable(value) else value
            return results

        for name, details in fields:
            value = executed(name, details)
            if self.is_awaitable(value):
                return with_rest(name, value)
            results[name] = value
        return results

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401
        position_context: None,
    ) -> Any:  # noqa: ANN401
        """Complete a value, by a plan where it is as plain as it should be."""
        kind = type(result)
        if kind is dict and isinstance(return_type, GraphQLObjectType):
            plan = self._plan(return_type, field_details_list)
            if plan is not None:
                project = plan.project
                values = _unless_odd(lambda: project(result))
                if values is not None:
                    return self._with_others(plan, return_type, path, result, values)
        elif kind is list and isinstance(return_type, GraphQLList):
            items = self._projected_items(return_type, field_details_list, result)
            if items is not None:
                return items
        elif kind is Rows and isinstance(return_type, GraphQLList):
            items = self._projected_rows(return_type, field_details_list, result)
            if items is not None:
                return items
            return self.complete_value(
                return_type,
                field_details_list,
                info,
                path,
                list(result),
                position_context,
            )
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _projected_items(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        details: FieldDetailsList,
        items: list[object],
    ) -> Sequence[object] | None:
        """Return all items projected, None where graphql-core has to walk the list."""
        plan = self._plan_of_items(return_type, details) if items else None
        if plan is None or plan.others:
            return None
        project = plan.project
        return _unless_odd(lambda: [*map(project, items)])

    def _projected_rows(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        details: FieldDetailsList,
        rows: Rows,
    ) -> Sequence[object] | None:
        """Return all rows projected, None where they have to be decoded whole."""
        plan = self._plan_of_items(return_type, details) if rows else None
        if plan is None or plan.rows is None:
            return None
        decode, project = plan.rows.decode, plan.rows.project
        return _unless_odd(
            lambda: [project(row) for row in decode(rows.content, KEY)[rows.window]]
        )

    def _plan_of_items(
        self, return_type: GraphQLList[GraphQLOutputType], details: FieldDetailsList
    ) -> Plan | None:
        item_type = return_type.of_type
        if isinstance(item_type, GraphQLNonNull):
            item_type = item_type.of_type
        if not isinstance(item_type, GraphQLObjectType):
            return None
        return self._plan(item_type, details)

    def _plan(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Plan | None:
        conditions = self._conditions
        if conditions is None:
            return None
        known = type_, id(details)
        if known in self._found:
            return self._found[known][1]

        def compiled() -> Plan | None:
            fields = self._subfields(type_, details)
            return compile_plan(type_, fields, self._subfields, self._compilations)

        nodes: list[FieldNode] = [one.node for one in details]
        try:
            plan = self._plans.find(type_, nodes, conditions, compiled)
        except TooManyPlans:
            return None
        if plan is not None:
            self._found[known] = details, plan
        return plan

    def _subfields(
        self, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> GroupedFieldSet:
        return self.collect_subfields(type_, details).grouped_field_set

    def _with_others(
        self,
        plan: Plan,
        type_: GraphQLObjectType,
        path: Path,
        source: dict[str, object],
        values: dict[str, Any],
    ) -> Any:  # noqa: ANN401
        """Return the object with its other fields executed, as by graphql-core."""
        awaitable: list[str] = []
        try:
            for name, details in plan.others:
                field_path = Path(path, name, type_.name)
                value = self.execute_field(type_, source, details, field_path, None)
                values[name] = value
                if self.is_awaitable(value):
                    awaitable.append(name)
        except Exception:
            if awaitable:
                self.settle_in_background([values[name] for name in awaitable])
            raise
        return _awaited(values, awaitable) if awaitable else values


def _unless_odd(projected: Callable[[], Projected]) -> Projected | None:
    """Return what a plan gives, None where graphql-core has to complete it.

    Pure functions of hostile data may raise anything. What it is, graphql-core
    finds, or else the plan is wrong, which is told at level DEBUG.
    """
    try:
        return projected()
    except Exception as error:  # noqa: BLE001 - graphql-core finds what it is
        logger.debug("a plan has given way: %s", type(error).__name__)
        return None


async def _awaited(values: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the object once what is awaitable in it is there."""
    if len(names) == 1:
        values[names[0]] = await values[names[0]]
        return values
    waited: list[Awaitable[object]] = [values[name] for name in names]
    values.update(zip(names, await gather_with_cancel(*waited), strict=True))
    return values


def _booleans(operation: OperationDefinitionNode) -> list[str]:
    """Return the variables that may stand in @skip and @include."""
    names = []
    for definition in operation.variable_definitions or ():
        type_ = definition.type
        named = type_.type if isinstance(type_, NonNullTypeNode) else type_
        if isinstance(named, NamedTypeNode) and named.name.value == "Boolean":
            names.append(definition.variable.name.value)
    return names
