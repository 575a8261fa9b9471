"""Operations with a stream of responses, for any transport."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from graphql import OperationType

from gateway.asgi.graphql.rejections import rejection_of
from gateway.asgi.graphql.request import GraphQLRequest
from gateway.asgi.graphql.response import Unencodable, encoded
from gateway.asgi.graphql.results import answer_of, executed, in_turn
from gateway.asgi.streaming.turns import Turns
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
from gateway.subscriptions.changes import ImageChange

REJECTIONS = (
    InvalidDocument,
    InvalidVariables,
    LimitExceeded,
    MissingToken,
    Unencodable,
    UnknownOperation,
)


class Rejected(Exception):
    """An operation was rejected, or ended by an error; no response follows."""

    def __init__(self, errors: Sequence[Formatted]) -> None:
        """Keep the errors as clients see them."""
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Client:
    """The caller of an operation, its cache directive, and whether it is traced.

    `has_arrived`: the rate limits have already counted the request.
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
    """JSON responses: one for a query or mutation, one per event of a subscription."""

    def __init__(
        self,
        operations: Operations,
        contexts: Contexts,
        admission: Admission,
        *,
        hooks: Sequence[Hook],
    ) -> None:
        """Execute admitted operations, each response in a context of its own.

        `hooks` receive the RequestFacts of each response.
        """
        self._operations = operations
        self._contexts = contexts
        self._admission = admission
        self._hooks = hooks

    async def responses(
        self, request: GraphQLRequest, client: Client, turns: Turns
    ) -> AsyncGenerator[bytes, None]:
        """Yield the responses; raises Rejected. The caller must close the generator.

        Each response holds one of the turns until the next one is requested, so that
        no response is made before there is room for it.
        """
        try:
            if not client.has_arrived:
                await self._admission.arrive(client.visitor)
            async with turns:
                prepared = await self._prepared(request, client)
                is_subscription = prepared.type_ is OperationType.SUBSCRIPTION
                if not is_subscription:
                    context = self._context(client)
                    await self._admit(prepared, request, client, context)
                    yield await self._response(prepared, request, client, context, None)
            if is_subscription:
                responses = self._events(prepared, request, client, turns)
                async with aclosing(responses):
                    async for response in responses:
                        yield response
        except Failed as failed:
            errors = presented(failed.errors, client.identifier, was_executed=True)
            raise Rejected(errors) from failed
        except REJECTIONS as error:
            raise Rejected(self.rejection(error, client.visitor)) from error

    def rejection(self, error: Exception, visitor: Visitor) -> Sequence[Formatted]:
        """Return the errors of a rejected operation, and notify the hooks."""
        tell_rejection(self._hooks, error, visitor.scope, visitor.request_id)
        return rejection_of(error, visitor.request_id).errors

    async def _prepared(self, request: GraphQLRequest, client: Client) -> Prepared:
        self._operations.check_variables(request.variables, request.sent_bytes)
        await take_turn()
        preparing = self._operations.prepare(
            request.document,
            request.operation_name,
            has_token=client.identity is not None,
        )
        return preparing if isinstance(preparing, Prepared) else await preparing

    async def _events(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        client: Client,
        turns: Turns,
    ) -> AsyncGenerator[bytes, None]:
        """Yield one response for each event."""
        begun = self._context(client)
        await self._admit(prepared, request, client, begun)
        events = self._operations.events(prepared, request.variables, begun)
        async with aclosing(events):
            async for event in events:
                async with turns:
                    context = self._context(client)
                    context.counters.estimate = begun.counters.estimate
                    context.counters.values = begun.counters.values
                    context.counters.measures = prepared.measures
                    yield await self._response(
                        prepared, request, client, context, event
                    )

    async def _admit(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        client: Client,
        context: Context,
    ) -> None:
        """Raise LimitExceeded if one response may cost too much."""
        context.counters.measures = prepared.measures
        counters = context.counters
        self._admission.reserve(prepared.costs, request.variables, counters)
        if self._admission.limits_rates:
            await self._admission.charge(counters, client.visitor)

    def _context(self, client: Client) -> Context:
        return self._contexts.new(client.identity, client.identifier, client.directive)

    async def _response(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        client: Client,
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
        response = answer_of(
            result,
            context,
            is_traced=client.is_traced,
            outage=outage,
            max_errors=MAX_ERRORS_OF_MUTATIONS if is_mutation else MAX_ERRORS,
        )
        return encoded(response)
