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
# What is counted of a request's body and of what a WebSocket connection has sent
# and is not handed over; the first 64 KiB of each are free.
LARGE_BODY_FROM_BYTES = 64 * 1024
LARGE_BODIES_MAX_BYTES = 64 * 1024 * 1024


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
class LargeBodies:
    """Bytes of large request bodies and messages that one worker holds."""

    held_bytes: int = 0


@dataclass(slots=True)
class BodyBytes:
    """The part of one connection in the LargeBodies of its worker."""

    of_worker: LargeBodies
    _received: int = field(default=0, init=False)
    _held: int = field(default=0, init=False)

    def add(self, received: int) -> bool:
        """Count bytes of a body; return whether the worker can hold them."""
        return self.hold(self._received + received)

    def hold(self, received: int) -> bool:
        """Count so many bytes in all; return whether the worker can hold them."""
        self._received = received
        more = max(0, received - LARGE_BODY_FROM_BYTES) - self._held
        self._held += more
        self.of_worker.held_bytes += more
        return more <= 0 or self.of_worker.held_bytes <= LARGE_BODIES_MAX_BYTES

    def clear(self) -> None:
        """Count nothing of this connection any longer."""
        self.hold(0)


class LimitedConfig(uvicorn.Config):
    """What uvicorn is told, and the limits of our connections beside it."""

    limits: ConnectionLimits
    large_bodies: LargeBodies
    slow_readers: SlowReaders
