"""The configuration of uvicorn, and the limits that the gateway adds to it."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from gateway.asgi.graphql.request import BODY_MAX_BYTES
from gateway.asgi.streaming.event_stream import KEEP_ALIVE_SECONDS
from gateway.log_filter import WithoutRequests
from gateway.server.http_connection import HttpConnection
from gateway.server.limits import ConnectionLimits, HeldRequests, LimitedConfig
from gateway.server.memory import GARBAGE_THRESHOLDS, MemoryKeeper
from gateway.server.slow_readers import SlowReaders
from gateway.server.websocket_connection import WebSocketConnection
from gateway.settings import Settings

GRACEFUL_SHUTDOWN_SECONDS = 10
MEMORY_CHECK_SECONDS = 0
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "filters": {"requests": {"()": WithoutRequests}},
    "handlers": {
        "errors": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["requests"],
        }
    },
    "root": {"handlers": ["errors"]},
}


def server_config(
    build: Callable[[], ASGIApp], settings: Settings, *, log_level: str
) -> LimitedConfig:
    """Return the server's configuration; each worker builds the application."""
    return limited_config(
        partial(_built, build),
        settings,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=LOGGING,
        log_level=log_level,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        callback_notify=MemoryKeeper().check,
        timeout_notify=MEMORY_CHECK_SECONDS,
    )


def limited_config(
    build: Callable[[], ASGIApp],
    settings: Settings,
    **others: Any,  # noqa: ANN401 - uvicorn's own
) -> LimitedConfig:
    """Return the configuration that all servers share, with `others` added.

    WebSocket messages are not compressed: compressing a response of megabytes would
    block the event loop.
    """
    config = LimitedConfig(
        build,
        factory=True,
        access_log=False,
        proxy_headers=False,
        http=HttpConnection,
        ws=WebSocketConnection,
        ws_max_size=BODY_MAX_BYTES,
        ws_ping_interval=KEEP_ALIVE_SECONDS,
        ws_per_message_deflate=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        **others,
    )
    config.limits = ConnectionLimits(
        settings.connections,
        settings.read_timeout_seconds,
        settings.write_timeout_seconds,
    )
    config.held_requests = HeldRequests()
    config.slow_readers = SlowReaders()
    return config


def _built(build: Callable[[], ASGIApp]) -> ASGIApp:
    """Return the application, built in a process that serves nothing else.

    The garbage collector ignores the application's objects, as they live as long as
    the process.
    """
    app = build()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    return app
