"""HTTP responses, as bytes, to requests that do not reach the application."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from gateway.caller import new_request_id
from gateway.limits.exceeded import OVERLOADED
from gateway.schema.errors import request_error
from gateway.server.limits import HEAD_MAX_BYTES, HEADERS_MAX


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a request is rejected."""

    status: HTTPStatus
    code: str
    reason: str

    def response(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the complete response; the connection closes after it."""
        identifier = new_request_id()
        error = request_error(self.code, self.reason, identifier)
        body = orjson.dumps({"errors": [error]})
        all_headers = [
            *headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"x-openstack-request-id", identifier.encode()),
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 %d %s" % (self.status, self.status.phrase.encode())]
        lines += [b"%s: %s" % header for header in all_headers]
        return b"\r\n".join([*lines, b"", body])


MALFORMED = Rejection(
    HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "The request is not valid HTTP/1.1."
)
HEAD_TOO_LARGE = Rejection(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "BAD_REQUEST",
    f"The request line and headers are larger than {HEAD_MAX_BYTES} bytes, or more"
    f" than {HEADERS_MAX} headers.",
)
TOO_SLOW = Rejection(
    HTTPStatus.REQUEST_TIMEOUT, "BAD_REQUEST", "The request took too long to arrive."
)
TOO_MANY_CONNECTIONS = Rejection(
    HTTPStatus.SERVICE_UNAVAILABLE,
    OVERLOADED,
    "This worker has as many connections as it may have: try again later.",
)
TOO_MUCH_HELD = Rejection(
    HTTPStatus.SERVICE_UNAVAILABLE,
    OVERLOADED,
    "This worker is receiving as many requests as it may hold: try again later.",
)
