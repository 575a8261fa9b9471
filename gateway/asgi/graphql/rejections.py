"""Converts errors to the rejections and failures that clients receive."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from msgspec.structs import replace
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from gateway.asgi.graphql.media_types import MediaType
from gateway.asgi.graphql.request import BadRequest, PersistedQueryNotSupported
from gateway.asgi.graphql.response import Response, json_response
from gateway.asgi.request_id import HEADER, request_id
from gateway.execution.operations import InvalidVariables
from gateway.execution.preparation import InvalidDocument, UnknownOperation
from gateway.identity import InvalidToken
from gateway.limits.anonymous import MissingToken
from gateway.limits.exceeded import LimitExceeded
from gateway.limits.rate import RateLimited
from gateway.schema.errors import Formatted, limit_error, presented, request_error

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The errors of a failed request, and its HTTP status if nothing was sent yet.

    `is_of_graphql`: the HTTP request is valid, but its document, its variables or
    its token is not. `headers` are sent with the status.
    """

    status: HTTPStatus
    errors: Sequence[Formatted]
    is_of_graphql: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def rejection_of(error: Exception, identifier: str) -> Rejection:
    """Return the rejection for an error; an unexpected error (a bug) is logged."""
    status, code, reason = HTTPStatus.BAD_REQUEST, "BAD_REQUEST", str(error)
    is_of_graphql = False
    match error:
        case InvalidDocument() | InvalidVariables():
            was_executed = isinstance(error, InvalidVariables)
            errors = presented(error.errors, identifier, was_executed=was_executed)
            return Rejection(status, errors, is_of_graphql=True)
        case LimitExceeded():
            is_of_graphql = error.status is HTTPStatus.BAD_REQUEST
            entry = limit_error(error, identifier)
            headers = _headers(error)
            return Rejection(error.status, [entry], is_of_graphql, headers)
        case MissingToken():
            status, code = HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED"
            is_of_graphql = True
        case PersistedQueryNotSupported():
            code, is_of_graphql = error.CODE, True
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
    entry = request_error(code, reason, identifier)
    return Rejection(status, [entry], is_of_graphql=is_of_graphql)


def rejection_response(
    error: Exception, identifier: str, media_type: MediaType | None
) -> Response:
    """Return the response to a request that failed before its result was sent.

    Clients that accept only application/json get status 200 for an error in the
    document or its variables. Source: GraphQL over HTTP, section 6.4.
    """
    rejection = rejection_of(error, identifier)
    is_result = rejection.is_of_graphql and media_type is MediaType.JSON
    status = HTTPStatus.OK if is_result else rejection.status
    response = json_response(status, {"errors": rejection.errors})
    if rejection.headers:
        return replace(response, headers=rejection.headers)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return replace(response, headers={"allow": "GET, POST"})
    return response


def _headers(exceeded: LimitExceeded) -> Mapping[str, str]:
    """Return the HTTP headers for an exceeded limit. Source: RFC 6585, section 4."""
    if isinstance(exceeded, RateLimited) and exceeded.retry_after_seconds is not None:
        return {"retry-after": str(exceeded.retry_after_seconds)}
    return {}


def rejected_in_json(
    headers: Headers, status: HTTPStatus, code: str, reason: str
) -> JSONResponse:
    """Return the JSON response to a rejected request other than GraphQL's."""
    identifier = request_id(headers.get(HEADER))
    body = {"errors": [request_error(code, reason, identifier)]}
    return JSONResponse(body, status, {HEADER: identifier})
