"""How the gateway is served: what uvicorn is told, and what it leaves to us."""

import gc
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from socket import socket
from types import FrameType

import typer
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.asgi.event_stream import KEEP_ALIVE_SECONDS
from gateway.asgi.http_request import BODY_MAX_BYTES
from gateway.log_filter import WithoutRequests
from gateway.settings import Settings
from gateway.stop_signals import STOP_SIGNALS

GRACEFUL_SHUTDOWN_SECONDS = 10
GARBAGE_THRESHOLDS = 50_000, 20, 20
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


class Server(uvicorn.Server):
    """A server that says when it listens, and stops in order, once."""

    def __init__(
        self, config: uvicorn.Config, said: str, *, page_url: str | None = None
    ) -> None:
        """Say `said` when it listens, and open the page in a browser."""
        super().__init__(config)
        self._said = said
        self._page_url = page_url

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then say it."""
        await super().startup(sockets)
        typer.echo(self._said)
        if self._page_url is not None:
            _open_browser(self._page_url)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Answer what is under way at the first signal, then pass it on."""
        received: list[int] = []

        def stop(number: int, _frame: FrameType | None) -> None:
            received.append(number)
            self.should_exit = True

        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        for number in (n for n in handlers if handlers[n] != signal.SIG_IGN):
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


class EndingStreams(HttpToolsProtocol):
    """HTTP, without waiting at shutdown for answers that do not end by themselves."""

    def shutdown(self) -> None:
        """Close the connection of a stream: its client connects anew, elsewhere."""
        super().shutdown()
        cycle = self.cycle
        if cycle and cycle.response_started and not cycle.response_complete:
            self.transport.close()


def server_config(
    build: Callable[[], ASGIApp], settings: Settings, *, log_level: str
) -> uvicorn.Config:
    """Return what the server of an application is told; each worker builds it."""
    return uvicorn.Config(
        partial(_built, build),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=LOGGING,
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        http=EndingStreams,
        ws_max_size=BODY_MAX_BYTES,
        ws_ping_interval=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )


def _open_browser(url: str) -> None:
    """Open a browser where there is one; it outlives us.

    A process of its own has no terminal, so that browsers which need one don't
    take ours.
    """
    subprocess.Popen(  # noqa: S603 - this very Python
        [sys.executable, "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _built(build: Callable[[], ASGIApp]) -> ASGIApp:
    """Return the application, built in a process that serves nothing else.

    What lives as long as the process is looked through for garbage no more, and
    what a request makes not before there is much of it: full passes took a tenth
    of the time, each of them 60 ms in which nobody was answered.
    """
    app = build()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    return app
