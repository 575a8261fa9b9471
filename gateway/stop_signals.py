"""Signals that ask a command to stop, and when they may."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def until_stopped() -> Iterator[None]:
    """Leave at the first signal to stop, as if done, and ignore later ones.

    It arrives inside as KeyboardInterrupt. A hang-up that `nohup` has us
    ignore stays ignored.
    """
    stopping = [
        number
        for number in STOP_SIGNALS
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    ]

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in stopping:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in stopping:
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        return


@contextmanager
def held_signals() -> Iterator[None]:
    """Let signals to stop wait until what may not be cut in two is done.

    A process started inside holds them for ever, unless it lets them through.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
