"""Reads a request's cache directive and its wish for a trace."""

from gateway.asgi.graphql.request import Headers
from gateway.caller import Directive

TRACE_HEADER = "x-gateway-trace"


def directive_in(headers: Headers) -> Directive:
    """Return the Cache-Control directive; no-store takes precedence over no-cache.

    Source: RFC 9111, section 5.2.1; its other directives have no effect here.
    """
    if "cache-control" not in headers:
        return Directive.NONE
    words = {word.strip().lower() for word in headers["cache-control"].split(",")}
    if "no-store" in words:
        return Directive.NO_STORE
    return Directive.NO_CACHE if "no-cache" in words else Directive.NONE


def wants_trace(headers: Headers) -> bool:
    """Return whether the response is to include its cost."""
    return headers.get(TRACE_HEADER) == "1"
