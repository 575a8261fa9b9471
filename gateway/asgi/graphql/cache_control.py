"""What a request says of remembered answers, and whether it wants a trace."""

from gateway.asgi.graphql.request import Headers
from gateway.caller import Directive

TRACE_HEADER = "x-gateway-trace"


def directive_in(headers: Headers) -> Directive:
    """Return what Cache-Control asks: no-store before no-cache before nothing.

    Source: RFC 9111, section 5.2.1; its other directives have no effect here.
    """
    if "cache-control" not in headers:
        return Directive.NONE
    asked = {word.strip().lower() for word in headers["cache-control"].split(",")}
    if "no-store" in asked:
        return Directive.NO_STORE
    return Directive.NO_CACHE if "no-cache" in asked else Directive.NONE


def wants_trace(headers: Headers) -> bool:
    """Return whether the answer shall say what it cost."""
    return headers.get(TRACE_HEADER) == "1"
