"""One request of an identity: what travels with it, what it cost."""

from dataclasses import dataclass, field
from enum import Enum

from gateway.identity import Identity


class Directive(Enum):
    """What a client says of remembered answers (RFC 9111, section 5.2.1)."""

    NONE = ""
    NO_CACHE = "no-cache"
    NO_STORE = "no-store"


@dataclass(slots=True)
class Tally:
    """What one request cost Glance and was spared; counted while it runs.

    `calls` went to Glance, `cached` reads were remembered, `coalesced` ones
    joined an equal one, `stale` ones are older than their freshness.
    """

    calls: int = 0
    cached: int = 0
    coalesced: int = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """One request of an identity.

    `request_id` travels to Glance and back to the client; `deadline_at` is a
    time of the running loop's clock, past which the request waits for nothing.
    """

    identity: Identity
    request_id: str
    deadline_at: float
    directive: Directive = Directive.NONE
    tally: Tally = field(default_factory=Tally)
