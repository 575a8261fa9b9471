"""What one connection may hold, and how long its client may take."""

from dataclasses import dataclass, field

import uvicorn

from gateway.server.slow_readers import SlowReaders

HEAD_MAX_BYTES = 64 * 1024
HEADERS_MAX = 100
# Browsers and HTTP libraries do not pipeline at all.
PIPELINE_MAX = 16
# Connections above the limit that are told so; any further ones are just closed.
REJECTED_AT_ONCE = 100
# A read of so many bytes at most that is a whole request is not counted.
UNCOUNTED_READ_BYTES = 4096
# Above the first bound, connections that hold more than LARGE_FROM_BYTES are
# rejected; above the second one, all that hold more than before.
LARGE_FROM_BYTES = 64 * 1024
LARGE_REQUESTS_MAX_BYTES = 64 * 1024 * 1024
REQUESTS_MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one worker: connections at once, and seconds for each step.

    `read_seconds` is the longest that a request may take to arrive, head and
    body, or a WebSocket message; `write_seconds` is how long a client may take
    too little of a response.
    """

    connections: int
    read_seconds: float
    write_seconds: float


@dataclass(slots=True)
class HeldRequests:
    """Bytes that one worker holds of requests and messages of its clients."""

    held_bytes: int = 0


@dataclass(slots=True)
class HeldBytes:
    """The part of one connection in the HeldRequests of its worker."""

    of_worker: HeldRequests
    _held: int = field(default=0, init=False)

    def add(self, received: int) -> bool:
        """Hold bytes in addition; return whether the worker can hold them."""
        return self.hold(self._held + received)

    def hold(self, held: int) -> bool:
        """Hold so many bytes in all; return whether the worker can hold them."""
        more = held - self._held
        self._held = held
        self.of_worker.held_bytes += more
        is_large = held > LARGE_FROM_BYTES
        limit = LARGE_REQUESTS_MAX_BYTES if is_large else REQUESTS_MAX_BYTES
        return more <= 0 or self.of_worker.held_bytes <= limit

    def clear(self) -> None:
        """Hold nothing any longer."""
        self.hold(0)


class LimitedConfig(uvicorn.Config):
    """What uvicorn is told, and the limits of our connections beside it."""

    limits: ConnectionLimits
    held_requests: HeldRequests
    slow_readers: SlowReaders
