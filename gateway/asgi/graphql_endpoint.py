"""The endpoint: an HTTP request in, the answer of the schema out."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import msgspec
from graphql import OperationType
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from gateway.asgi.answering import Waiting, answer_of, costs, executed, result_of
from gateway.asgi.compression import Compression
from gateway.asgi.connected import all_of, while_connected
from gateway.asgi.credentials import identity_in
from gateway.asgi.directives import directive_in, wants_trace
from gateway.asgi.equal_queries import EqualQueries, Lead, Outcome
from gateway.asgi.event_stream import send_events
from gateway.asgi.http_request import (
    BadRequest,
    ClientLeft,
    GraphQLRequest,
    Headers,
    address_of,
    headers_of,
    is_batch,
    parse_request,
    read_request,
    requests_in,
)
from gateway.asgi.http_response import (
    Response,
    conditional,
    encoded,
    json_response,
    listed,
    respond,
)
from gateway.asgi.media_types import Accepted, MediaType, accepted
from gateway.asgi.refusals import refusal_of, tell_rejection
from gateway.asgi.request_id import HEADER, request_id
from gateway.asgi.streams import Asker, Streams
from gateway.asgi.turns import Turns
from gateway.cache.answer import AnswerKey, RememberedAnswer
from gateway.cache.answers import Answers
from gateway.caller import Directive
from gateway.context import Context, Contexts
from gateway.execution.operations import Begun, Operations
from gateway.execution.preparation import Prepared
from gateway.facts import Hook, RequestFacts, tell
from gateway.identity import Identity
from gateway.limits.admission import Admission, Visitor
from gateway.limits.exceeded import LimitExceeded
from gateway.loaders import Together

ACCEPTABLE = (
    "Answers are application/graphql-response+json, application/json or"
    " text/event-stream."
)
STREAMED = (
    "A subscription is a stream of answers: accept text/event-stream, or use a"
    " WebSocket with graphql-transport-ws."
)
LISTED = "A list of requests is answered as JSON: accept application/json."

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a request may bring: a service token, and so many requests as a list.

    With `requests_in_list` 0 it may be no list at all; `admission` is what each
    has to pass.
    """

    service_token: bool
    requests_in_list: int
    admission: Admission


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL over HTTP."""

    def __init__(
        self,
        operations: Operations,
        contexts: Contexts,
        answers: Answers,
        streams: Streams,
        compression: Compression,
        *,
        allowed: Allowed,
        hooks: Sequence[Hook],
    ) -> None:
        """Execute each request that is admitted, in a context of its own.

        `hooks` are given the RequestFacts of each request that was executed or
        whose answer is remembered.
        """
        self._operations = operations
        self._contexts = contexts
        self._answers = answers
        self._streams = streams
        self._compression = compression
        self._allowed = allowed
        self._admission = allowed.admission
        self._hooks = hooks
        self._equal = EqualQueries()
        contexts.listen(self._equal.part)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves is not answered."""
        headers = headers_of(scope)
        identifier = request_id(headers.get(HEADER))
        takes = accepted(headers.get("accept"))
        try:
            response = await self._respond(scope, headers, receive, identifier, takes)
            if isinstance(response, _Stream):
                events = send_events(send, response.answers, identifier)
                await while_connected(receive, events)
                return
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - a bug is logged there
            response = _refused(error, identifier, takes.result)
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
        """Return the answer to one request, or to several in one."""
        body = await read_request(scope, headers, receive)
        if takes.result is None and not takes.events:
            raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, ACCEPTABLE)
        with_service_token = self._allowed.service_token
        identity = identity_in(headers, with_service_token=with_service_token)
        asked = _Asked(
            scope["method"],
            identifier,
            identity,
            directive_in(headers),
            takes,
            headers.get("if-none-match"),
            wants_trace(headers),
            address_of(scope),
        )
        if not is_batch(asked.method, body):
            return await self._answer(body, asked, partial(while_connected, receive))
        requests = requests_in(body, self._allowed.requests_in_list)
        if takes.result is None:
            raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, LISTED)
        asked = replace(asked, together=self._contexts.together())
        return listed(await while_connected(receive, self._each(requests, asked)))

    async def _each(
        self, requests: Sequence[bytes], asked: "_Asked"
    ) -> Sequence[Response]:
        """Return the answers to requests that run at the same time, in order."""
        return await all_of(self._in_batch(one, asked) for one in requests)

    async def _in_batch(self, body: bytes, asked: "_Asked") -> Response:
        """Return the answer to one request of several, also where it is refused."""
        try:
            answer = await self._answer(body, asked, result_of)
        except Exception as error:  # noqa: BLE001 - a bug is logged there
            return _refused(error, asked.identifier, asked.takes.result)
        if isinstance(answer, Response):
            return answer
        alone = BadRequest(HTTPStatus.BAD_REQUEST, "A subscription must come alone.")
        return _refused(alone, asked.identifier, asked.takes.result)

    async def _answer(
        self, body: bytes, asked: "_Asked", waiting: Waiting
    ) -> "Response | _Stream":
        """Return the response; hooks are told where a limit rejects the request."""
        try:
            if self._admission.limits_rates:
                await self._admission.arrive(asked.visitor)
            return await self._found_or_executed(body, asked, waiting)
        except LimitExceeded as error:
            scope = asked.identity.scope if asked.identity else None
            tell_rejection(self._hooks, error, scope, asked.identifier)
            raise

    async def _found_or_executed(
        self, body: bytes, asked: "_Asked", waiting: Waiting
    ) -> "Response | _Stream":
        """Return what is remembered of an equal request, else execute this one."""
        key = AnswerKey(asked.identity, asked.method.encode() + b" " + body)
        known = None
        if asked.directive is Directive.NONE and asked.takes.result is not None:
            known = await self._answers.find(key)
        if known is not None:
            return self._remembered(key, known, asked)
        return await self._executed(key, body, asked, waiting)

    def _remembered(
        self, key: AnswerKey, known: RememberedAnswer, asked: "_Asked"
    ) -> Response:
        counts = {"calls": 0, "cached": known.reads, "coalesced": 0, "stale": 0}
        scope = asked.identity.scope if asked.identity else None
        tell(
            self._hooks,
            lambda: RequestFacts(asked.identifier, scope, 0, known.reads, 0, 0),
        )
        response = Response(HTTPStatus.OK, known.body, remembered=(key, known))
        return _answered(response, asked, counts)

    async def _executed(
        self, key: AnswerKey, body: bytes, asked: "_Asked", waiting: Waiting
    ) -> "Response | _Stream":
        """Return the answer; one that rests on remembered reads is remembered."""
        request = parse_request(asked.method, body)
        prepared = await self._prepared(request, asked, waiting)
        if _is_streamed(prepared, asked):
            asker = Asker(
                asked.identity,
                asked.visitor,
                asked.directive,
                is_traced=asked.wants_trace,
                has_arrived=True,
            )
            return _Stream(self._streams.answers(request, asker, Turns(1)))
        context = self._contexts.new(
            asked.identity, asked.identifier, asked.directive, asked.together
        )
        context.tally.measures = prepared.measures
        await self._admission.admit(
            prepared.costs, request.variables, context.tally, asked.visitor
        )
        begin = partial(self._operations.execute, prepared, request.variables, context)
        if prepared.type_ is OperationType.QUERY:
            return await self._queried(key, begin, context, asked, waiting)
        result = await executed(begin, context, self._hooks, waiting)
        return _result(Outcome(result, context.tally), context, asked)

    async def _queried(
        self,
        key: AnswerKey,
        begin: Callable[[], Begun],
        context: Context,
        asked: "_Asked",
        waiting: Waiting,
    ) -> Response:
        """Return the response to a query, or that to an equal one under way."""
        if not self._answers.shares or asked.directive is not Directive.NONE:
            result = await executed(begin, context, self._hooks, waiting)
            return await self._kept(key, Outcome(result, context.tally), context, asked)
        with self._equal.lead(key) as lead:
            if lead.may_follow:
                shared = await self._shared(key, lead, asked, waiting)
                if shared is not None:
                    return shared
            leading = partial(lead.awaited, waiting)
            result = await executed(begin, context, self._hooks, leading)
            outcome = Outcome(result, context.tally)
            response = await self._kept(key, outcome, context, asked)
            if context.has_time:
                lead.outcome = outcome
        return response

    async def _shared(
        self, key: AnswerKey, lead: Lead, asked: "_Asked", waiting: Waiting
    ) -> Response | None:
        """Return the result of an equal query, None where it may not be shared."""
        outcome = await waiting(lead.follow())
        if outcome is None:
            return None
        if (known := await self._answers.find(key)) is not None:
            return self._remembered(key, known, asked)
        grounds, stale = outcome.tally.grounds, outcome.tally.stale
        if stale or not await self._answers.are_true(grounds):
            return None
        counts, measures = outcome.counts, outcome.tally.measures
        scope = asked.identity.scope if asked.identity else None
        shared = counts["coalesced"]
        facts = RequestFacts(asked.identifier, scope, 0, 0, shared, 0, measures)
        tell(self._hooks, lambda: facts)
        if asked.wants_trace:
            counts = {**counts, "estimate": outcome.tally.estimate}
        response = Response(HTTPStatus.OK, outcome.body_for(asked.identifier))
        return _answered(
            response, asked, counts, has_errors=bool(outcome.result.errors)
        )

    async def _kept(
        self, key: AnswerKey, outcome: Outcome, context: Context, asked: "_Asked"
    ) -> Response:
        """Return the response to a query that was executed, and cache it."""
        response = _result(outcome, context, asked)
        if outcome.body:
            await self._answers.keep(key, outcome.body, context.tally.grounds)
        return response

    async def _prepared(
        self, request: GraphQLRequest, asked: "_Asked", waiting: Waiting
    ) -> Prepared:
        """Return the document, checked by the limits before it costs anything."""
        self._operations.check_variables(request.variables, request.sent_bytes)
        preparing = self._operations.prepare(
            request.document,
            request.operation_name,
            has_token=asked.identity is not None,
        )
        if isinstance(preparing, Prepared):
            return preparing
        return await waiting(preparing)


