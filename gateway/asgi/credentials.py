"""Reads the caller's identity from the request headers."""

from gateway.asgi.graphql.request import Headers
from gateway.identity import Identity

BEARER = "bearer "


def identity_in(headers: Headers, *, with_service_token: bool) -> Identity | None:
    """Return the identity of the request's token, None without a token.

    The token is read from X-Auth-Token, then X-AUTH_TOKEN (a spelling of many
    how-tos), then Authorization: Bearer. No other header affects the identity.
    Raises InvalidToken.
    """
    token = _token(headers)
    if not token:
        return None
    service_token = headers.get("x-service-token") if with_service_token else None
    return Identity(token, service_token or None)


def brings_token(headers: Headers) -> bool:
    """Return whether the request has a token, valid or not."""
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
