"""What a resolver may use."""

from dataclasses import dataclass
from functools import cached_property

import strawberry

from gateway.catalog import Catalog
from gateway.glance.errors import Unauthenticated
from gateway.identity import Caller
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
    fan_out: int

    @property
    def caller(self) -> Caller:
        """Return who asks; raises Unauthenticated without a token."""
        if self.asking is None:
            message = "This needs a token: send it as X-Auth-Token."
            raise Unauthenticated(message, request_id=self.request_id)
        return self.asking

    @cached_property
    def loaders(self) -> Loaders:
        """Return the loaders of this request, made when first used."""
        return Loaders(self.catalog, self.caller, fan_out=self.fan_out)


Info = strawberry.Info[Context, None]
