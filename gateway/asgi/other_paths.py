"""Responses to other paths than GraphQL's: JSON with `errors`, as everywhere."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.asgi.graphql.rejections import rejected_in_json

Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]


async def no_such_path(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an HTTPException, usually of Starlette's routing."""
    assert isinstance(error, HTTPException)  # noqa: S101 - all it is registered for
    status = HTTPStatus(error.status_code)
    reason = f"{status.phrase}: {request.url.path}. GraphQL is at /graphql."
    rejected = rejected_in_json(request.headers, status, "BAD_REQUEST", reason)
    rejected.headers.update(error.headers or {})
    return rejected


async def failed(request: Request, error: Exception) -> JSONResponse:
    """Return the response to a bug of ours; Starlette re-raises it to be logged."""
    del error
    code, reason = "INTERNAL_SERVER_ERROR", "Internal server error."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return rejected_in_json(request.headers, status, code, reason)


HANDLERS: Mapping[type[Exception], Handler] = {
    HTTPException: no_such_path,
    Exception: failed,
}
