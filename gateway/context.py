"""What a resolver may use."""

from dataclasses import dataclass

import strawberry
from propcache.api import cached_property

from gateway.caller import Caller, Tally
from gateway.catalog import Catalog
from gateway.facts import RequestFacts
from gateway.glance.errors import Unauthenticated
from gateway.loaders import Loaders


@dataclass(frozen=True)
class Context:
    """One request: who asks, under which id, and the door to Glance.

    `asking` is None for a request without a token: then `caller` and `loaders`
    raise Unauthenticated, before Glance hears anything.
    """

    request_id: str
    asking: Caller | None
    catalog: Catalog

    @property
    def caller(self) -> Caller:
        """Return who asks; raises Unauthenticated without a token."""
        if self.asking is None:
            message = "This needs a token: send it as X-Auth-Token."
            raise Unauthenticated(message, request_id=self.request_id)
        return self.asking

    @cached_property
    def tally(self) -> Tally:
        """Return what the request has cost so far."""
        return Tally() if self.asking is None else self.asking.tally

    def facts(self) -> RequestFacts:
        """Return what hooks are told of the request."""
        scope = None if self.asking is None else self.asking.identity.scope
        return RequestFacts(self.request_id, scope, **self.tally.counts)

    @cached_property
    def loaders(self) -> Loaders:
        """Return the loaders of this request, made when first used."""
        return Loaders(self.catalog, self.caller)


Info = strawberry.Info[Context, None]
