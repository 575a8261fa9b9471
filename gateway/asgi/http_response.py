"""A GraphQL answer as HTTP carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
from starlette.types import Send

from gateway.asgi.http_request import Headers
from gateway.cache.answer import etag

JSON = (b"content-type", b"application/json")
# A browser may keep the answer of a GET, for this token, and asks each time.
PRIVATE = {
    "cache-control": "private, no-cache",
    "vary": "X-Auth-Token, X-AUTH_TOKEN, Authorization",
}


_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Response:
    """Status, JSON body and headers beside those that every answer has."""

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Unencodable(Exception):
    """An answer that can't be sent."""


def encoded(answer: object) -> bytes:
    """Return the answer as JSON; plans put msgspec's Structs into it.

    Raises Unencodable for what JSON can't hold, or holds too deeply.
    """
    try:
        return _encoder.encode(answer)
    except (RecursionError, TypeError, ValueError) as error:
        raise Unencodable from error


def json_response(status: HTTPStatus, answer: object) -> Response:
    """Return a response with the answer as JSON."""
    return Response(status, encoded(answer))


def conditional(response: Response, headers: Headers) -> Response:
    """Return the response with its entity tag, without a body if that is known.

    Source: RFC 9110, section 13.1.2; tags compare weakly.
    """
    tag = etag(response.body)
    known = [
        one.strip().removeprefix("W/")
        for one in headers.get("if-none-match", "").split(",")
    ]
    is_known = tag in known or known == ["*"]
    status = HTTPStatus.NOT_MODIFIED if is_known else response.status
    body = b"" if is_known else response.body
    return Response(status, body, {"etag": tag, **PRIVATE})


async def respond(send: Send, response: Response, own: tuple[bytes, bytes]) -> None:
    """Send the response with one more header."""
    headers = [own]
    if response.status != HTTPStatus.NOT_MODIFIED:
        length = str(len(response.body)).encode()
        headers += JSON, (b"content-length", length)
    if response.headers:
        headers += [
            (name.encode(), value.encode()) for name, value in response.headers.items()
        ]
    start = {"type": "http.response.start", "status": response.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
