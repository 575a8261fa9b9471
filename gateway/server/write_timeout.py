"""Cuts off a client that reads its responses too slowly."""

import asyncio

from gateway.server.slow_readers import SlowReaders, cut_off

# A client must read so much in `write_seconds`, or a quarter of its unsent bytes.
PROGRESS_BYTES = 256 * 1024


class WriteTimeout:
    """Watches a transport while its unsent bytes exceed its high-water mark.

    `written_bytes` is the size of the last write.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, readers: SlowReaders
    ) -> None:
        """Cut off a client without progress in `seconds`, and count it in `readers`."""
        self._loop = loop
        self._seconds = seconds
        self._readers = readers
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.WriteTransport | None = None
        self.written_bytes = 0

    def start(self, transport: asyncio.WriteTransport) -> None:
        """Begin to watch; a no-op while it is watching."""
        if self._timer is None:
            self._transport = transport
            self._schedule(transport)
            unsent = transport.get_write_buffer_size()
            self._readers.add(transport, max(unsent, self.written_bytes))

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._readers.discard(self._transport)
            self._transport = None

    def _schedule(self, transport: asyncio.WriteTransport) -> None:
        unsent = transport.get_write_buffer_size()
        self._timer = self._loop.call_later(
            self._seconds, self._check, transport, unsent
        )

    def _check(self, transport: asyncio.WriteTransport, unsent_before: int) -> None:
        taken = unsent_before - transport.get_write_buffer_size()
        if taken >= min(PROGRESS_BYTES, unsent_before // 4):
            self._schedule(transport)
            return
        self.stop()
        cut_off(transport, f"it read {taken} bytes in {self._seconds} seconds")


class Writer:
    """A transport for responses that reports the size of each write."""

    __slots__ = "_timeout", "_write", "close", "is_closing"

    def __init__(self, transport: asyncio.Transport, timeout: WriteTimeout) -> None:
        """Write to `transport`."""
        self._timeout = timeout
        self._write = transport.write
        self.close = transport.close
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write the data, and set `written_bytes` of the WriteTimeout."""
        self._timeout.written_bytes = len(data)
        self._write(data)
