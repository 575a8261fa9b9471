"""uvicorn's WebSocket connection with limits on its memory and its CPU time."""

import asyncio
from time import monotonic
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame

from gateway.server.limits import HeldBytes, LimitedConfig
from gateway.server.rejections import HEAD_TOO_LARGE
from gateway.server.write_timeout import WriteTimeout

FRAGMENTS_MAX = 1024
# Parsing a frame of six bytes takes some 15 microseconds.
PIECE_BYTES = 2048
TURN_SECONDS = 0.005
# RFC 6455 gives a reason 123 bytes.
TOO_MANY_MESSAGES = (
    "This worker is receiving as many messages as it may hold: try again later."
)
TOO_SLOW = "The message took too long to arrive."


class WebSocketConnection(WebSocketsSansIOProtocol):
    """One WebSocket connection.

    Received bytes are parsed in pieces. A piece is parsed once the application has
    taken the messages of the one before, and while the client reads what it is sent.
    So neither messages nor pongs accumulate, and other connections have their turns.
    A message that arrives within one read sets no timer.
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
        self._write_timeout = WriteTimeout(
            self.loop, config.limits.write_seconds, config.slow_readers
        )
        self._read_seconds = config.limits.read_seconds
        self._read_timer: asyncio.TimerHandle | None = None
        self._held_bytes = HeldBytes(config.held_requests)
        self._unparsed = bytearray()
        self._next_turn: asyncio.Handle | None = None
        self._fragments = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that is held."""
        super().connection_lost(exc)
        self._write_timeout.stop()
        self._stop_read_timer()
        self._held_bytes.clear()
        self._unparsed.clear()
        self.frames = []
        # The generator and its connection refer to each other.
        self.conn.parser.close()
        if self._next_turn is not None:
            self._next_turn.cancel()

    def data_received(self, data: bytes) -> None:
        """Queue the received bytes, and parse them unless a turn is scheduled."""
        self._unparsed += data
        if self._next_turn is None:
            self._parse()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment of a message."""
        if self.close_sent:
            return
        self._fragments += 1
        if self._fragments > FRAGMENTS_MAX:
            self._fail(CloseCode.POLICY_VIOLATION, "A message has too many fragments.")
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a complete message to the application."""
        self._fragments = 0
        self._stop_read_timer()
        if self.curr_msg_data_type == "text" and not self.close_sent:
            self.frames = [b"".join(self.frames)]
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "A text is not UTF-8.")
                return
        super().send_receive_event_to_app()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._write_timeout.start(self.transport)

    def resume_writing(self) -> None:
        """Continue writing, and reading."""
        super().resume_writing()
        self._write_timeout.stop()
        self._schedule()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message, and wait while too many bytes are unsent."""
        self._write_timeout.written_bytes = len(str(message.get("text", "")))
        await super().send(message)
        await self.writable.wait()
        if self.close_sent:
            self._schedule()

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next message, and continue reading if it was the last."""
        message = await self.queue.get()
        if self.queue.empty():
            self._schedule()
        return message

    def _schedule(self) -> None:
        """Schedule a turn to parse; a no-op if nothing waits."""
        if self._next_turn is None and (self._unparsed or self.read_paused):
            self._next_turn = self.loop.call_soon(self._parse)

    def _parse(self) -> None:
        """Parse for TURN_SECONDS, then yield to other connections."""
        self._next_turn = None
        until = monotonic() + TURN_SECONDS
        while self._unparsed and self._may_parse() and monotonic() < until:
            piece = bytes(self._unparsed[:PIECE_BYTES])
            del self._unparsed[:PIECE_BYTES]
            super().data_received(piece)
            if not self.handshake_initiated and self.conn.handshake_exc is not None:
                self._reject()
        self._watch_unfinished()
        if self.transport.is_closing():
            self._unparsed.clear()
        elif self._unparsed and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        if self._may_parse():
            if self._unparsed:
                self._schedule()
            elif self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()

    def _may_parse(self) -> bool:
        if self.transport.is_closing() or not self.writable.is_set():
            return False
        return self.queue.empty() or self.close_sent

    def _watch_unfinished(self) -> None:
        """Count bytes that are not passed on, and time an incomplete message."""
        in_frame = len(self.conn.reader.buffer)
        in_message = in_frame + sum(map(len, self.frames))
        if not self._held_bytes.hold(in_message + len(self._unparsed)):
            self._fail(CloseCode.TRY_AGAIN_LATER, TOO_MANY_MESSAGES)
        elif not in_frame and not self.frames:
            self._stop_read_timer()
        elif self._read_timer is None and not self._unparsed:
            self._start_read_timer()

    def _start_read_timer(self) -> None:
        self._read_timer = self.loop.call_later(
            self._read_seconds, self._read_timed_out
        )

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _read_timed_out(self) -> None:
        """Close the connection, unless the gateway itself has paused reading."""
        self._read_timer = None
        if self.read_paused:
            self._start_read_timer()
        else:
            self._fail(CloseCode.POLICY_VIOLATION, TOO_SLOW)

    def _fail(self, code: CloseCode, reason: str) -> None:
        if self.transport.is_closing():
            return
        self.frames = []
        self._stop_read_timer()
        self._held_bytes.clear()
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _reject(self) -> None:
        """Reject an upgrade that websockets does not accept; uvicorn would wait."""
        self.transport.write(HEAD_TOO_LARGE.response(self.default_headers))
        self.transport.close()
