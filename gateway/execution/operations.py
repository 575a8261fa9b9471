"""Operations of a schema: prepared once, executed for each request."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeGuard, cast

import strawberry
from graphql import ExecutionResult, GraphQLError
from strawberry.execution import optimized_is_awaitable as optimized

from gateway.execution.document_cache import DocumentCache, Prepared
from gateway.execution.executor import ProjectingExecutor

Begun = ExecutionResult | Coroutine[object, object, ExecutionResult]

is_awaitable = cast("Callable[[object], TypeGuard[Awaitable[object]]]", optimized)


class InvalidVariables(ValueError):
    """Variables that are not what the operation declares."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Keep what is wrong, at least one thing."""
        super().__init__(errors[0].message)
        self.errors = errors


class Operations:
    """What is known of a schema's documents, in this process."""

    def __init__(self, schema: strawberry.Schema) -> None:
        """Begin with nothing known."""
        self._schema = schema._schema  # noqa: SLF001 - Strawberry has no other name
        self._documents = DocumentCache(self._schema)

    def prepare(self, text: str, operation_name: str | None) -> Prepared:
        """Return a document ready to be executed.

        Raises InvalidDocument, and UnknownOperation where it has no operation of
        this name, none at all, or several without a name to choose by.
        """
        return self._documents.prepare(text, operation_name)

    def execute(
        self, prepared: Prepared, variables: dict[str, object] | None, context: object
    ) -> Begun:
        """Return data and errors of one operation, at once where nothing is awaited.

        Raises InvalidVariables.
        """
        name = prepared.operation.name
        executor = ProjectingExecutor.build(
            self._schema,
            prepared.document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=name.value if name else None,
            is_awaitable=is_awaitable,
            plans=prepared.plans,
        )
        if isinstance(executor, list):
            raise InvalidVariables(executor)
        result = executor.execute_operation()
        return cast(
            "ExecutionResult | Coroutine[object, object, ExecutionResult]", result
        )
