"""A GraphQL request over HTTP.

Source: https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec
import orjson
from starlette.types import Receive, Scope

BODY_MAX_BYTES = 1024 * 1024

# The headers that are used; others are not decoded.
HEADERS = {
    name.encode(): name
    for name in (
        "accept",
        "accept-encoding",
        "authorization",
        "cache-control",
        "content-type",
        "if-none-match",
        "x-auth-token",
        "x-auth_token",
        "x-gateway-trace",
        "x-openstack-request-id",
        "x-service-token",
    )
}

LISTS = {"accept", "accept-encoding", "cache-control", "if-none-match"}

Headers = Mapping[str, str]

_requests = msgspec.json.Decoder(list[msgspec.Raw])


class BadRequest(Exception):
    """A request that is not executed; `str(error)` is the reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """Keep the HTTP status of the response."""
        super().__init__(reason)
        self.status = status


class PersistedQueryNotSupported(BadRequest):
    """A request with the hash of a document instead of the document.

    Clients of Apollo's protocol recognise the message and send the document. Source:
    https://www.apollographql.com/docs/apollo-server/performance/apq
    """

    CODE = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        """Use the message that clients recognise."""
        super().__init__(HTTPStatus.BAD_REQUEST, "PersistedQueryNotSupported")


class ClientLeft(Exception):
    """The client closed its connection before the response."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """An operation to execute; `sent_bytes` is the size of its request."""

    document: str
    variables: dict[str, object] | None
    operation_name: str | None
    sent_bytes: int


def headers_of(scope: Scope) -> Headers:
    """Return the HEADERS by their names in lower case.

    Repeated list headers are joined; of others the first counts. Source: RFC 9110,
    section 5.3.
    """
    headers: dict[str, str] = {}
    for encoded, value in scope["headers"]:
        name = HEADERS.get(encoded)
        if name is None:
            continue
        if name not in headers:
            headers[name] = value.decode("latin-1")
        elif name in LISTS:
            headers[name] += "," + value.decode("latin-1")
    return headers


def address_of(scope: Scope) -> str | None:
    """Return the address of the client, or of the proxy in front of us."""
    client = scope.get("client")
    return client[0] if client else None


async def read_request(scope: Scope, headers: Headers, receive: Receive) -> bytes:
    """Return the bytes of the GraphQL request: the body, or the query of the URL.

    Raises BadRequest unless it is a GET or a POST of JSON, and ClientLeft. Only JSON
    is accepted because pages of other origins can't send it without a preflight.
    """
    if scope["method"] == "GET":
        query: bytes = scope["query_string"]
        return query
    if scope["method"] != "POST":
        reason = "Send GraphQL requests with POST; GET is for queries only."
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason)
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    if media_type.lower() != "application/json":
        reason = "The body must be JSON: send Content-Type: application/json."
        raise BadRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    return await _body(receive)


def parse_request(method: str, encoded: bytes) -> GraphQLRequest:
    """Return the request in the bytes of `read_request`; raises BadRequest."""
    if method == "GET":
        return checked(_query_parameters(encoded), len(encoded))
    return checked(_json("The body", encoded), len(encoded))


def checked(content: object, sent_bytes: int = BODY_MAX_BYTES) -> GraphQLRequest:
    """Return the request in a JSON value of `sent_bytes`; raises BadRequest."""
    if not isinstance(content, Mapping):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    document, name = content.get("query"), content.get("operationName")
    variables = content.get("variables")
    if not isinstance(document, str) or not document:
        if _is_persisted_query(content):
            raise PersistedQueryNotSupported
        reason = "The request needs query: the text of a GraphQL document."
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason)
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "variables must be a JSON object.")
    if not isinstance(content.get("extensions"), dict | None):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "extensions must be a JSON object.")
    if name is not None and not isinstance(name, str):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "operationName must be text.")
    return GraphQLRequest(document, variables, name or None, sent_bytes)


def is_batch(method: str, body: bytes) -> bool:
    """Return whether the body may be a batch; a GET is never one."""
    return method == "POST" and body.lstrip()[:1] == b"["


def requests_in(body: bytes, max_requests: int) -> Sequence[bytes]:
    """Return the requests of a batch, each as its own bytes.

    Raises BadRequest if the body is not a list or has too many requests.
    """
    if not max_requests:
        reason = (
            "The body must be a JSON object. Batches are disabled"
            " (GATEWAY_BATCH_MAX_REQUESTS)."
        )
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason)
    try:
        requests = _requests.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        reason = f"The body is not JSON: {error}"
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error
    if not 0 < len(requests) <= max_requests:
        reason = f"A batch must have 1 to {max_requests} requests."
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason)
    return [bytes(one) for one in requests]


def _is_persisted_query(content: Mapping[str, object]) -> bool:
    """Return whether a request without a document names one by its hash."""
    extensions = content.get("extensions")
    if content.get("query") or not isinstance(extensions, dict):
        return False
    return isinstance(extensions.get("persistedQuery"), dict)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        if len(body) > BODY_MAX_BYTES:
            reason = f"The body is larger than {BODY_MAX_BYTES} bytes."
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        if not message.get("more_body", False):
            return bytes(body)
        # Otherwise this part stays in memory twice while the next one is awaited.
        del message


def _query_parameters(query: bytes) -> Mapping[str, object]:
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        reason = f"The query of the URL is not UTF-8: {error}"
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error
    content: dict[str, object] = dict(pairs)
    for name in ("variables", "extensions"):
        text = content.get(name)
        if isinstance(text, str):
            content[name] = _json(f"The parameter {name}", text)
    return content


def _json(what: str, text: bytes | str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = f"{what} is not JSON: {error}"
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error
