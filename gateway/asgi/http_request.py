"""A GraphQL request as HTTP carries it.

Source: https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.requests import Request

BODY_MAX_BYTES = 1024 * 1024


class BadRequest(Exception):
    """A request that is not executed; `str(error)` tells the client why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """Keep the HTTP status to answer with."""
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What the client wants executed."""

    document: str
    variables: dict[str, object] | None
    operation_name: str | None


async def read_request(request: Request) -> GraphQLRequest:
    """Return the request of a GET or a POST; raises BadRequest."""
    if request.method == "GET":
        return _checked(_query_parameters(request))
    if request.method != "POST":
        reason = "GraphQL is asked with POST, or with GET for queries."
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, reason)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if media_type.lower() != "application/json":
        reason = "The body must be JSON: send Content-Type: application/json."
        raise BadRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    return _checked(_json("The body", await _body(request)))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            reason = f"The body is larger than {BODY_MAX_BYTES} bytes."
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
    return bytes(body)


def _query_parameters(request: Request) -> Mapping[str, object]:
    asked: dict[str, object] = dict(request.query_params)
    variables = request.query_params.get("variables")
    if variables is not None:
        asked["variables"] = _json("The parameter variables", variables)
    return asked


def _json(what: str, text: bytes | str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = f"{what} is not JSON: {error}"
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason) from error


def _checked(asked: object) -> GraphQLRequest:
    if not isinstance(asked, Mapping):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    document, name = asked.get("query"), asked.get("operationName")
    variables = asked.get("variables")
    if not isinstance(document, str) or not document:
        reason = "The request needs query: the text of a GraphQL document."
        raise BadRequest(HTTPStatus.BAD_REQUEST, reason)
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "variables must be a JSON object.")
    if name is not None and not isinstance(name, str):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "operationName must be text.")
    return GraphQLRequest(document, variables, name or None)
