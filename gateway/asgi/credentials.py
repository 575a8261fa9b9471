"""Who asks, as the request's headers say."""

from gateway.asgi.graphql.request import Headers
from gateway.identity import Identity

BEARER = "bearer "


def identity_in(headers: Headers, *, with_service_token: bool) -> Identity | None:
    """Return the bearer of the request's token, None where it has none.

    The token is looked for in X-Auth-Token, then X-AUTH_TOKEN (a spelling of
    many how-tos), then Authorization: Bearer. No other header says anything
    about the caller. Raises InvalidToken.
    """
    token = _token(headers)
    if not token:
        return None
    service_token = headers.get("x-service-token") if with_service_token else None
    return Identity(token, service_token or None)


def brings_token(headers: Headers) -> bool:
    """Return whether the request has a token, whatever it is worth."""
    return bool(_token(headers))


def _token(headers: Headers) -> str | None:
    return (
        headers.get("x-auth-token")
        or headers.get("x-auth_token")
        or _bearer(headers.get("authorization", ""))
    )


def _bearer(authorization: str) -> str | None:
    if not authorization.lower().startswith(BEARER):
        return None
    return authorization[len(BEARER) :].strip()
