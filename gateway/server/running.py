"""The running server: it prints when it listens, and shuts down gracefully."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from types import FrameType

import typer
import uvicorn

from gateway.stop_signals import STOP_SIGNALS


class Server(uvicorn.Server):
    """A server that prints when it listens, and shuts down gracefully, once."""

    def __init__(
        self, config: uvicorn.Config, message: str, *, page_url: str | None = None
    ) -> None:
        """Print `message` once it listens, and open the page in a browser."""
        super().__init__(config)
        self._message = message
        self._page_url = page_url

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then print the message."""
        await super().startup(sockets)
        typer.echo(self._message)
        if self._page_url is not None:
            _open_browser(self._page_url)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Complete requests in flight after the first signal, then raise it again."""
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


def _open_browser(url: str) -> None:
    """Open a browser if there is one; it may outlive this process.

    It is started in a process without a terminal, so that a text browser does not
    take over this terminal.
    """
    subprocess.Popen(  # noqa: S603 - the same Python
        [sys.executable, "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
