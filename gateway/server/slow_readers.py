"""Bounding what the clients of one worker do not read, taken together."""

import asyncio
import logging
import socket
import struct

logger = logging.getLogger(__name__)

UNSENT_MAX_BYTES = 64 * 1024 * 1024
# A transport that has more unsent pauses, and is counted until it has nothing.
UNCOUNTED_BYTES = 16 * 1024
# On, zero seconds. Source: socket(7), SO_LINGER.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class SlowReaders:
    """The paused transports of one worker, and the bytes that they hold.

    Nothing is added to what a paused transport holds. A transport holds what was
    written to it until all of that is sent, however little is left.
    """

    def __init__(self, max_bytes: int = UNSENT_MAX_BYTES) -> None:
        """Let transports hold so many bytes together."""
        self._max_bytes = max_bytes
        self._held: dict[asyncio.WriteTransport, int] = {}
        self._held_bytes = 0

    def add(self, transport: asyncio.WriteTransport, held_bytes: int) -> None:
        """Count a transport; cut off those that hold most if all hold too much."""
        self.discard(transport)
        self._held[transport] = held_bytes
        self._held_bytes += held_bytes
        while self._held_bytes > self._max_bytes:
            self._cut_off_largest()

    def discard(self, transport: asyncio.WriteTransport) -> None:
        """Count a transport no longer; a no-op where it is not counted."""
        self._held_bytes -= self._held.pop(transport, 0)

    def _cut_off_largest(self) -> None:
        largest = max(self._held, key=self._held.__getitem__)
        self.discard(largest)
        cut_off(
            largest,
            "it holds the most of what the clients of this worker do not read, which is"
            f" more than {self._max_bytes} bytes",
        )


def cut_off(transport: asyncio.WriteTransport, reason: str) -> None:
    """Reset a connection, and log why.

    It is not closed in order: what its client does not read would have to be
    read first.
    """
    client = transport.get_extra_info("peername")
    unsent = transport.get_write_buffer_size()
    logger.warning("client %s is cut off: %s, %s bytes unsent", client, reason, unsent)
    # Else the system would go on offering what it holds for the client.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    transport.abort()
