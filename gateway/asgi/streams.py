"""Operations whose answers come one by one, whatever carries them."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from graphql import OperationType

from gateway.asgi.answering import answer_of, executed, in_turn
from gateway.asgi.http_request import GraphQLRequest
from gateway.asgi.http_response import Unencodable, encoded
from gateway.asgi.refusals import refusal_of
from gateway.asgi.turns import Turns
from gateway.caller import Directive
from gateway.context import Context, Contexts
from gateway.execution.operations import Begun, Failed, InvalidVariables, Operations
from gateway.execution.preparation import InvalidDocument, Prepared, UnknownOperation
from gateway.execution.turns import take_turn
from gateway.facts import Hook
from gateway.identity import Identity
from gateway.limits.admission import Admission, Visitor
from gateway.limits.anonymous import MissingToken
from gateway.limits.exceeded import LimitExceeded, tell_rejection
from gateway.schema.errors import (
    MAX_ERRORS,
    MAX_ERRORS_OF_MUTATIONS,
    Formatted,
    presented,
)
from gateway.watching.changes import ImageChange

REFUSALS = (
    InvalidDocument,
    InvalidVariables,
    LimitExceeded,
    MissingToken,
    Unencodable,
    UnknownOperation,
)


class Refused(Exception):
    """An operation that has no answers, or no further ones."""

    def __init__(self, errors: Sequence[Formatted]) -> None:
        """Keep why, as clients see it."""
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Asker:
    """The caller of an operation, its cache directive, and whether it is traced.

    `has_arrived` tells that the rate limits have counted the request already.
    """

    identity: Identity | None
    visitor: Visitor
    directive: Directive = Directive.NONE
    is_traced: bool = False
    has_arrived: bool = False

    @property
    def identifier(self) -> str:
        """Return the id of the request."""
        return self.visitor.request_id


class Streams:
    """Answers as JSON: of a query or mutation one, of a subscription one per event."""

    def __init__(
        self,
        operations: Operations,
        contexts: Contexts,
        admission: Admission,
        *,
        hooks: Sequence[Hook],
    ) -> None:
        """Execute admitted operations, each response in a context of its own.

        `hooks` are given the RequestFacts of each response.
        """
        self._operations = operations
        self._contexts = contexts
        self._admission = admission
        self._hooks = hooks

    async def answers(
        self, request: GraphQLRequest, asker: Asker, turns: Turns
    ) -> AsyncGenerator[bytes, None]:
        """Yield the responses; raises Refused. The reader has to close it.

        Each response holds one of the turns until the next one is requested, so that
        none is made before there is room for it.
        """
        try:
            if not asker.has_arrived:
                await self._admission.arrive(asker.visitor)
            async with turns:
                prepared = await self._prepared(request, asker)
                is_subscription = prepared.type_ is OperationType.SUBSCRIPTION
                if not is_subscription:
                    context = self._context(asker)
                    await self._admit(prepared, request, asker, context)
                    yield await self._answer(prepared, request, asker, context, None)
            if is_subscription:
                answers = self._told(prepared, request, asker, turns)
                async with aclosing(answers):
                    async for answer in answers:
                        yield answer
        except Failed as failed:
            errors = presented(failed.errors, asker.identifier, was_executed=True)
            raise Refused(errors) from failed
        except REFUSALS as error:
            raise Refused(self.rejection(error, asker.visitor)) from error

    def rejection(self, error: Exception, visitor: Visitor) -> Sequence[Formatted]:
        """Return the errors of an operation that is rejected, and tell the hooks."""
        tell_rejection(self._hooks, error, visitor.scope, visitor.request_id)
        return refusal_of(error, visitor.request_id).errors

    async def _prepared(self, request: GraphQLRequest, asker: Asker) -> Prepared:
        self._operations.check_variables(request.variables, request.sent_bytes)
        await take_turn()
        preparing = self._operations.prepare(
            request.document,
            request.operation_name,
            has_token=asker.identity is not None,
        )
        return preparing if isinstance(preparing, Prepared) else await preparing

    async def _told(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        asker: Asker,
        turns: Turns,
    ) -> AsyncGenerator[bytes, None]:
        """Yield one response for each event."""
        begun = self._context(asker)
        await self._admit(prepared, request, asker, begun)
        events = self._operations.events(prepared, request.variables, begun)
        async with aclosing(events):
            async for event in events:
                async with turns:
                    context = self._context(asker)
                    context.tally.estimate = begun.tally.estimate
                    context.tally.values = begun.tally.values
                    context.tally.measures = prepared.measures
                    yield await self._answer(prepared, request, asker, context, event)

    async def _admit(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        asker: Asker,
        context: Context,
    ) -> None:
        """Raise LimitExceeded if one response may cost too much."""
        context.tally.measures = prepared.measures
        tally = context.tally
        self._admission.reserve(prepared.costs, request.variables, tally)
        if self._admission.limits_rates:
            await self._admission.charge(tally, asker.visitor)

    def _context(self, asker: Asker) -> Context:
        return self._contexts.new(asker.identity, asker.identifier, asker.directive)

    async def _answer(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        asker: Asker,
        context: Context,
        event: object,
    ) -> bytes:
        begin: Callable[[], Begun] = partial(
            self._operations.execute, prepared, request.variables, context, event
        )
        begin = in_turn(begin, context, self._admission.large_results)
        result = await executed(begin, context, self._hooks)
        outage = event.warning if isinstance(event, ImageChange) else None
        is_mutation = prepared.type_ is OperationType.MUTATION
        answer = answer_of(
            result,
            context,
            is_traced=asker.is_traced,
            outage=outage,
            max_errors=MAX_ERRORS_OF_MUTATIONS if is_mutation else MAX_ERRORS,
        )
        return encoded(answer)
