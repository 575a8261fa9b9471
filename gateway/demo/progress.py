"""Steps that take a while, shown in the terminal with their time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Step:
    """A step under way; `count` shows how far it is, on terminals only."""

    def __init__(self, name: str) -> None:
        """Show the name, and on a terminal keep its line open."""
        self._name = name
        self._started_at = time.monotonic()
        if sys.stdout.isatty():
            self._show("…")

    def count(self, done: int, total: int) -> None:
        """Show that `done` of `total` parts are there."""
        if sys.stdout.isatty():
            self._show(f"{done} of {total}")

    def finish(self) -> None:
        """Show the time that it took."""
        seconds = time.monotonic() - self._started_at
        if sys.stdout.isatty():
            self._show(f"{seconds:.1f} s\n")
        else:
            print(f"{self._name:<32} {seconds:.1f} s", flush=True)

    def _show(self, state: str) -> None:
        sys.stdout.write(f"\r\x1b[K{self._name:<32} {state}")
        sys.stdout.flush()


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show a step from its start to its end; a failed one shows no time."""
    under_way = Step(name)
    yield under_way
    under_way.finish()
