"""What media type a client wants its answer in.

Sources: RFC 9110, sections 12.4.2 and 12.5.1, and
https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

ACCEPT_MAX_CHARACTERS = 1_000
REFUSED = 0.0


class MediaType(Enum):
    """What a GraphQL answer can be sent as."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client takes: one result as `result`, None for neither, and streams.

    `events` says that it named text/event-stream.
    """

    result: MediaType | None
    events: bool = False


UNASKED = Accepted(MediaType.JSON)


def accepted(accept: str | None) -> Accepted:
    """Return what an Accept header asks for, JSON without one.

    Equal qualities: graphql-response+json where it is named, else JSON, which
    every client can read.
    """
    if accept is None:
        return UNASKED
    if len(accept) > ACCEPT_MAX_CHARACTERS:
        return _chosen(accept)
    return _chosen_before(accept)


def _chosen(accept: str) -> Accepted:
    qualities = _qualities(accept)
    response = _quality(qualities, MediaType.RESPONSE)
    json = _quality(qualities, MediaType.JSON)
    is_named = MediaType.RESPONSE.value in qualities
    events = qualities.get(MediaType.EVENTS.value, REFUSED) > REFUSED
    if response == json == REFUSED:
        return Accepted(None, events)
    is_preferred = response > json or (response == json and is_named)
    return Accepted(MediaType.RESPONSE if is_preferred else MediaType.JSON, events)


_chosen_before = lru_cache(maxsize=256)(_chosen)


def _qualities(accept: str) -> Mapping[str, float]:
    """Return the quality of each range, 0 where it makes no sense."""
    qualities: dict[str, float] = {}
    for one in accept.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        qualities[name] = _weight(weights[0]) if weights else 1.0
    return qualities


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return REFUSED
    return weight if 0 <= weight <= 1 else REFUSED


def _quality(qualities: Mapping[str, float], media_type: MediaType) -> float:
    """Return the quality by the most specific range."""
    kind = media_type.value.partition("/")[0]
    for name in (media_type.value, f"{kind}/*", "*/*"):
        if name in qualities:
            return qualities[name]
    return REFUSED
