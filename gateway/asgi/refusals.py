"""Why a request is refused, or an answer of it fails, as clients are told."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from gateway.asgi.http_request import BadRequest
from gateway.asgi.request_id import HEADER, request_id
from gateway.execution.document_cache import InvalidDocument, UnknownOperation
from gateway.execution.operations import InvalidVariables
from gateway.identity import InvalidToken
from gateway.schema.errors import Formatted, present, request_error

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The errors, and the HTTP status where nothing was sent before.

    `is_of_graphql` tells that the HTTP request was right and its document or
    variables are not.
    """

    status: HTTPStatus
    errors: Sequence[Formatted]
    is_of_graphql: bool = False


def refusal_of(error: Exception, identifier: str) -> Refusal:
    """Return what a client is told; an error that is a bug of ours is logged."""
    status, code, reason = HTTPStatus.BAD_REQUEST, "BAD_REQUEST", str(error)
    match error:
        case InvalidDocument() | InvalidVariables():
            was_executed = isinstance(error, InvalidVariables)
            errors = presented(error.errors, identifier, was_executed=was_executed)
            return Refusal(status, errors, is_of_graphql=True)
        case UnknownOperation():
            pass
        case BadRequest():
            status = error.status
        case InvalidToken():
            status, code = HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED"
        case _:
            logger.error("request %s failed", identifier, exc_info=error)
            status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR"
            reason = "Internal server error."
    return Refusal(status, [request_error(code, reason, identifier)])


def refused_in_json(
    headers: Headers, status: HTTPStatus, code: str, reason: str
) -> JSONResponse:
    """Return the answer to a request, of these headers, that is none of GraphQL's."""
    identifier = request_id(headers.get(HEADER))
    answer = {"errors": [request_error(code, reason, identifier)]}
    return JSONResponse(answer, status, {HEADER: identifier})


def presented(
    errors: Sequence[GraphQLError], identifier: str, *, was_executed: bool
) -> list[Formatted]:
    """Return the errors of an operation, or of its document, as clients see them."""
    return [present(error, identifier, was_executed=was_executed) for error in errors]
