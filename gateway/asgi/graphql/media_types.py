"""Negotiates the media type of a response.

Sources: RFC 9110, section 12.5.1, and
https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gateway.asgi.qualities import NOT_ACCEPTABLE, decided_once, qualities


class MediaType(Enum):
    """The media types of a GraphQL response."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The media types that a client accepts.

    `result` is for a single result, None if the client accepts neither JSON type.
    `events`: the client named text/event-stream.
    """

    result: MediaType | None
    events: bool = False


DEFAULT = Accepted(MediaType.JSON)


def accepted(accept: str | None) -> Accepted:
    """Return what an Accept header accepts; JSON if there is no header.

    With equal qualities, graphql-response+json wins if it is named, else JSON, which
    every client can read.
    """
    return DEFAULT if accept is None else _chosen(accept)


@decided_once
def _chosen(accept: str) -> Accepted:
    weighed = qualities(accept)
    response = _quality(weighed, MediaType.RESPONSE)
    json = _quality(weighed, MediaType.JSON)
    is_named = MediaType.RESPONSE.value in weighed
    events = weighed.get(MediaType.EVENTS.value, NOT_ACCEPTABLE) > NOT_ACCEPTABLE
    if response == json == NOT_ACCEPTABLE:
        return Accepted(None, events)
    is_preferred = response > json or (response == json and is_named)
    return Accepted(MediaType.RESPONSE if is_preferred else MediaType.JSON, events)


def _quality(weighed: Mapping[str, float], media_type: MediaType) -> float:
    """Return the quality of the most specific media range that matches."""
    kind = media_type.value.partition("/")[0]
    for name in (media_type.value, f"{kind}/*", "*/*"):
        if name in weighed:
            return weighed[name]
    return NOT_ACCEPTABLE
