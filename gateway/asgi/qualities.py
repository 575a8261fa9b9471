"""Parses quality values of Accept headers, such as `gzip;q=0.5, br`.

Source: RFC 9110, section 12.4.2.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

NOT_ACCEPTABLE = 0.0

_CACHED_MAX_CHARACTERS = 1_000
_CACHED_MAX = 256

Decision = TypeVar("Decision")


def qualities(header: str) -> Mapping[str, float]:
    """Return the quality of each name in lower case; 0 if it is malformed."""
    weighed: dict[str, float] = {}
    for one in header.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        weighed[name] = _weight(weights[0]) if weights else 1.0
    return weighed


def decided_once(decide: Callable[[str], Decision]) -> Callable[[str], Decision]:
    """Return the same function, with a cache for headers of a usual length."""
    decide_once = lru_cache(maxsize=_CACHED_MAX)(decide)

    def decided(header: str) -> Decision:
        if len(header) > _CACHED_MAX_CHARACTERS:
            return decide(header)
        return decide_once(header)

    return decided


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return NOT_ACCEPTABLE
    return weight if 0 <= weight <= 1 else NOT_ACCEPTABLE
