"""Operations of a schema: prepared once, executed for each request."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import TypeGuard, cast

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    create_source_event_stream,
    located_error,
)
from strawberry.execution import optimized_is_awaitable as optimized

from gateway.execution.document_cache import DocumentCache, Preparing
from gateway.execution.executor import ProjectingExecutor
from gateway.execution.preparation import Preparation, Prepared
from gateway.limits.document import Maxima
from gateway.limits.field_costs import Tables
from gateway.limits.variables import VariableLimits

Variables = dict[str, object] | None
Begun = ExecutionResult | Coroutine[object, object, ExecutionResult]

is_awaitable = cast("Callable[[object], TypeGuard[Awaitable[object]]]", optimized)


class InvalidVariables(ValueError):
    """Variables that are not what the operation declares."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Keep what is wrong, at least one thing."""
        super().__init__(errors[0].message)
        self.errors = errors


class Failed(Exception):
    """A subscription that cannot begin, or go on."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Keep why."""
        super().__init__()
        self.errors = errors


class Operations:
    """What is known of a schema's documents, in this process."""

    def __init__(
        self,
        schema: strawberry.Schema,
        tables: Tables,
        maxima: Maxima,
        *,
        with_introspection: bool = True,
    ) -> None:
        """Begin with an empty cache; documents that exceed `maxima` are rejected.

        `tables` hold the costs of the schema's fields. Without introspection, nothing
        of the schema is returned to clients.
        """
        self._schema = schema._schema  # noqa: SLF001 - Strawberry has no other name
        self._hides_suggestions = not with_introspection
        self._documents = DocumentCache(
            Preparation(
                self._schema, tables, maxima, with_introspection=with_introspection
            )
        )
        self._variable_limits = VariableLimits(
            maxima.variables_bytes, maxima.variables_depth, maxima.list_items
        )

    def check_variables(self, variables: Variables, sent_bytes: int) -> None:
        """Raise LimitExceeded for variables of a request that are too large."""
        if variables:
            self._variable_limits.check(variables, sent_bytes)

    def is_prepared(self, text: str, operation_name: str | None) -> bool:
        """Return whether a document needs no parsing and no validation."""
        return (text, operation_name) in self._documents

    def prepare(
        self, text: str, operation_name: str | None, *, has_token: bool
    ) -> Preparing:
        """Return a document ready for execution, or a coroutine that prepares it.

        Raises InvalidDocument; UnknownOperation where it has no operation of
        this name, none at all, or several without a name to choose by; MissingToken
        where it asks for more than introspection without a token; LimitExceeded.
        """
        return self._documents.prepare(text, operation_name, has_token=has_token)

    def close(self) -> None:
        """Stop the thread that prepares long documents."""
        self._documents.close()

    def execute(
        self,
        prepared: Prepared,
        variables: Variables,
        context: object,
        event: object = None,
    ) -> Begun:
        """Return data and errors of one operation, at once where nothing is awaited.

        A subscription's are those of one event. Raises InvalidVariables.
        """
        result = self._executor(prepared, variables, context, event).execute_operation()
        return cast(
            "ExecutionResult | Coroutine[object, object, ExecutionResult]", result
        )

    async def events(
        self, prepared: Prepared, variables: Variables, context: object
    ) -> AsyncGenerator[object, None]:
        """Yield the events of a subscription; raises InvalidVariables and Failed."""
        executor = self._executor(prepared, variables, context, None)
        begun = create_source_event_stream(executor)
        source = await begun if is_awaitable(begun) else begun
        if isinstance(source, ExecutionResult):
            raise Failed(source.errors or ())
        async with aclosing(cast("AsyncGenerator[object, None]", source)) as events:
            try:
                async for event in events:
                    yield event
            except Exception as error:
                raise Failed([located_error(error)]) from error

    def _executor(
        self, prepared: Prepared, variables: Variables, context: object, event: object
    ) -> ProjectingExecutor:
        name = prepared.operation.name
        executor = ProjectingExecutor.build(
            self._schema,
            prepared.document,
            root_value=event,
            context_value=context,
            raw_variable_values=variables,
            operation_name=name.value if name else None,
            is_awaitable=is_awaitable,
            hide_suggestions=self._hides_suggestions,
            plans=prepared.plans,
        )
        if isinstance(executor, list):
            raise InvalidVariables(executor)
        return cast("ProjectingExecutor", executor)
