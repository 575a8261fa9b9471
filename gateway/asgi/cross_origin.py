"""CORS: lets pages of other origins send requests."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.asgi.graphql.rejections import rejected_in_json

ALLOWED_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "If-None-Match",
    "X-Auth-Token",
    "X-Gateway-Trace",
    "X-OpenStack-Request-ID",
)
EXPOSED_HEADERS = "ETag", "Retry-After", "X-OpenStack-Request-ID"


class CrossOrigin(CORSMiddleware):
    """CORS for some origins; rejects a preflight in JSON, like other requests."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        """Allow requests from pages of these origins, `*` for all."""
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the response to a preflight request."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        status = HTTPStatus(response.status_code)
        reason = f"{bytes(response.body).decode()}."
        rejected = rejected_in_json(request_headers, status, "BAD_REQUEST", reason)
        for name, value in response.headers.items():
            rejected.headers.setdefault(name, value)
        return rejected
