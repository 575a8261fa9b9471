"""The endpoint: an HTTP request in, the answer of the schema out."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus

import orjson
import strawberry
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import (
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.asgi.connected import while_connected
from gateway.asgi.credentials import identity_in
from gateway.asgi.directives import directive_in, wants_trace
from gateway.asgi.http_request import BadRequest, GraphQLRequest, read_request
from gateway.asgi.request_id import HEADER, request_id
from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.context import Context
from gateway.facts import Hook, tell
from gateway.identity import InvalidToken
from gateway.schema.errors import present, request_error

OPERATIONS = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}

Answer = dict[str, object]


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL over HTTP."""

    def __init__(
        self,
        schema: strawberry.Schema,
        catalog: Catalog,
        *,
        timeout_seconds: float,
        with_service_token: bool,
        hooks: Sequence[Hook],
    ) -> None:
        """Answer from `catalog`; a request's reads end within `timeout_seconds`.

        `hooks` are given the RequestFacts of each request that was executed.
        """
        self._schema = schema
        self._catalog = catalog
        self._timeout_seconds = timeout_seconds
        self._with_service_token = with_service_token
        self._hooks = hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves is not answered."""
        request = Request(scope, receive)
        identifier = request_id(request.headers.get(HEADER))
        try:
            response = await self._respond(request, identifier)
        except ClientDisconnect:
            return
        if response is not None:
            response.headers[HEADER] = identifier
            await response(scope, receive, send)

    async def _respond(self, request: Request, identifier: str) -> Response | None:
        try:
            asked = await read_request(request)
            context = self._context(request, identifier)
            answer = await while_connected(
                request.receive, self._answer(request, asked, context)
            )
        except BadRequest as error:
            return _refused(error.status, "BAD_REQUEST", str(error), identifier)
        except InvalidToken as error:
            status = HTTPStatus.UNAUTHORIZED
            return _refused(status, "UNAUTHENTICATED", str(error), identifier)
        return None if answer is None else _json_response(HTTPStatus.OK, answer)

    def _context(self, request: Request, identifier: str) -> Context:
        identity = identity_in(
            request.headers, with_service_token=self._with_service_token
        )
        if identity is None:
            return Context(identifier, None, self._catalog)
        deadline_at = asyncio.get_running_loop().time() + self._timeout_seconds
        directive = directive_in(request.headers)
        caller = Caller(identity, identifier, deadline_at, directive)
        return Context(identifier, caller, self._catalog)

    async def _answer(
        self, request: Request, asked: GraphQLRequest, context: Context
    ) -> Answer:
        """Return the answer, with what it cost where that is to be said."""
        try:
            answer = await self._execute(request.method, asked, context)
        finally:
            tell(self._hooks, context.facts())
        tally = context.tally
        if tally.stale or wants_trace(request.headers):
            answer["extensions"] = {"glance": asdict(tally)}
        return answer

    async def _execute(
        self, method: str, asked: GraphQLRequest, context: Context
    ) -> Answer:
        try:
            result = await self._schema.execute(
                asked.document,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=OPERATIONS[method],
            )
        except CannotGetOperationTypeError as error:
            reason = error.as_http_error_reason()
            raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error
        except InvalidOperationTypeError as error:
            reason = error.as_http_error_reason(method)
            raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason) from error
        answer: Answer = {"data": result.data}
        if result.errors:
            was_executed = not isinstance(result, PreExecutionError)
            answer["errors"] = [
                present(error, context.request_id, was_executed=was_executed)
                for error in result.errors
            ]
        return answer


def _refused(status: HTTPStatus, code: str, reason: str, identifier: str) -> Response:
    errors = [request_error(code, reason, identifier)]
    response = _json_response(status, {"errors": errors})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "GET, POST"
    return response


def _json_response(status: HTTPStatus, answer: Answer) -> Response:
    return Response(orjson.dumps(answer), status, media_type="application/json")
