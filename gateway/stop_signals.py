"""Handling of the signals that stop a command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def until_stopped() -> Iterator[None]:
    """Leave the block without an error at the first stop signal; ignore later ones.

    The block is interrupted by KeyboardInterrupt. SIGHUP stays ignored if it
    already is, as under `nohup`.
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
    """Block stop signals until the block, which must not be interrupted, ends.

    A process started inside inherits the blocked signals; it must unblock them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
