"""Limits the unsent bytes of all clients of one worker together."""

import asyncio
import logging
import socket
import struct

logger = logging.getLogger(__name__)

UNSENT_MAX_BYTES = 64 * 1024 * 1024
# A transport with more unsent bytes pauses, and is counted until all are sent.
UNCOUNTED_BYTES = 16 * 1024
# On, zero seconds. Source: socket(7), SO_LINGER.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class SlowReaders:
    """The paused transports of one worker, and the bytes that they hold.

    Nothing is written to a paused transport. It holds all bytes that were written to
    it until the last of them is sent.
    """

    def __init__(self, max_bytes: int = UNSENT_MAX_BYTES) -> None:
        """Let all transports together hold `max_bytes`."""
        self._max_bytes = max_bytes
        self._held: dict[asyncio.WriteTransport, int] = {}
        self._held_bytes = 0

    def add(self, transport: asyncio.WriteTransport, held_bytes: int) -> None:
        """Count a transport; cut off the largest ones if all hold too much."""
        self.discard(transport)
        self._held[transport] = held_bytes
        self._held_bytes += held_bytes
        while self._held_bytes > self._max_bytes:
            self._cut_off_largest()

    def discard(self, transport: asyncio.WriteTransport) -> None:
        """Stop counting a transport; a no-op if it is not counted."""
        self._held_bytes -= self._held.pop(transport, 0)

    def _cut_off_largest(self) -> None:
        largest = max(self._held, key=self._held.__getitem__)
        self.discard(largest)
        cut_off(
            largest,
            "the clients of this worker leave more than"
            f" {self._max_bytes} bytes unread, and this client the most of them",
        )


def cut_off(transport: asyncio.WriteTransport, reason: str) -> None:
    """Reset a connection, and log why.

    It is not closed gracefully: its client would have to read the unsent bytes
    first.
    """
    client = transport.get_extra_info("peername")
    unsent = transport.get_write_buffer_size()
    logger.warning("client %s is cut off: %s, %s bytes unsent", client, reason, unsent)
    # Otherwise the kernel would keep sending the bytes in its own buffer.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    transport.abort()
