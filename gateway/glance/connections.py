"""Connections to Glance, reused only while nothing unexpected came over them."""

import asyncio
import select
from contextvars import ContextVar
from functools import partial
from http import HTTPStatus
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

# To one request; 100 and 103 are of no use to us.
INTERIM_RESPONSES_MAX = 100

exchange_under_way: ContextVar[Exchange] = ContextVar("exchange_under_way")


class GlanceConnection(ResponseHandler):
    """A connection that counts as closed once it holds bytes nobody asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the first request."""
        super().__init__(loop)
        self.is_idle = True
        self.is_new = True
        self._interim_responses = 0
        self._poll = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where unread bytes show."""
        super().connection_made(transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def begin(self, exchange: Exchange) -> None:
        """Expect the response to a request that is about to be written."""
        exchange.assign_connection(self, is_first=self.is_new)
        self.is_new = self.is_idle = False
        self._interim_responses = 0

    def data_received(self, data: bytes) -> None:
        """Read a response; bytes without a request end the connection."""
        if not self.is_idle:
            super().data_received(data)
        elif data:
            self.close()

    def feed_data(
        self, data: tuple[RawResponseMessage, StreamReader], size: int = 0
    ) -> None:
        """Queue a response; a flood of interim ones ends the connection.

        aiohttp would skip them without letting anybody else have a turn.
        """
        if data[0].code < HTTPStatus.OK:
            self._interim_responses += 1
            if self._interim_responses > INTERIM_RESPONSES_MAX:
                if self.transport is not None:
                    self.transport.close()
                self.set_exception(aiohttp.ServerDisconnectedError())
                return
        super().feed_data(data, size)

    def is_connected(self) -> bool:
        """Tell whether an idle connection can take another request."""
        return (
            super().is_connected()
            and not self._should_close
            and not self._holds_unexpected_bytes()
        )

    def _holds_unexpected_bytes(self) -> bool:
        """Tell whether there is more than the responses that were asked for.

        Four cases: a whole response that was parsed, bytes that no parser has
        seen, the beginning of a response, and bytes (or the end of the
        connection) that the loop has not read.
        """
        return bool(
            self._buffer
            or self._tail
            or self._has_begun_response()
            or self._poll.poll(0)
        )

    def _has_begun_response(self) -> bool:
        try:
            return self._parser is not None and self._parser.feed_eof() is not None
        except HttpProcessingError:
            return True


class GlanceConnector(aiohttp.TCPConnector):
    """Tells each exchange of its connection.

    Stands on methods of aiohttp's that are not public, so its minor is pinned.
    """

    def __init__(self, *, limit: int, tls: SSLContext, is_kept: bool) -> None:
        """Open nothing yet; connections that are not kept take one request each."""
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
        """Return a connection on which nothing waits to be read.

        Raises ServerDisconnectedError where a server speaks first.
        """
        connection = await super().connect(req, traces, timeout)
        protocol = cast("GlanceConnection", connection.protocol)
        if protocol.is_new and not protocol.is_connected():
            connection.close()
            raise aiohttp.ServerDisconnectedError
        protocol.begin(exchange_under_way.get())
        return connection

    def _release(
        self,
        key: "ConnectionKey",
        protocol: ResponseHandler,
        *,
        should_close: bool = False,
    ) -> None:
        cast("GlanceConnection", protocol).is_idle = True
        super()._release(key, protocol, should_close=should_close)
