"""Connections to Glance, closed once unexpected bytes arrive on them."""

import asyncio
import select
from contextvars import ContextVar
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

from gateway.glance.exchange import Exchange

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest, ConnectionKey
    from aiohttp.tracing import Trace

# For one request. The gateway makes no use of statuses such as 100 and 103.
INTERIM_RESPONSES_MAX = 100
FINAL_RESPONSE = 200

_NO_CONTENT = b"HTTP/1.1 204", b"HTTP/1.0 204"
_END_OF_HEAD = b"\r\n\r\n"

current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class GlanceConnection(ResponseHandler):
    """A connection that counts as closed once it holds unexpected bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the first request."""
        super().__init__(loop)
        self.is_idle = True
        self.is_new = True
        self._awaits_head = False
        self._interim_responses = 0
        self._poll = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the socket, to poll it for unread bytes later."""
        super().connection_made(transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def begin(self, exchange: Exchange) -> None:
        """Expect the response to a request that is about to be written."""
        exchange.assign_connection(self, is_first=self.is_new)
        self.is_new = self.is_idle = False
        self._awaits_head = True
        self._interim_responses = 0

    def data_received(self, data: bytes) -> None:
        """Read a response; close the connection for bytes that no request awaits."""
        if self.is_idle:
            if data:
                self.close()
        elif self._awaits_head and data.startswith(_NO_CONTENT):
            self._no_content_received(data)
        else:
            super().data_received(data)

    def _no_content_received(self, data: bytes) -> None:
        """Read a response without a body, and drop bytes that follow it.

        Some servers send chunks or a page after a 204, which aiohttp would parse as
        the next response.
        """
        head, end, rest = data.partition(_END_OF_HEAD)
        if rest:
            self.force_close()
        super().data_received(head + end)

    def feed_data(
        self, data: tuple[RawResponseMessage, StreamReader], size: int = 0
    ) -> None:
        """Queue a response; close the connection after too many interim ones.

        aiohttp would skip them without yielding to the event loop.
        """
        if data[0].code < FINAL_RESPONSE:
            self._interim_responses += 1
            if self._interim_responses > INTERIM_RESPONSES_MAX:
                if self.transport is not None:
                    self.transport.close()
                self.set_exception(aiohttp.ServerDisconnectedError())
                return
        else:
            self._awaits_head = False
        super().feed_data(data, size)

    def is_connected(self) -> bool:
        """Return whether an idle connection can take another request."""
        return self._is_clean() and not self._poll.poll(0)

    async def check_new(self) -> None:
        """Raise ServerDisconnectedError for bytes before the first request.

        The event loop reads them first: over TLS they may be session tickets.
        """
        if not self.is_connected():
            await asyncio.sleep(0)
            if not self._is_clean():
                raise aiohttp.ServerDisconnectedError

    def _is_clean(self) -> bool:
        return (
            super().is_connected()
            and not self._should_close
            and not self._holds_unexpected_bytes()
        )

    def _holds_unexpected_bytes(self) -> bool:
        """Return whether bytes were read that belong to no request.

        Three cases: a complete parsed response, bytes that are not parsed yet, and
        the beginning of a response.
        """
        return bool(self._buffer or self._tail or self._has_begun_response())

    def _has_begun_response(self) -> bool:
        try:
            return self._parser is not None and self._parser.feed_eof() is not None
        except HttpProcessingError:
            return True


class GlanceConnector(aiohttp.TCPConnector):
    """Assigns a connection to each exchange.

    It overrides private methods of aiohttp, whose minor version is pinned for that.
    """

    def __init__(self, *, limit: int, tls: SSLContext, is_kept: bool) -> None:
        """Open no connection yet.

        Without `is_kept`, each connection is used for one request only.
        """
        super().__init__(limit=limit, ssl=tls, force_close=not is_kept)
        self._factory = cast(
            "partial[ResponseHandler]", partial(GlanceConnection, loop=self._loop)
        )

    async def connect(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """Return a connection without unread bytes.

        Raises ServerDisconnectedError if the server sends bytes before a request.
        """
        connection = await super().connect(req, traces, timeout)
        protocol = cast("GlanceConnection", connection.protocol)
        if protocol.is_new:
            try:
                await protocol.check_new()
            except BaseException:
                connection.close()
                raise
        protocol.begin(current_exchange.get())
        return connection

    async def _create_direct_connection(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
        *,
        client_error: type[Exception] = aiohttp.ClientConnectorError,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Open a connection; aiohttp itself sends CONNECT on one to a proxy."""
        transport, protocol = await super()._create_direct_connection(
            req, traces, timeout, client_error=client_error
        )
        if client_error is aiohttp.ClientProxyConnectionError:
            cast("GlanceConnection", protocol).is_idle = False
        return transport, protocol

    def _release(
        self,
        key: "ConnectionKey",
        protocol: ResponseHandler,
        *,
        should_close: bool = False,
    ) -> None:
        cast("GlanceConnection", protocol).is_idle = True
        super()._release(key, protocol, should_close=should_close)
