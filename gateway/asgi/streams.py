"""Operations whose answers come one by one, whatever carries them."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from graphql import ExecutionResult, GraphQLError, OperationType

from gateway.asgi.http_request import GraphQLRequest
from gateway.asgi.http_response import Unencodable, encoded
from gateway.context import Context, Contexts
from gateway.execution.document_cache import InvalidDocument, Prepared, UnknownOperation
from gateway.execution.operations import Failed, Operations
from gateway.facts import Hook, tell
from gateway.identity import Identity
from gateway.schema.errors import Formatted, present, request_error, warning
from gateway.watching.changes import ImageChange

logger = logging.getLogger(__name__)


class Refused(Exception):
    """An operation that has no answers, or no further ones."""

    def __init__(self, errors: Sequence[Formatted]) -> None:
        """Keep why, as clients see it."""
        super().__init__()
        self.errors = errors


class Streams:
    """Answers as JSON: of a query or mutation one, of a subscription one per event."""

    def __init__(
        self, operations: Operations, contexts: Contexts, *, hooks: Sequence[Hook]
    ) -> None:
        """Execute each answer in a context of its own.

        `hooks` are given its RequestFacts.
        """
        self._operations = operations
        self._contexts = contexts
        self._hooks = hooks

    async def answers(
        self, request: GraphQLRequest, identity: Identity | None, identifier: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield the answers; raises Refused. To be closed by whoever reads."""
        prepared = self._prepared(request, identifier)
        if prepared.type_ is not OperationType.SUBSCRIPTION:
            context = self._contexts.new(identity, identifier)
            yield await self._answer(prepared, request, context, None)
            return
        begun = self._contexts.new(identity, identifier)
        events = self._operations.events(prepared, request.variables, begun)
        try:
            async with aclosing(events):
                async for event in events:
                    context = self._contexts.new(identity, identifier)
                    yield await self._answer(prepared, request, context, event)
        except Failed as failed:
            errors = _presented(failed.errors, identifier, was_executed=True)
            raise Refused(errors) from failed

    def _prepared(self, request: GraphQLRequest, identifier: str) -> Prepared:
        try:
            return self._operations.prepare(request.document, request.operation_name)
        except InvalidDocument as error:
            errors = _presented(error.errors, identifier, was_executed=False)
            raise Refused(errors) from error
        except UnknownOperation as error:
            reason = unknown_operation(request.operation_name)
            refusal = request_error("BAD_REQUEST", reason, identifier)
            raise Refused([refusal]) from error

    async def _answer(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        context: Context,
        event: object,
    ) -> bytes:
        try:
            begun = self._operations.execute(
                prepared, request.variables, context, event
            )
            result = begun if isinstance(begun, ExecutionResult) else await begun
        finally:
            tell(self._hooks, context.facts)
        try:
            return encoded(_formatted(result, context, event))
        except Unencodable as error:
            identifier = context.request_id
            logger.exception("request %s failed", identifier)
            code, reason = "INTERNAL_SERVER_ERROR", "Internal server error."
            raise Refused([request_error(code, reason, identifier)]) from error


def unknown_operation(name: str | None) -> str:
    """Return why a document without the operation is refused."""
    if name is None:
        return "The document has no operation."
    return f'Unknown operation named "{name}".'


def _formatted(result: ExecutionResult, context: Context, event: object) -> Formatted:
    answer: Formatted = {"data": result.data}
    if result.errors:
        errors = _presented(result.errors, context.request_id, was_executed=True)
        answer["errors"] = errors
    extensions: Formatted = {}
    if isinstance(event, ImageChange) and event.warning is not None:
        extensions["warnings"] = [warning(event.warning)]
    if context.tally.stale:
        extensions["glance"] = context.tally.counts
    if extensions:
        answer["extensions"] = extensions
    return answer


def _presented(
    errors: Sequence[GraphQLError], identifier: str, *, was_executed: bool
) -> list[Formatted]:
    return [present(error, identifier, was_executed=was_executed) for error in errors]
