"""Cutting off a client that reads nothing of what it asked for."""

import asyncio
import logging
import socket
import struct

logger = logging.getLogger(__name__)

# Less in `write_seconds` is as good as nothing.
PROGRESS_BYTES = 16 * 1024
# On, zero seconds. Source: socket(7), SO_LINGER.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class WriteTimeout:
    """Watches a transport while more waits to be sent than it likes to hold.

    A connection that is cut off is not closed in order: what its client does not
    read would have to be read first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Cut a client off that has taken nothing for so long."""
        self._loop = loop
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self, transport: asyncio.WriteTransport) -> None:
        """Begin to watch; a no-op while it does."""
        if self._timer is None:
            self._schedule(transport)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, transport: asyncio.WriteTransport) -> None:
        unsent = transport.get_write_buffer_size()
        self._timer = self._loop.call_later(
            self._seconds, self._check, transport, unsent
        )

    def _check(self, transport: asyncio.WriteTransport, unsent_before: int) -> None:
        unsent = transport.get_write_buffer_size()
        if unsent_before - unsent >= PROGRESS_BYTES:
            self._schedule(transport)
            return
        self._timer = None
        client = transport.get_extra_info("peername")
        logger.warning(
            "client %s is cut off: it read nothing for %s seconds, %s bytes unsent",
            client,
            self._seconds,
            unsent,
        )
        # Else the system would go on offering what it holds for the client.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        transport.abort()
