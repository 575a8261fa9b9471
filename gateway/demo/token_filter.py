"""A WSGI filter that lets a token say who its bearer is.

The token `user:project:role[,role...]` becomes the headers that
keystonemiddleware would set, so that Glance's own policies decide; any other
token is answered with Glance's own 401. Anybody can write such a token: for
demonstrations and tests only.
"""

import re
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TOKEN = re.compile(r"(?P<user>[^:,]+):(?P<project>[^:,]+):(?P<roles>[^:]+)")


def filter_factory(
    global_config: dict[str, str], **local_config: str
) -> Callable[[WSGIApplication], WSGIApplication]:
    """Give PasteDeploy the filter; it has no options."""
    del global_config, local_config
    return identify


def identify(application: WSGIApplication) -> WSGIApplication:
    """Wrap `application` so that its caller is the one the token names."""

    def identified(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        environ.update(identity_headers(environ.get("HTTP_X_AUTH_TOKEN", "")))
        return application(environ, start_response)

    return identified


def identity_headers(token: str) -> dict[str, str]:
    """Return the WSGI names and values that Glance reads its caller from."""
    match = TOKEN.fullmatch(token)
    if match is None:
        return {"HTTP_X_IDENTITY_STATUS": "Invalid"}
    return {
        "HTTP_X_IDENTITY_STATUS": "Confirmed",
        "HTTP_X_USER_ID": match["user"],
        "HTTP_X_PROJECT_ID": match["project"],
        "HTTP_X_ROLES": match["roles"],
    }
