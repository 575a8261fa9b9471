"""Errors of calls to Glance without a usable response. Pure.

The error message of a write includes whether the write was sent.
"""

from collections.abc import Sequence

import aiohttp
from aiohttp.http_exceptions import LineTooLong

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

# The message of aiohttp's parser for more headers than it accepts.
TOO_MANY_HEADERS = "Too many headers"

# The first class that matches an error counts.
_CAUSES: Sequence[tuple[type[Exception], str]] = (
    (aiohttp.ConnectionTimeoutError, "no connection to Glance in time"),
    (aiohttp.ClientPayloadError, "Glance's response is cut off"),
    (
        aiohttp.ServerDisconnectedError,
        "Glance closed the connection without a complete response",
    ),
    (Exception, "the connection to Glance was cut"),
)
_NO_CONNECTION: Sequence[tuple[type[Exception], str]] = (
    (aiohttp.ClientProxyConnectionError, "the HTTP proxy cannot be reached"),
    (aiohttp.ClientConnectorDNSError, "the host name of Glance cannot be resolved"),
    (aiohttp.ClientConnectorSSLError, "the TLS handshake with Glance failed"),
    (Exception, "no connection to Glance can be opened"),
)


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


def is_lost_connection(error: Exception) -> bool:
    """Return whether the connection was lost, rather than a response rejected."""
    return isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError)


def translated(
    error: Exception, purpose: str, exchange: Exchange, *, is_write: bool
) -> GlanceError:
    """Return the GlanceError for one of FAILURES."""
    kind = GlanceTimeout if isinstance(error, TimeoutError) else GlanceUnavailable
    outcome = OUTCOME_OPEN if exchange.was_sent else NOT_SENT
    return kind(
        f"Could not {purpose}: {cause(error, was_sent=exchange.was_sent)}."
        f"{outcome if is_write else ''}",
        request_id=exchange.request_id,
        was_sent=exchange.was_sent,
    )


def outcome_open(error: GlanceError) -> GlanceUnavailable:
    """Return the error for a write whose outcome could not be read, due to `error`."""
    unavailable = GlanceUnavailable(
        str(error), status=error.status, request_id=error.request_id
    )
    unavailable.note_open_outcome()
    return unavailable


def limit_reached(
    spent: BudgetSpent, purpose: str, exchange: Exchange
) -> CallLimitReached:
    """Return the error for a call beyond the limit of calls per request."""
    message = (
        f"Could not {purpose}: the request has made {spent.limit} calls to Glance,"
        " as many as it may."
    )
    return CallLimitReached(message, request_id=exchange.request_id, limit=spent.limit)


def cause(error: Exception, *, was_sent: bool) -> str:
    """Return what failed, for clients and the log, as one of a few sentences."""
    match error:
        case BodyRejected():
            return f"Glance's response is {error}"
        case ResponseRejected():
            return f"the response {error}"
        case aiohttp.ClientResponseError():
            return _malformation(error)
        case aiohttp.ClientConnectorError():
            return _no_connection(error)
        case TimeoutError() if not isinstance(error, aiohttp.ConnectionTimeoutError):
            return "no response in time" if was_sent else "timed out"
    return next(text for kind, text in _CAUSES if isinstance(error, kind))


def detail(error: Exception) -> str:
    """Return details for the log beside the cause, without response contents."""
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = getattr(error, "certificate_error", None) or error.os_error
        return f"{error.host}:{error.port}: {reason}"
    has_url = isinstance(error, TimeoutError)
    return str(error) if isinstance(error, OSError) and not has_url else ""


def _malformation(error: aiohttp.ClientResponseError) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the HTTP proxy does not connect to Glance (status {error.status})"
    reason: BaseException | None = error
    while reason is not None and not isinstance(reason, LineTooLong):
        reason = reason.__cause__
    if reason is not None or TOO_MANY_HEADERS in error.message:
        return "the headers of Glance's response are too large"
    return "Glance's response is malformed"


def _no_connection(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _distrust(error.certificate_error)
    is_proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
    if isinstance(error.os_error, ConnectionRefusedError) and not is_proxy:
        return "the connection to Glance was refused"
    return next(text for kind, text in _NO_CONNECTION if isinstance(error, kind))


def _distrust(error: Exception) -> str:
    """Return why a certificate is not trusted. Source: OpenSSL's x509_vfy.h."""
    match getattr(error, "verify_code", None):
        case 9 | 10:
            return "Glance's certificate has expired, or is not valid yet"
        case 2 | 18 | 19 | 20 | 21:
            return "Glance's certificate has an unknown issuer"
        case 62 | 64:
            return "Glance's certificate is for another host name"
        case _:
            return "Glance's certificate is not trusted"
