"""What a resolver may use."""

import asyncio

import msgspec
import strawberry
from propcache.api import cached_property

from gateway.caller import Budget, Caller, Counters, Directive
from gateway.catalog import Catalog, Listener
from gateway.facts import RequestFacts
from gateway.glance.errors import Unauthenticated
from gateway.identity import Identity
from gateway.loaders import Loaders, Together
from gateway.subscriptions.watches import Watches


class Context(msgspec.Struct, frozen=True, dict=True):
    """One request: who asks, under which id, and the doors to Glance.

    `asking` is None for a request without a token: then `caller` and `loaders`
    raise Unauthenticated, before Glance hears anything. `together` is what it
    shares with the requests that it came with.
    """

    request_id: str
    asking: Caller | None
    catalog: Catalog
    watches: Watches
    together: Together | None = None

    @property
    def caller(self) -> Caller:
        """Return who asks; raises Unauthenticated without a token."""
        if self.asking is None:
            message = "This needs a token: send it as X-Auth-Token."
            raise Unauthenticated(message, request_id=self.request_id)
        return self.asking

    @cached_property
    def counters(self) -> Counters:
        """Return what the request has cost so far."""
        return Counters() if self.asking is None else self.asking.counters

    @property
    def has_time(self) -> bool:
        """Return whether the request's deadline is still to come."""
        now = asyncio.get_running_loop().time()
        return self.asking is None or now < self.asking.deadline_at

    def facts(self) -> RequestFacts:
        """Return what hooks are told of the request."""
        scope = None if self.asking is None else self.asking.identity.scope
        counts = self.counters.counts
        counters = self.counters
        measures = {
            **counters.measures,
            "cost": counters.estimate,
            "values": counters.values,
        }
        return RequestFacts(self.request_id, scope, **counts, measures=measures)

    @cached_property
    def loaders(self) -> Loaders:
        """Return the loaders of this request, made when first used."""
        return Loaders(self.catalog, self.caller, self.together)


class Contexts:
    """Makes the context of each request, and of each event of a subscription."""

    def __init__(
        self,
        catalog: Catalog,
        watches: Watches,
        *,
        timeout_seconds: float,
        max_calls: int,
    ) -> None:
        """Give each `timeout_seconds` for its reads, and so many calls to Glance."""
        self._catalog = catalog
        self._watches = watches
        self._timeout_seconds = timeout_seconds
        self._max_calls = max_calls

    def new(
        self,
        identity: Identity | None,
        identifier: str,
        directive: Directive = Directive.NONE,
        together: Together | None = None,
    ) -> Context:
        """Return a context with time and calls of its own, or those it shares."""
        if identity is None:
            return Context(identifier, None, self._catalog, self._watches)
        deadline_at = together.deadline_at if together else self._deadline_at()
        budget = together.budget if together else Budget(self._max_calls)
        counters = Counters(budget=budget)
        caller = Caller(identity, identifier, deadline_at, directive, counters)
        return Context(identifier, caller, self._catalog, self._watches, together)

    def listen(self, listener: Listener) -> None:
        """Tell the listener the topics of each write of this process."""
        self._catalog.listen(listener)

    def together(self) -> Together:
        """Return what the requests of one list share; their time begins now."""
        budget = Budget(self._max_calls)
        return Together(self._catalog, self._deadline_at(), budget)

    def _deadline_at(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_seconds


Info = strawberry.Info[Context, None]