class _Asked(msgspec.Struct, frozen=True):
    """What a request says beside its document."""

    method: str
    identifier: str
    identity: Identity | None
    directive: Directive
    takes: Accepted
    if_none_match: str | None
    wants_trace: bool
    address: str | None
    together: Together | None = None

    @property
    def visitor(self) -> Visitor:
        """Return who sends it."""
        scope = self.identity.scope if self.identity else None
        is_listed = self.together is not None
        return Visitor(self.identifier, scope, self.address, is_listed)


@dataclass(frozen=True, slots=True)
class _Stream:
    """Answers that are sent one by one."""

    answers: AsyncGenerator[bytes, None]


def _is_streamed(prepared: Prepared, asked: _Asked) -> bool:
    """Tell how an operation is answered; raises BadRequest where it can't be.

    Clients that take nothing but events are told single answers so, too.
    """
    if prepared.type_ is OperationType.MUTATION and asked.method == "GET":
        reason = "mutations are not allowed when using GET"
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason)
    is_subscription = prepared.type_ is OperationType.SUBSCRIPTION
    if is_subscription and not asked.takes.events:
        raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, STREAMED)
    return is_subscription or asked.takes.result is None


def _result(outcome: Outcome, context: Context, asked: _Asked) -> Response:
    """Return the response of an execution; `body` is kept of one without errors."""
    if outcome.result.errors:
        answer = answer_of(outcome.result, context, is_traced=asked.wants_trace)
        return json_response(HTTPStatus.OK, answer)
    outcome.body = encoded({"data": outcome.result.data})
    response = Response(HTTPStatus.OK, outcome.body)
    return _answered(response, asked, costs(context, is_traced=asked.wants_trace))


def _answered(
    response: Response, asked: _Asked, counts: Counts, *, has_errors: bool = False
) -> Response:
    """Return a response, with what it cost where that is said.

    One with errors has no entity tag: it is kept by nobody.
    """
    if counts["stale"] or asked.wants_trace:
        extensions = encoded({"glance": counts})
        parts = response.body[:-1], b',"extensions":', extensions, b"}"
        response = Response(HTTPStatus.OK, b"".join(parts))
    if asked.method != "GET" or has_errors:
        return response
    return conditional(response, asked.if_none_match)


def _refused(
    error: Exception, identifier: str, media_type: MediaType | None
) -> Response:
    """Return the answer to a request of which nothing was executed, or sent.

    What is wrong with a document or its variables is an answer of its own to
    clients that know only JSON, with status 200. Source: GraphQL over HTTP, 6.4.
    """
    refusal = refusal_of(error, identifier)
    is_answer = refusal.is_of_graphql and media_type is MediaType.JSON
    status = HTTPStatus.OK if is_answer else refusal.status
    response = json_response(status, {"errors": refusal.errors})
    if refusal.headers:
        return replace(response, headers=refusal.headers)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return replace(response, headers={"allow": "GET, POST"})
    return response
