"""A GraphQL answer as HTTP carries it."""

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
# A browser may keep the answer of a GET, for this token, and asks each time.
PRIVATE = {
    "cache-control": "private, no-cache",
    "vary": "Accept, Accept-Encoding, X-Auth-Token, X-AUTH_TOKEN, Authorization",
}


_encoder = msgspec.json.Encoder()


class Response(msgspec.Struct, frozen=True):
    """Status, JSON body and headers beside those that every answer has.

    `remembered` is the answer, with its key, whose body this is as it stands.
    """

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = {}
    remembered: tuple[ResponseKey, CachedResponse] | None = None


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


def refusal(status: HTTPStatus, code: str, reason: str, identifier: str) -> Response:
    """Return the response to a request of which nothing was executed."""
    return json_response(status, {"errors": [request_error(code, reason, identifier)]})


def listed(responses: Sequence[Response]) -> Response:
    """Return one response with the bodies of several."""
    bodies = b",".join([one.body for one in responses])
    return Response(HTTPStatus.OK, b"".join((b"[", bodies, b"]")))


def conditional(response: Response, if_none_match: str | None) -> Response:
    """Return the response with its entity tag, without a body if that is known.

    The tag is a weak one, as the body may be compressed on its way. Source: RFC
    9110, sections 8.8.3 and 13.1.2.
    """
    tag = f'"{blake2b(response.body, digest_size=ETAG_BYTES).hexdigest()}"'
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    is_known = tag in known or known == ["*"]
    tagged = replace(response, headers={"etag": f"W/{tag}", **PRIVATE})
    if not is_known:
        return tagged
    return replace(tagged, status=HTTPStatus.NOT_MODIFIED, body=b"")


async def respond(
    send: Send, response: Response, media_type: MediaType | None, identifier: str
) -> None:
    """Send the response as this kind of JSON, with the request's id."""
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
