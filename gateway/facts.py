"""Facts for hooks: what a log or a metric may want to know of a request.

A hook must be quick; an exception of its own is logged and fails no request.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What one GraphQL request cost Glance and was spared.

    `scope` names the identity without telling its token, None where there was
    no token; the counts are those of a Counters. `measures` are what limits have
    measured of a request that was executed, such as its `cost`, by name.
    """

    request_id: str
    scope: str | None
    calls: int
    cached: int
    coalesced: int
    stale: int
    measures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SharedCacheFacts:
    """Whether the cache that replicas share can be used from now on."""

    is_available: bool


@dataclass(frozen=True, slots=True)
class RefreshFacts:
    """What asking again in the background cost Glance, for whose sake."""

    scope: str
    calls: int


@dataclass(frozen=True, slots=True)
class RejectionFacts:
    """A request or connection that a limit has rejected.

    `code` is the error code; `measured` is what it had, `limit` what it may
    have. `scope` and `request_id` are None where there is none.
    """

    code: str
    measured: int
    limit: int
    scope: str | None = None
    request_id: str | None = None


Facts = RequestFacts | SharedCacheFacts | RefreshFacts | RejectionFacts
Hook = Callable[[Facts], None]


def tell(hooks: Sequence[Hook], facts: Callable[[], Facts]) -> None:
    """Give every hook the facts, which are put together for hooks alone."""
    for hook in hooks:
        try:
            hook(facts())
        except Exception:
            logger.exception("a hook failed")
