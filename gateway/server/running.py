"""Running the server: it says when it listens, and stops in order."""

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
