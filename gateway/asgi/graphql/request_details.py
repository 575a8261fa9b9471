"""The details of an HTTP request besides its GraphQL document."""

import msgspec
from starlette.types import Scope

from gateway.asgi.graphql.cache_control import directive_in, wants_trace
from gateway.asgi.graphql.media_types import Accepted
from gateway.asgi.graphql.request import Headers, address_of
from gateway.caller import Directive
from gateway.identity import Identity
from gateway.limits.admission import Visitor
from gateway.loaders import Together


class RequestDetails(msgspec.Struct, frozen=True):
    """Method, caller and headers; `together` is None unless it is in a batch."""

    method: str
    identifier: str
    identity: Identity | None
    directive: Directive
    takes: Accepted
    if_none_match: str | None
    wants_trace: bool
    address: str | None
    together: Together | None = None

    @property
    def scope(self) -> str | None:
        """Return the scope of the identity, None without a token."""
        return self.identity.scope if self.identity else None

    @property
    def visitor(self) -> Visitor:
        """Return the client as the limits count it."""
        return Visitor(self.identifier, self.scope, self.address)


def details_of(
    scope: Scope,
    headers: Headers,
    identifier: str,
    identity: Identity | None,
    takes: Accepted,
) -> RequestDetails:
    """Return the details of a request with this id, caller and `Accept` header."""
    return RequestDetails(
        scope["method"],
        identifier,
        identity,
        directive_in(headers),
        takes,
        headers.get("if-none-match"),
        wants_trace(headers),
        address_of(scope),
    )
