"""Errors of calls to Glance that brought no usable response. Pure.

The error of a write says whether the write was sent.
"""

import aiohttp

from gateway.caller import BudgetSpent
from gateway.glance.body import BodyRejected
from gateway.glance.errors import (
    NOT_SENT,
    OUTCOME_OPEN,
    CallLimitReached,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
)
from gateway.glance.exchange import Exchange
from gateway.glance.transport import ResponseRejected

FAILURES = (aiohttp.ClientError, BodyRejected, ResponseRejected, TimeoutError)


def may_repeat(error: Exception, *, was_sent: bool, is_idempotent: bool) -> bool:
    """Return whether a call may be sent a second time, on a new connection.

    A call that was sent must be idempotent. Four cases: no connection was made
    because it was refused or closed, the connection was lost, the response is not
    HTTP, or the response may belong to another request.
    """
    match error:
        case TimeoutError():
            return False
        case aiohttp.ClientConnectorError():
            return isinstance(error.os_error, ConnectionError)
        case aiohttp.ClientOSError() | aiohttp.ServerDisconnectedError():
            return is_idempotent or not was_sent
        case aiohttp.ClientResponseError() | ResponseRejected():
            return is_idempotent
        case _:
            return False


def translated(
    error: Exception, purpose: str, exchange: Exchange, *, is_write: bool
) -> GlanceError:
    """Return the GlanceError for one of FAILURES."""
    kind = GlanceTimeout if isinstance(error, TimeoutError) else GlanceUnavailable
    outcome = OUTCOME_OPEN if exchange.was_sent else NOT_SENT
    reason = _reason(error, was_sent=exchange.was_sent)
    return kind(
        f"Could not {purpose}: {reason}.{outcome if is_write else ''}",
        request_id=exchange.request_id,
        was_sent=exchange.was_sent,
    )


def outcome_open(error: GlanceError) -> GlanceUnavailable:
    """Return the error for a write whose outcome could not be read, due to `error`."""
    reason = str(error).removesuffix(".")
    return GlanceUnavailable(
        f"{reason}.{OUTCOME_OPEN}", status=error.status, request_id=error.request_id
    )


def limit_reached(
    spent: BudgetSpent, purpose: str, exchange: Exchange
) -> CallLimitReached:
    """Return the error for a call beyond the limit of calls per request."""
    message = (
        f"Could not {purpose}: the request has made {spent.limit} calls to Glance,"
        " as many as it may."
    )
    return CallLimitReached(message, request_id=exchange.request_id, limit=spent.limit)


def _reason(error: Exception, *, was_sent: bool) -> str:
    match error:
        case TimeoutError():
            return "no response in time" if was_sent else "timed out"
        case BodyRejected():
            return f"Glance's response is {error}"
        case ResponseRejected():
            return f"the response {error}"
        case aiohttp.ClientPayloadError():
            return "Glance's response is cut off"
        case aiohttp.ClientResponseError():
            return "Glance's response is malformed"
        case _:
            return "Glance cannot be reached"
