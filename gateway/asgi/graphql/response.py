"""A GraphQL response over HTTP."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from http import HTTPStatus

import msgspec
from msgspec.structs import replace
from starlette.types import Send

from gateway.asgi.graphql.media_types import MediaType
from gateway.asgi.request_id import HEADER
from gateway.cache.cached_response import CachedResponse, ResponseKey
from gateway.schema.errors import request_error

ETAG_BYTES = 12
REQUEST_ID = HEADER.encode()
CONTENT_TYPES = {
    media_type: (b"content-type", f"{media_type.value}; charset=utf-8".encode())
    for media_type in MediaType
}
# A browser may cache the response to a GET for this token, and revalidates it
# each time.
PRIVATE = {
    "cache-control": "private, no-cache",
    "vary": "Accept, Accept-Encoding, X-Auth-Token, X-AUTH_TOKEN, Authorization",
}


_encoder = msgspec.json.Encoder()


class Response(msgspec.Struct, frozen=True):
    """Status, JSON body, and headers besides those of every response.

    `cached` is the cache entry, with its key, that has exactly this body.
    """

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = {}
    cached: tuple[ResponseKey, CachedResponse] | None = None


class Unencodable(Exception):
    """A response that can't be encoded as JSON."""


def encoded(value: object) -> bytes:
    """Return the value as JSON; compiled plans return msgspec Structs in it.

    Raises Unencodable if it is nested too deeply or JSON can't represent it.
    """
    try:
        return _encoder.encode(value)
    except (RecursionError, TypeError, ValueError) as error:
        raise Unencodable from error


def json_response(status: HTTPStatus, content: object) -> Response:
    """Return a response with the content as JSON."""
    return Response(status, encoded(content))


def refusal(status: HTTPStatus, code: str, reason: str, identifier: str) -> Response:
    """Return the response to a rejected request."""
    return json_response(status, {"errors": [request_error(code, reason, identifier)]})


def listed(responses: Sequence[Response]) -> Response:
    """Return one response with the bodies of a batch as a JSON list."""
    bodies = b",".join([one.body for one in responses])
    return Response(HTTPStatus.OK, b"".join((b"[", bodies, b"]")))


def conditional(response: Response, if_none_match: str | None) -> Response:
    """Return the response with an entity tag; 304 without a body if it matches.

    The tag is weak because the body may be compressed later. Source: RFC
    9110, sections 8.8.3 and 13.1.2.
    """
    tag = f'"{blake2b(response.body, digest_size=ETAG_BYTES).hexdigest()}"'
    tags = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    is_match = tag in tags or tags == ["*"]
    tagged = replace(response, headers={"etag": f"W/{tag}", **PRIVATE})
    if not is_match:
        return tagged
    return replace(tagged, status=HTTPStatus.NOT_MODIFIED, body=b"")


async def respond(
    send: Send, response: Response, media_type: MediaType | None, identifier: str
) -> None:
    """Send the response with this media type and the request's id."""
    headers = [(REQUEST_ID, identifier.encode())]
    if response.status != HTTPStatus.NOT_MODIFIED:
        length = str(len(response.body)).encode()
        content_type = CONTENT_TYPES[media_type or MediaType.JSON]
        headers += content_type, (b"content-length", length)
    if response.headers:
        headers += [
            (name.encode(), value.encode()) for name, value in response.headers.items()
        ]
    status = response.status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
