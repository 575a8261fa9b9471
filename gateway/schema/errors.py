"""Errors as clients see them.

One table gives each GlanceError its code. What Glance's answer lacks becomes
GLANCE_UNAVAILABLE, what the client's document lacks has GraphQL's own codes,
and everything else is masked and logged.
"""

import logging
from collections.abc import Mapping

from graphql import FieldNode, GraphQLError, GraphQLSyntaxError

from gateway.glance.errors import (
    Conflict,
    Forbidden,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    Gone,
    InvalidArgument,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Unauthenticated,
    Unsupported,
)
from gateway.watching.watches import TooManySubscribers

CODES: Mapping[type[GlanceError], str] = {
    Unauthenticated: "UNAUTHENTICATED",
    Forbidden: "FORBIDDEN",
    NotFound: "NOT_FOUND",
    InvalidRequest: "BAD_USER_INPUT",
    Conflict: "CONFLICT",
    Gone: "GONE",
    QuotaExceeded: "QUOTA_EXCEEDED",
    Unsupported: "UNSUPPORTED_BY_CLOUD",
    GlanceUnavailable: "GLANCE_UNAVAILABLE",
    GlanceTimeout: "GLANCE_TIMEOUT",
}

TOO_MANY = "TOO_MANY_SUBSCRIPTIONS"
TOO_MANY_HERE = "This worker has as many subscriptions as it may have: try again later."

logger = logging.getLogger(__name__)

Formatted = dict[str, object]


def present(error: GraphQLError, request_id: str, *, was_executed: bool) -> Formatted:
    """Return the error as the answer shows it.

    `was_executed` tells an operation's error from its document's. `extensions`
    holds `code` and `requestId`; for a failed call to Glance also
    `status`, its HTTP status (null without an answer), and `service`; for a
    refused argument also `argument`.
    """
    message, extensions = _shown(error, request_id, was_executed=was_executed)
    return {
        **error.formatted,
        "message": message,
        "extensions": {"requestId": request_id, **extensions},
    }


def warning(outage: GlanceError) -> Formatted:
    """Return what `extensions` tell of an outage that a subscription survives."""
    return {"message": str(outage), "extensions": _glance_extensions(outage)}


def request_error(code: str, message: str, request_id: str) -> Formatted:
    """Return the error of a request that was not executed."""
    return {"message": message, "extensions": {"code": code, "requestId": request_id}}


def _shown(
    error: GraphQLError, request_id: str, *, was_executed: bool
) -> tuple[str, Formatted]:
    """Return the message and the extensions, without the request id we gave."""
    match error.original_error:
        case GlanceError() as failure:
            return str(failure), _glance_extensions(failure)
        case InvalidArgument() as refused:
            extensions: Formatted = {
                "code": "BAD_USER_INPUT",
                "argument": refused.argument,
            }
            return str(refused), extensions
        case TooManySubscribers():
            return TOO_MANY_HERE, {"code": TOO_MANY}
        case None | GraphQLError() if _is_of_the_client(error):
            return error.message, {
                "code": _request_code(error, was_executed=was_executed)
            }
        case original if _is_unfit(original):
            return _unfit(error), {"code": "GLANCE_UNAVAILABLE", "service": "glance"}
        case original:
            logger.error("request %s failed", request_id, exc_info=original)
            return "Internal server error.", {"code": "INTERNAL_SERVER_ERROR"}


def _glance_extensions(failure: GlanceError) -> Formatted:
    extensions: Formatted = {
        "code": CODES[type(failure)],
        "status": failure.status,
        "service": "glance",
    }
    if failure.request_id:
        extensions["requestId"] = failure.request_id
    return extensions


def _is_of_the_client(error: GraphQLError) -> bool:
    """Tell whether document, variables or arguments are wrong.

    Completion's errors are located at a field, those of arguments at a value.
    """
    nodes = error.nodes or []
    return error.path is None or not any(isinstance(node, FieldNode) for node in nodes)


def _request_code(error: GraphQLError, *, was_executed: bool) -> str:
    if was_executed:
        return "BAD_USER_INPUT"
    is_syntax = isinstance(error, GraphQLSyntaxError)
    return "GRAPHQL_PARSE_FAILED" if is_syntax else "GRAPHQL_VALIDATION_FAILED"


def _is_unfit(original: Exception | None) -> bool:
    """Tell whether completion failed: a value that is not of its field's type.

    graphql-core raises GraphQLError for it and, for a missing one, TypeError.
    """
    if isinstance(original, TypeError):
        return str(original).startswith("Cannot return null for non-nullable field")
    return original is None or isinstance(original, GraphQLError)


def _unfit(error: GraphQLError) -> str:
    path = ".".join(str(step) for step in error.path or ())
    return f"Glance's answer is missing what {path} needs, or has another type there."
