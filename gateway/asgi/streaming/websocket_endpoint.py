"""The WebSocket endpoint: accepts an upgrade and serves its connection."""

import asyncio
from collections.abc import Mapping
from functools import partial

from starlette.types import Receive, Scope, Send

from gateway.asgi.credentials import identity_in
from gateway.asgi.graphql.request import address_of, headers_of
from gateway.asgi.streaming.streams import Streams
from gateway.asgi.streaming.websocket_connection import SocketConnection, Violation
from gateway.identity import Identity

SUBPROTOCOL = "graphql-transport-ws"
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
# RFC 6455, section 5.5.
REASON_MAX_BYTES = 123


class WebSocketEndpoint:
    """An ASGI application that serves GraphQL over WebSockets.

    Any origin may connect: cookies are not used for authentication, so a page
    without a token gains nothing.
    """

    def __init__(
        self, streams: Streams, *, max_operations: int, with_service_token: bool
    ) -> None:
        """Run at most `max_operations` of one connection at a time."""
        self._streams = streams
        self._max_operations = max_operations
        self._with_service_token = with_service_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until either side closes; all operations have ended then."""
        await receive()
        is_acceptable = SUBPROTOCOL in scope["subprotocols"]
        accepted = SUBPROTOCOL if is_acceptable else None
        try:
            await send({"type": "websocket.accept", "subprotocol": accepted})
            if not is_acceptable:
                reason = f"Use the subprotocol {SUBPROTOCOL}."
                await _close(send, Violation(SUBPROTOCOL_NOT_ACCEPTABLE, reason))
                return
            async with asyncio.TaskGroup() as tasks:
                connection = SocketConnection(
                    receive,
                    send,
                    self._streams,
                    tasks,
                    self._max_operations,
                    address=address_of(scope),
                )
                violation = await connection.talk(partial(self._identity, scope))
            if violation is not None:
                await _close(send, violation)
        except OSError:
            # The client has disconnected.
            pass

    def _identity(
        self, scope: Scope, payload: Mapping[object, object]
    ) -> Identity | None:
        """Return the identity in the payload, else in the headers of the upgrade.

        Raises InvalidToken.
        """
        given = {
            str(name).lower(): value
            for name, value in payload.items()
            if isinstance(value, str)
        }
        for headers in (given, headers_of(scope)):
            with_service_token = self._with_service_token
            identity = identity_in(headers, with_service_token=with_service_token)
            if identity is not None:
                return identity
        return None


async def _close(send: Send, violation: Violation) -> None:
    reason = str(violation).encode()[:REASON_MAX_BYTES].decode(errors="ignore")
    await send({"type": "websocket.close", "code": violation.code, "reason": reason})
