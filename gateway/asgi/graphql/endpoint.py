"""The HTTP endpoint of GraphQL."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from graphql import OperationType
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from gateway.asgi.compression import Compression
from gateway.asgi.connected import all_of, while_connected
from gateway.asgi.credentials import identity_in
from gateway.asgi.graphql.equal_queries import Outcome
from gateway.asgi.graphql.media_types import Accepted, accepted
from gateway.asgi.graphql.query_responses import QueryResponses, response_of
from gateway.asgi.graphql.rejections import rejection_response
from gateway.asgi.graphql.request import (
    BadRequest,
    ClientLeft,
    GraphQLRequest,
    Headers,
    headers_of,
    is_batch,
    parse_request,
    read_request,
    requests_in,
)
from gateway.asgi.graphql.request_details import RequestDetails, details_of
from gateway.asgi.graphql.response import (
    Response,
    listed,
    respond,
)
from gateway.asgi.graphql.results import Waiting, executed, in_turn, result_of
from gateway.asgi.request_id import HEADER, request_id
from gateway.asgi.streaming.event_stream import send_events
from gateway.asgi.streaming.streams import Client, Streams
from gateway.asgi.streaming.turns import Turns
from gateway.cache.cached_response import ResponseKey
from gateway.cache.response_cache import ResponseCache
from gateway.caller import Directive
from gateway.context import Contexts
from gateway.execution.operations import Operations
from gateway.execution.preparation import Prepared
from gateway.execution.turns import take_turn
from gateway.facts import Hook
from gateway.limits.admission import Admission
from gateway.limits.exceeded import LimitExceeded, tell_rejection
from gateway.schema.errors import MAX_ERRORS_OF_MUTATIONS

ACCEPTABLE = (
    "Accept application/graphql-response+json, application/json or text/event-stream."
)
STREAMED = (
    "A subscription is a stream of responses: accept text/event-stream, or use a"
    " WebSocket with graphql-transport-ws."
)
LISTED = "The response to a batch is JSON: accept application/json."

# A document with so few tokens takes almost no time once it is prepared.
FEW_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a request may contain.

    `service_token`: whether its service token is used. `requests_in_list`: the most
    requests of a batch, 0 for no batches. `admission` checks each request against
    the limits.
    """

    service_token: bool
    requests_in_list: int
    admission: Admission


