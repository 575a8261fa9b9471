"""The cloud's token, lent to requests that bring none of their own.

Who can make this process ask Glance acts as its user. So a token is lent just
to programs of the same user, and of what a browser sends just to our own page:

- Host is a loopback name with our port: a foreign name that resolves to this
  machine (DNS rebinding) is not. This holds for all that is served.
- It is a POST of JSON, which no link or form of a foreign page sends without
  asking first (CSRF), or a WebSocket.
- Origin and Sec-Fetch-Site, which browsers send and pages can't choose, name
  our own page; a WebSocket, which browsers open for every page, must say so.
- The other end of the connection is held by the same user of this machine.
"""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.asgi.credentials import brings_token
from gateway.asgi.graphql.request import headers_of
from gateway.asgi.graphql.response import refusal, respond
from gateway.asgi.request_id import HEADER, request_id
from gateway.explore.cloud import Cloud, CloudFailed
from gateway.explore.connection_owner import is_own, knows_owners

LOOPBACK = "127.0.0.1", "localhost", "[::1]"
HTTP_PORT = 80
# How an answer says that Glance has refused the token.
REFUSED = b'"code":"UNAUTHENTICATED"'


class Rejected(Exception):
    """A request that may not use the cloud's token; `str(error)` says why."""


class LentToken:
    """What stands before a gateway that listens on a loopback address."""

    def __init__(self, app: ASGIApp, cloud: Cloud, *, path: str, port: int) -> None:
        """Lend the cloud's token to requests to the path, at this port."""
        self._app = app
        self._cloud = cloud
        self._path = path
        self._hosts = {f"{name}:{port}".encode() for name in LOOPBACK}
        if port == HTTP_PORT:
            self._hosts |= {name.encode() for name in LOOPBACK}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a token of the cloud's where it needs one."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._check_host(scope)
            if scope["path"] == self._path and _may_need_a_token(scope):
                _check_page(scope)
                await self._lend(scope, receive, send)
                return
        except Rejected as error:
            await _refuse(scope, send, HTTPStatus.FORBIDDEN, str(error))
            return
        await self._app(scope, receive, send)

    def _check_host(self, scope: Scope) -> None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            names = ", ".join(sorted(host.decode() for host in self._hosts))
            raise Rejected(f"The Host must be one of {names}.")

    async def _lend(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            token = await asyncio.to_thread(self._token_for, scope)
        except CloudFailed as failure:
            await _refuse(scope, send, HTTPStatus.UNAUTHORIZED, str(failure))
            return

        async def watched(message: Message) -> None:
            if _says_refused(message):
                self._cloud.forget(token)
            await send(message)

        # What is compressed would not say it.
        kept = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        headers = [(b"x-auth-token", token.encode()), *kept]
        await self._app({**scope, "headers": headers}, receive, watched)

    def _token_for(self, scope: Scope) -> str:
        """Return the token; reads this system's tables and may ask Keystone."""
        if knows_owners() and not is_own(scope["client"], scope["server"]):
            raise Rejected("A token is lent just to the user who has started this.")
        return self._cloud.token()


def _may_need_a_token(scope: Scope) -> bool:
    """Return whether it is a page's WebSocket or a POST of JSON, without a token.

    What else comes without one is passed on without one, a WebSocket of no page
    too: its first message may bring one.
    """
    if brings_token(headers_of(scope)):
        return False
    media_types = [
        value.partition(b";")[0].strip() for value in _values(scope, b"content-type")
    ]
    is_json = media_types == [b"application/json"]
    if scope["type"] == "websocket":
        return bool(_values(scope, b"origin"))
    return bool(scope["method"] == "POST") and is_json


def _check_page(scope: Scope) -> None:
    """Raise Rejected for what a browser may send for another page than ours."""
    own = [b"http://" + host for host in _values(scope, b"host")]
    origins = _values(scope, b"origin")
    if any(origin not in own for origin in origins):
        raise Rejected("The Origin must be this very gateway's: no token is lent.")
    if any(site != b"same-origin" for site in _values(scope, b"sec-fetch-site")):
        raise Rejected("Sec-Fetch-Site must be same-origin: no token is lent.")


def _says_refused(message: Message) -> bool:
    """Return whether an answer, or a WebSocket's message, says so."""
    text = message.get("text") or ""
    return REFUSED in (message.get("body") or text.encode())


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value.lower() for key, value in scope["headers"] if key == name]


async def _refuse(scope: Scope, send: Send, status: HTTPStatus, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    identifier = request_id(headers_of(scope).get(HEADER))
    code = "FORBIDDEN" if status is HTTPStatus.FORBIDDEN else "UNAUTHENTICATED"
    response = refusal(status, code, reason, identifier)
    await respond(send, response, None, identifier)
