"""What is answered where no GraphQL is: JSON with `errors`, as everywhere."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.asgi.request_id import HEADER, request_id
from gateway.schema.errors import request_error

Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]


async def no_such_path(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to an HTTPException, of Starlette's routing most often."""
    assert isinstance(error, HTTPException)  # noqa: S101 - all it is registered for
    identifier = request_id(request.headers.get(HEADER))
    status = HTTPStatus(error.status_code)
    reason = f"{status.phrase}: {request.url.path}. GraphQL is at /graphql."
    answer = {"errors": [request_error("BAD_REQUEST", reason, identifier)]}
    headers = {**(error.headers or {}), HEADER: identifier}
    return JSONResponse(answer, status, headers)


async def failed(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a bug of ours, which Starlette raises on, to be logged."""
    del error
    identifier = request_id(request.headers.get(HEADER))
    code, reason = "INTERNAL_SERVER_ERROR", "Internal server error."
    answer = {"errors": [request_error(code, reason, identifier)]}
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse(answer, status, {HEADER: identifier})


HANDLERS: Mapping[type[Exception], Handler] = {
    HTTPException: no_such_path,
    Exception: failed,
}
