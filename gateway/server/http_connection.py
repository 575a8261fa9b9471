"""uvicorn's HTTP connection with limits on its memory and its time."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from gateway.server.limits import (
    HEAD_MAX_BYTES,
    HEADERS_MAX,
    PIPELINE_MAX,
    REJECTED_AT_ONCE,
    UNCOUNTED_READ_BYTES,
    HeldBytes,
    LimitedConfig,
)
from gateway.server.rejections import (
    HEAD_TOO_LARGE,
    MALFORMED,
    TOO_MANY_CONNECTIONS,
    TOO_MUCH_HELD,
    TOO_SLOW,
    Rejection,
)
from gateway.server.slow_readers import UNCOUNTED_BYTES
from gateway.server.write_timeout import Writer, WriteTimeout


class Rejected(Exception):
    """Ends the parsing of a request."""


class _NoTrailers(list[tuple[bytes, bytes]]):
    """Drops the headers that follow a body: the application does not see them."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Drop a header."""


NO_TRAILERS = _NoTrailers()


class HttpConnection(HttpToolsProtocol):
    """One HTTP connection.

    A request that arrives within one read sets no timer.
    """

    def __init__(
        self,
        config: LimitedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Apply the limits of `config`."""
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._write_timeout = WriteTimeout(
            self.loop, config.limits.write_seconds, config.slow_readers
        )
        self._read_timer: asyncio.TimerHandle | None = None
        self._held_bytes = HeldBytes(config.held_requests)
        self._is_reading = False
        self._is_in_head = False
        self._head_bytes = 0
        self._read_bytes = 0
        self._rejection = MALFORMED
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, if another connection is allowed."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections + REJECTED_AT_ONCE:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=UNCOUNTED_BYTES, low=0)
        self._writer = Writer(transport, self._write_timeout)
        self._start_read_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that is held, and notify the running request.

        uvicorn notifies the newest of pipelined requests, which may be another one, and
        does not stop its timer if the client has reset the connection.
        """
        self.pipeline.clear()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
            self._running = None
        self._stop_read_timer()
        self._write_timeout.stop()
        self._held_bytes.clear()

    def data_received(self, data: bytes) -> None:
        """Parse the received bytes."""
        if self.cycle is None and len(self.connections) > self._limits.connections:
            self._reject(TOO_MANY_CONNECTIONS)
            return
        was_in_head = self._is_in_head
        self._read_bytes = len(data)
        super().data_received(data)
        if self._is_reading or self.pipeline or len(data) > UNCOUNTED_READ_BYTES:
            self._count(len(data), was_in_head=was_in_head)
        self._time_reading()

    def handle_websocket_upgrade(self) -> None:
        """Hand the transport over to a WebSocket connection.

        While a response is in progress, the connection closes instead.
        """
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.transport.close()
            return
        self._stop_read_timer()
        self._write_timeout.stop()
        self._held_bytes.clear()
        super().handle_websocket_upgrade()
        # The parser and the connection refer to each other.
        self.parser = None  # type: ignore[assignment]

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own text
        """Reject a request that could not be parsed."""
        self._reject(self._rejection)

    def on_message_begin(self) -> None:
        """Begin to count the bytes of a request."""
        super().on_message_begin()
        self._is_reading = self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Start the request, or queue it behind others."""
        if self._is_head_too_large():
            raise self._rejected(HEAD_TOO_LARGE)
        if len(self.pipeline) >= PIPELINE_MAX or not self.url.isascii():
            raise self._rejected(MALFORMED)
        self._is_in_head = False
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        if not self.parser.should_upgrade():
            self.headers = NO_TRAILERS
            self.cycle.transport = self._writer  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Note that the request has arrived completely."""
        super().on_message_complete()
        self._is_reading = False

    def on_response_complete(self) -> None:
        """Start the next request; read no more while requests are queued."""
        if not self.pipeline and not self._is_in_head:
            self._held_bytes.clear()
        self._running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._write_timeout.start(self.transport)

    def resume_writing(self) -> None:
        """Continue writing."""
        super().resume_writing()
        self._write_timeout.stop()

    def shutdown(self) -> None:
        """Close connections with streams: their clients reconnect elsewhere."""
        super().shutdown()
        cycle = self.cycle
        if cycle and cycle.response_started and not cycle.response_complete:
            self.transport.close()

    def _is_head_too_large(self) -> bool:
        """Return whether the head exceeds a limit.

        Its exact size is computed only if the reads that it arrived in were larger.
        """
        headers = self.headers
        if len(headers) > HEADERS_MAX:
            return True
        if self._head_bytes + self._read_bytes <= HEAD_MAX_BYTES:
            return False
        head_bytes = sum(len(name) + len(value) for name, value in headers)
        return head_bytes + len(self.url) > HEAD_MAX_BYTES

    def _count(self, count: int, *, was_in_head: bool) -> None:
        """Count received bytes, which are held until their requests complete."""
        if self._is_in_head and was_in_head:
            # httptools buffers an incomplete header without a callback.
            self._head_bytes += count
            if self._head_bytes > HEAD_MAX_BYTES:
                self._reject(HEAD_TOO_LARGE)
        if self._holds_what_is_read() and not self._held_bytes.add(count):
            self._reject(TOO_MUCH_HELD, is_of_newest=not self._is_in_head)

    def _holds_what_is_read(self) -> bool:
        """Return False after an upgrade, and for a body after its response."""
        if self.parser is None:
            return False
        cycle = self.cycle
        return self._is_in_head or (cycle is not None and not cycle.response_complete)

    def _rejected(self, rejection: Rejection) -> Rejected:
        """Return the exception that ends the parsing and calls `send_400_response`."""
        self._rejection = rejection
        return Rejected()

    def _reject(self, rejection: Rejection, *, is_of_newest: bool = False) -> None:
        """Send the rejection unless a response is in progress, and close.

        A no-op if the connection is closing already. `is_of_newest` is True if the
        newest request is rejected, complete or not.
        """
        if self.transport.is_closing():
            return
        is_own = is_of_newest or (self._is_reading and not self._is_in_head)
        if self._may_respond(is_own=is_own):
            headers = self.server_state.default_headers
            self.transport.write(rejection.response(headers))
        self.transport.close()

    def _may_respond(self, *, is_own: bool) -> bool:
        """Return whether the next response belongs to the rejected request.

        `is_own` is True if that is the newest request with a complete head.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return is_own and not cycle.response_started and not self.pipeline

    def _time_reading(self) -> None:
        """Run the timer only while a request is awaited or arriving."""
        cycle = self.cycle
        if self._is_reading or cycle is None or cycle.response_complete:
            if self._read_timer is None and self in self.connections:
                self._start_read_timer()
        elif self._read_timer is not None:
            self._stop_read_timer()

    def _start_read_timer(self) -> None:
        seconds = self._limits.read_seconds
        self._read_timer = self.loop.call_later(seconds, self._read_timed_out)

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _read_timed_out(self) -> None:
        """Close the connection, unless the gateway itself has paused reading."""
        self._read_timer = None
        if self.flow.read_paused or self.pipeline:
            self._start_read_timer()
        elif self._is_reading:
            self._reject(TOO_SLOW)
        else:
            # A client could take a response without a request for its next response.
            self.transport.close()
