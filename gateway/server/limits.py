"""Limits of connections: bytes held, and the time that a client may take."""

from dataclasses import dataclass, field

import uvicorn

from gateway.server.slow_readers import SlowReaders

HEAD_MAX_BYTES = 64 * 1024
HEADERS_MAX = 100
# Browsers and HTTP libraries do not pipeline at all.
PIPELINE_MAX = 16
# Connections above the limit that get a 503; any further ones are closed at once.
REJECTED_AT_ONCE = 100
# A complete request of at most this size that arrives in one read is not counted.
UNCOUNTED_READ_BYTES = 4096
# Above LARGE_REQUESTS_MAX_BYTES, connections that hold more than LARGE_FROM_BYTES are
# rejected; above REQUESTS_MAX_BYTES, all that hold more than before.
LARGE_FROM_BYTES = 64 * 1024
LARGE_REQUESTS_MAX_BYTES = 64 * 1024 * 1024
REQUESTS_MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one worker: connections at once, and seconds for each step.

    `read_seconds` is how long a request (head and body) or a WebSocket message may
    take to arrive. `write_seconds` is how long a client may read a response too
    slowly.
    """

    connections: int
    read_seconds: float
    write_seconds: float


@dataclass(slots=True)
class HeldRequests:
    """Bytes of requests and WebSocket messages that one worker holds."""

    held_bytes: int = 0


@dataclass(slots=True)
class HeldBytes:
    """The bytes that one connection adds to the HeldRequests of its worker."""

    of_worker: HeldRequests
    _held: int = field(default=0, init=False)

    def add(self, received: int) -> bool:
        """Add bytes; return whether the worker can hold them."""
        return self.hold(self._held + received)

    def hold(self, held: int) -> bool:
        """Set the held bytes; return whether the worker can hold them."""
        more = held - self._held
        self._held = held
        self.of_worker.held_bytes += more
        is_large = held > LARGE_FROM_BYTES
        limit = LARGE_REQUESTS_MAX_BYTES if is_large else REQUESTS_MAX_BYTES
        return more <= 0 or self.of_worker.held_bytes <= limit

    def clear(self) -> None:
        """Set the held bytes to 0."""
        self.hold(0)


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration, and the limits of the gateway's connections."""

    limits: ConnectionLimits
    held_requests: HeldRequests
    slow_readers: SlowReaders