class GraphQLEndpoint:
    """An ASGI application that serves GraphQL over HTTP."""

    def __init__(
        self,
        operations: Operations,
        contexts: Contexts,
        response_cache: ResponseCache,
        streams: Streams,
        compression: Compression,
        *,
        allowed: Allowed,
        hooks: Sequence[Hook],
    ) -> None:
        """Execute each admitted request in a context of its own.

        `hooks` receive the RequestFacts of each request that was executed or
        whose response was in the cache.
        """
        self._operations = operations
        self._contexts = contexts
        self._response_cache = response_cache
        self._streams = streams
        self._compression = compression
        self._allowed = allowed
        self._admission = allowed.admission
        self._hooks = hooks
        self._queries = QueryResponses(response_cache, hooks)
        contexts.listen(self._queries.stop_sharing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one HTTP request, unless its client disconnects."""
        headers = headers_of(scope)
        identifier = request_id(headers.get(HEADER))
        takes = accepted(headers.get("accept"))
        try:
            response = await self._respond(scope, headers, receive, identifier, takes)
            if isinstance(response, _Stream):
                events = send_events(send, response.responses, identifier)
                await while_connected(receive, events)
                return
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - a bug is logged there
            response = rejection_response(error, identifier, takes.result)
        if scope["method"] == "GET" and "etag" not in response.headers:
            not_kept = {**response.headers, "cache-control": "no-store"}
            response = replace(response, headers=not_kept)
        encodings = headers.get("accept-encoding")
        response = await self._compression.of(response, encodings)
        await respond(send, response, takes.result, identifier)

    async def _respond(
        self,
        scope: Scope,
        headers: Headers,
        receive: Receive,
        identifier: str,
        takes: Accepted,
    ) -> "Response | _Stream":
        """Return the response to one request or to a batch."""
        body = await read_request(scope, headers, receive)
        if takes.result is None and not takes.events:
            raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, ACCEPTABLE)
        with_service_token = self._allowed.service_token
        identity = identity_in(headers, with_service_token=with_service_token)
        details = details_of(scope, headers, identifier, identity, takes)
        if not is_batch(details.method, body):
            return await self._answer(body, details, partial(while_connected, receive))
        requests = requests_in(body, self._allowed.requests_in_list)
        if takes.result is None:
            raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, LISTED)
        details = replace(details, together=self._contexts.together())
        return listed(await while_connected(receive, self._each(requests, details)))

    async def _each(
        self, requests: Sequence[bytes], details: RequestDetails
    ) -> Sequence[Response]:
        """Return the responses to a batch, in order; its requests run concurrently."""
        return await all_of(self._in_batch(one, details) for one in requests)

    async def _in_batch(self, body: bytes, details: RequestDetails) -> Response:
        """Return the response to one request of a batch, also if it is rejected."""
        try:
            answer = await self._answer(body, details, result_of)
        except Exception as error:  # noqa: BLE001 - a bug is logged there
            return rejection_response(error, details.identifier, details.takes.result)
        if isinstance(answer, Response):
            return answer
        alone = BadRequest(
            HTTPStatus.BAD_REQUEST, "A batch must not contain subscriptions."
        )
        return rejection_response(alone, details.identifier, details.takes.result)

    async def _answer(
        self, body: bytes, details: RequestDetails, waiting: Waiting
    ) -> "Response | _Stream":
        """Return the response; hooks receive RejectionFacts if a limit rejects it."""
        try:
            if self._admission.limits_rates:
                await self._admission.arrive(details.visitor)
            key = ResponseKey(details.identity, details.method.encode() + b" " + body)
            if details.directive is Directive.NONE and details.takes.result is not None:
                entry = await self._response_cache.find(key)
                if entry is not None:
                    return self._queries.cached(key, entry, details)
            return await self._executed(key, body, details, waiting)
        except LimitExceeded as error:
            tell_rejection(self._hooks, error, details.scope, details.identifier)
            raise

    async def _executed(
        self, key: ResponseKey, body: bytes, details: RequestDetails, waiting: Waiting
    ) -> "Response | _Stream":
        """Return the response to a request after a cache miss."""
        request = parse_request(details.method, body)
        prepared = await self._prepared(request, details, waiting)
        if _is_streamed(prepared, details):
            client = Client(
                details.identity,
                details.visitor,
                details.directive,
                is_traced=details.wants_trace,
                has_arrived=True,
            )
            return _Stream(self._streams.responses(request, client, Turns(1)))
        context = self._contexts.new(
            details.identity, details.identifier, details.directive, details.together
        )
        counters = context.counters
        counters.measures = prepared.measures
        is_listed = details.together is not None
        self._admission.reserve(
            prepared.costs, request.variables, counters, is_listed=is_listed
        )
        if self._admission.limits_rates:
            await self._admission.charge(counters, details.visitor)
        begin = in_turn(
            partial(self._operations.execute, prepared, request.variables, context),
            context,
            self._admission.large_results,
        )
        if prepared.type_ is OperationType.QUERY:
            return await self._queries.executed(key, begin, context, details, waiting)
        result = await executed(begin, context, self._hooks, waiting)
        outcome = Outcome(result, counters)
        most = MAX_ERRORS_OF_MUTATIONS
        return response_of(outcome, context, details, max_errors=most)

    async def _prepared(
        self, request: GraphQLRequest, details: RequestDetails, waiting: Waiting
    ) -> Prepared:
        """Return the prepared document; raises LimitExceeded."""
        self._operations.check_variables(request.variables, request.sent_bytes)
        text, name = request.document, request.operation_name
        if not self._operations.is_prepared(text, name):
            await take_turn()
        has_token = details.identity is not None
        preparing = self._operations.prepare(text, name, has_token=has_token)
        if not isinstance(preparing, Prepared):
            preparing = await waiting(preparing)
        if preparing.measures["tokens"] > FEW_TOKENS:
            await take_turn()
        return preparing


@dataclass(frozen=True, slots=True)
class _Stream:
    """Responses that are sent one by one."""

    responses: AsyncGenerator[bytes, None]


def _is_streamed(prepared: Prepared, details: RequestDetails) -> bool:
    """Return whether the response is an event stream; raises BadRequest if invalid.

    Clients that accept only events also receive single responses as events.
    """
    if prepared.type_ is OperationType.MUTATION and details.method == "GET":
        reason = "mutations are not allowed when using GET"
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason)
    is_subscription = prepared.type_ is OperationType.SUBSCRIPTION
    if is_subscription and not details.takes.events:
        raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, STREAMED)
    return is_subscription or details.takes.result is None
