"""One request of an identity: what travels with it, what it cost."""

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from os import urandom

import msgspec

from gateway.identity import Identity


class Directive(Enum):
    """How to read: as a client says (RFC 9111, section 5.2.1), or as polls do.

    A poll reads afresh and is cached, but leaves what others have cached valid.
    """

    NONE = ""
    NO_CACHE = "no-cache"
    NO_STORE = "no-store"
    POLL = "poll"


class Dependencies(msgspec.Struct):
    """What an answer rests on: `reads` of Glance, remembered ones alone if firm.

    `versions` are those of the reads' topics; `fresh_until`, in seconds since
    1970, is when the first of the reads is no longer fresh.
    """

    reads: int = 0
    versions: dict[str, bytes] = {}
    fresh_until: float = math.inf
    are_cacheable: bool = True

    def add(self, versions: Iterable[tuple[str, bytes]], fresh_until: float) -> None:
        """Add a read. Reads of one topic in different versions prevent caching."""
        self.reads += 1
        self.fresh_until = min(self.fresh_until, fresh_until)
        for topic, version in versions:
            if self.versions.setdefault(topic, version) != version:
                self.are_cacheable = False

    def prevent_caching(self) -> None:
        """Rest on a read that is not remembered, or no longer fresh."""
        self.are_cacheable = False


class BudgetSpent(Exception):
    """One call more than a request may make; `limit` is how many it may make."""

    def __init__(self, limit: int) -> None:
        """Keep the limit."""
        super().__init__()
        self.limit = limit


class Budget(msgspec.Struct):
    """The calls to Glance that one HTTP request may make, all it asks for together.

    `reserved` are those that it was estimated to need, `spent` those that it made;
    `values` are those that its results may have.
    """

    limit: int
    reserved: int = 0
    values: int = 0
    spent: int = 0

    def spend(self) -> None:
        """Take one call; raises BudgetSpent where there is none left."""
        if self.spent >= self.limit:
            raise BudgetSpent(self.limit)
        self.spent += 1


class Counters(msgspec.Struct):
    """What one request cost Glance and was spared; counted while it runs.

    `calls` went to Glance, `cached` reads were remembered, `coalesced` ones
    joined an equal one, `stale` ones are older than their freshness. Without a
    `budget` there may be any number of calls; `estimate` is how many there are
    at most, `values` how many the result has, about, `measures` what other limits
    have measured. `read_bytes` are those of the responses that it is made of.
    """

    calls: int = 0
    cached: int = 0
    coalesced: int = 0
    stale: int = 0
    dependencies: Dependencies = msgspec.field(default_factory=Dependencies)
    budget: Budget | None = None
    estimate: int = 0
    values: int = 0
    read_bytes: int = 0
    measures: Mapping[str, int] = {}

    def count_call(self) -> None:
        """Count a call that is about to go to Glance; raises BudgetSpent."""
        if self.budget is not None:
            self.budget.spend()
        self.calls += 1

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return {
            "calls": self.calls,
            "cached": self.cached,
            "coalesced": self.coalesced,
            "stale": self.stale,
        }


class Caller(msgspec.Struct, frozen=True):
    """One request of an identity.

    `request_id` travels to Glance and back to the client; `deadline_at` is a
    time of the running loop's clock, past which the request waits for nothing.
    """

    identity: Identity
    request_id: str
    deadline_at: float
    directive: Directive = Directive.NONE
    counters: Counters = msgspec.field(default_factory=Counters)


def new_request_id() -> str:
    """Return an id under which one request is known here and in Glance's log."""
    hexa = urandom(16).hex()
    return f"req-{hexa[:8]}-{hexa[8:12]}-{hexa[12:16]}-{hexa[16:20]}-{hexa[20:]}"
