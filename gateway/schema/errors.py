"""Errors as clients see them.

One table gives each GlanceError its code. What Glance's answer lacks becomes
GLANCE_UNAVAILABLE, what the client's document lacks has GraphQL's own codes,
and everything else is masked and logged.
"""

import logging
from collections.abc import Mapping, Sequence

from graphql import FieldNode, GraphQLError, GraphQLSyntaxError

from gateway.execution.tracebacks import drop_tracebacks
from gateway.glance.errors import (
    CallLimitReached,
    Conflict,
    Forbidden,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    Gone,
    InvalidArgument,
    InvalidRequest,
    MalformedRecord,
    NotFound,
    QuotaExceeded,
    TooManyRequests,
    TooManyWaiting,
    Unauthenticated,
    Unsupported,
)
from gateway.limits import cost
from gateway.limits.exceeded import LimitExceeded
from gateway.schema.messages import bounded

CODES: Mapping[type[GlanceError], str] = {
    Unauthenticated: "UNAUTHENTICATED",
    Forbidden: "FORBIDDEN",
    NotFound: "NOT_FOUND",
    InvalidRequest: "BAD_USER_INPUT",
    Conflict: "CONFLICT",
    Gone: "GONE",
    QuotaExceeded: "QUOTA_EXCEEDED",
    Unsupported: "UNSUPPORTED_BY_CLOUD",
    CallLimitReached: cost.CODE,
    GlanceUnavailable: "GLANCE_UNAVAILABLE",
    TooManyRequests: "TOO_MANY_REQUESTS",
    TooManyWaiting: "TOO_MANY_WAITING",
    GlanceTimeout: "GLANCE_TIMEOUT",
    MalformedRecord: "GLANCE_UNAVAILABLE",
}

# Of one request, and of the places in its document that one error names.
MAX_ERRORS = 20
# Each mutation of a request says whether it was sent.
MAX_ERRORS_OF_MUTATIONS = 150
MAX_LOCATIONS = 10
OMITTED = "ERRORS_OMITTED"

logger = logging.getLogger(__name__)

Formatted = dict[str, object]


def presented(
    errors: Sequence[GraphQLError],
    request_id: str,
    *,
    was_executed: bool,
    most: int = MAX_ERRORS,
) -> list[Formatted]:
    """Return the errors of an operation, or of its document, as clients see them.

    At most `most`: of more, the last entry tells how many are left out. They hold on
    to nothing of the request from then on.
    """
    shown = errors if len(errors) <= most else errors[: most - 1]
    entries = [present(one, request_id, was_executed=was_executed) for one in shown]
    omitted = len(errors) - len(shown)
    if omitted:
        message = f"{omitted} more errors are left out."
        entry = request_error(OMITTED, message, request_id, omitted=omitted)
        entries.append(entry)
    drop_tracebacks(errors)
    return entries


def present(error: GraphQLError, request_id: str, *, was_executed: bool) -> Formatted:
    """Return the error as the response shows it.

    `was_executed` tells an operation's error from its document's. `extensions`
    holds `code` and `requestId`; for a failed call to Glance also
    `status`, its HTTP status (null without a response), `service`, and `retryAfter`
    in seconds where the response says it; for a malformed record also `id`; for a
    rejected argument also `argument`.
    """
    message, extensions = _shown(error, request_id, was_executed=was_executed)
    formatted: Formatted = {
        **error.formatted,
        "message": bounded(message),
        "extensions": {"requestId": request_id, **extensions},
    }
    if error.locations is not None:
        locations = error.locations[:MAX_LOCATIONS]
        formatted["locations"] = [one.formatted for one in locations]
    return formatted


def warning(outage: GlanceError) -> Formatted:
    """Return what `extensions` tell of an outage that a subscription survives."""
    return {"message": str(outage), "extensions": _glance_extensions(outage)}


def request_error(
    code: str, message: str, request_id: str, **facts: object
) -> Formatted:
    """Return the error of a request that was not executed.

    `facts` are put into its extensions.
    """
    extensions = {"code": code, "requestId": request_id, **facts}
    return {"message": bounded(message), "extensions": extensions}


def limit_error(exceeded: LimitExceeded, request_id: str) -> Formatted:
    """Return the error of a request that a limit rejects."""
    extensions = {"requestId": request_id, **_limit_extensions(exceeded)}
    return {"message": bounded(str(exceeded)), "extensions": extensions}


def _shown(
    error: GraphQLError, request_id: str, *, was_executed: bool
) -> tuple[str, Formatted]:
    """Return the message and the extensions, without the request id we gave."""
    match error.original_error:
        case GlanceError() | InvalidArgument() | LimitExceeded() as expected:
            return _expected(expected)
        case None | GraphQLError() if _is_of_the_client(error):
            return error.message, {
                "code": _request_code(error, was_executed=was_executed)
            }
        case original if _is_unfit(original):
            return _unfit(error), {"code": "GLANCE_UNAVAILABLE", "service": "glance"}
        case original:
            logger.error("request %s failed", request_id, exc_info=original)
            return "Internal server error.", {"code": "INTERNAL_SERVER_ERROR"}


def _expected(
    error: GlanceError | InvalidArgument | LimitExceeded,
) -> tuple[str, Formatted]:
    match error:
        case GlanceError():
            return str(error), _glance_extensions(error)
        case InvalidArgument():
            return str(error), {"code": "BAD_USER_INPUT", "argument": error.argument}
        case LimitExceeded():
            return str(error), _limit_extensions(error)


def _limit_extensions(exceeded: LimitExceeded) -> Formatted:
    return {"code": exceeded.code, **exceeded.extensions}


def _glance_extensions(failure: GlanceError) -> Formatted:
    if isinstance(failure, CallLimitReached):
        limit = failure.limit
        return {"code": cost.CODE, "measured": limit + 1, "limit": limit}
    extensions: Formatted = {
        "code": CODES[type(failure)],
        "status": failure.status,
        "service": "glance",
    }
    if failure.retry_after_seconds is not None:
        extensions["retryAfter"] = failure.retry_after_seconds
    if failure.request_id:
        extensions["requestId"] = failure.request_id
    if isinstance(failure, MalformedRecord):
        extensions["id"] = failure.record_id
    return extensions


def _is_of_the_client(error: GraphQLError) -> bool:
    """Return whether document, variables or arguments are wrong.

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
    """Return whether completion failed: a value that is not of its field's type.

    graphql-core raises GraphQLError for it and, for a missing one, TypeError.
    """
    if isinstance(original, TypeError):
        return str(original).startswith("Cannot return null for non-nullable field")
    return original is None or isinstance(original, GraphQLError)


def _unfit(error: GraphQLError) -> str:
    path = ".".join(str(step) for step in error.path or ())
    return f"Glance's answer is missing what {path} needs, or has another type there."
