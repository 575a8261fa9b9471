"""The endpoint: an HTTP request in, the answer of the schema out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.types import Receive, Scope, Send

from gateway.asgi.connected import while_connected
from gateway.asgi.credentials import identity_in
from gateway.asgi.directives import directive_in, wants_trace
from gateway.asgi.http_request import (
    BadRequest,
    ClientLeft,
    GraphQLRequest,
    Headers,
    headers_of,
    parse_request,
    read_request,
)
from gateway.asgi.http_response import (
    Response,
    Unencodable,
    conditional,
    encoded,
    json_response,
    respond,
)
from gateway.asgi.request_id import HEADER, request_id
from gateway.asgi.streams import unknown_operation
from gateway.cache.answer import AnswerKey, RememberedAnswer
from gateway.cache.answers import Answers
from gateway.caller import Directive
from gateway.context import Contexts
from gateway.execution.document_cache import InvalidDocument, Prepared, UnknownOperation
from gateway.execution.operations import Operations
from gateway.facts import Hook, RequestFacts, tell
from gateway.identity import InvalidToken
from gateway.schema.errors import present, request_error

OPERATIONS = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}
PLURALS = {
    OperationType.MUTATION: "mutations",
    OperationType.SUBSCRIPTION: "subscriptions",
}

logger = logging.getLogger(__name__)

Answer = dict[str, object]
Counts = dict[str, int]


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL over HTTP."""

    def __init__(
        self,
        operations: Operations,
        contexts: Contexts,
        answers: Answers,
        *,
        with_service_token: bool,
        hooks: Sequence[Hook],
    ) -> None:
        """Execute each request in a context of its own.

        `hooks` are given the RequestFacts of each request that was executed or
        whose answer is remembered.
        """
        self._operations = operations
        self._contexts = contexts
        self._answers = answers
        self._with_service_token = with_service_token
        self._hooks = hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves is not answered."""
        headers = headers_of(scope)
        identifier = request_id(headers.get(HEADER))
        try:
            response = await self._respond(scope, headers, receive, identifier)
        except ClientLeft:
            return
        except BadRequest as error:
            response = _refused(error.status, "BAD_REQUEST", str(error), identifier)
        except InvalidToken as error:
            status = HTTPStatus.UNAUTHORIZED
            response = _refused(status, "UNAUTHENTICATED", str(error), identifier)
        except Unencodable:
            logger.exception("request %s failed", identifier)
            status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error."
            response = _refused(status, "INTERNAL_SERVER_ERROR", reason, identifier)
        if scope["method"] == "GET" and "etag" not in response.headers:
            not_kept = {**response.headers, "cache-control": "no-store"}
            response = replace(response, headers=not_kept)
        await respond(send, response, (HEADER.encode(), identifier.encode()))

    async def _respond(
        self, scope: Scope, headers: Headers, receive: Receive, identifier: str
    ) -> Response:
        """Return what is remembered of an equal request, else execute this one."""
        method = scope["method"]
        asked_for = await read_request(scope, headers, receive)
        identity = identity_in(headers, with_service_token=self._with_service_token)
        key = AnswerKey(identity, method.encode() + b" " + asked_for)
        directive = directive_in(headers)
        asked = _Asked(method, headers, identifier, key, directive)
        known = None
        if directive is Directive.NONE:
            known = await self._answers.find(key)
        if known is not None:
            return self._remembered(known, asked)
        request = parse_request(method, asked_for)
        return await self._executed(request, asked, receive)

    def _remembered(self, known: RememberedAnswer, asked: "_Asked") -> Response:
        counts = {"calls": 0, "cached": known.reads, "coalesced": 0, "stale": 0}
        identity = asked.key.identity
        scope = identity.scope if identity else None
        tell(self._hooks, lambda: RequestFacts(asked.identifier, scope, **counts))
        return _answered(known.body, asked, counts)

    async def _executed(
        self, request: GraphQLRequest, asked: "_Asked", receive: Receive
    ) -> Response:
        """Return the answer; one that rests on remembered reads is remembered."""
        prepared = self._prepared(request, asked)
        if isinstance(prepared, Response):
            return prepared
        identity, directive = asked.key.identity, asked.directive
        context = self._contexts.new(identity, asked.identifier, directive)
        try:
            begun = self._operations.execute(prepared, request.variables, context)
            if isinstance(begun, ExecutionResult):
                result = begun
            else:
                result = await while_connected(receive, begun)
        finally:
            tell(self._hooks, context.facts)
        if result.errors:
            errors = _with_errors(result.errors, asked, was_executed=True)
            answer = {"data": result.data, **errors}
            return _partial(answer, asked, context.tally.counts)
        body = encoded({"data": result.data})
        if prepared.type_ is OperationType.QUERY:
            await self._answers.keep(asked.key, body, context.tally.grounds)
        return _answered(body, asked, context.tally.counts)

    def _prepared(
        self, request: GraphQLRequest, asked: "_Asked"
    ) -> Prepared | Response:
        """Return the document; raises BadRequest for a wrong operation."""
        name = request.operation_name
        try:
            prepared = self._operations.prepare(request.document, name)
        except InvalidDocument as error:
            answer = _with_errors(error.errors, asked, was_executed=False)
            return json_response(HTTPStatus.OK, {"data": None, **answer})
        except UnknownOperation as error:
            reason = unknown_operation(name)
            raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error
        if prepared.type_ not in OPERATIONS[asked.method]:
            plural = PLURALS[prepared.type_]
            reason = f"{plural} are not allowed when using {asked.method}"
            raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason)
        return prepared


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request says beside its document."""

    method: str
    headers: Headers = field(repr=False)
    identifier: str
    key: AnswerKey
    directive: Directive


def _answered(body: bytes, asked: _Asked, counts: Counts) -> Response:
    """Return an answer without errors, with what it cost where that is said."""
    if counts["stale"] or wants_trace(asked.headers):
        extensions = encoded({"glance": counts})
        body = b"".join((body[:-1], b',"extensions":', extensions, b"}"))
    response = Response(HTTPStatus.OK, body)
    return conditional(response, asked.headers) if asked.method == "GET" else response


def _partial(answer: Answer, asked: _Asked, counts: Counts) -> Response:
    """Return an answer with errors, with what it cost where that is said."""
    if counts["stale"] or wants_trace(asked.headers):
        answer["extensions"] = {"glance": counts}
    return json_response(HTTPStatus.OK, answer)


def _with_errors(
    errors: Sequence[GraphQLError], asked: _Asked, *, was_executed: bool
) -> Answer:
    return {
        "errors": [
            present(error, asked.identifier, was_executed=was_executed)
            for error in errors
        ]
    }


def _refused(status: HTTPStatus, code: str, reason: str, identifier: str) -> Response:
    errors = [request_error(code, reason, identifier)]
    response = json_response(status, {"errors": errors})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return replace(response, headers={"allow": "GET, POST"})
    return response
