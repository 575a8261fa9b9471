"""The command as a shell runs it: arguments in, text out, exit status."""

import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from threading import Timer
from typing import IO
from uuid import uuid4

COMMAND = (sys.executable, "-m", "gateway")
LIMIT_SECONDS = 120
END_SECONDS = 15
MARK = "TEST_COMMAND"
OWN_SETTINGS = "GATEWAY_", "OS_"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it said."""

    status: int
    output: str
    errors: str


def taken_line(port: int, flag: str) -> str:
    """Return what a command says of a port that something listens on."""
    reason = f"Can't listen on port {port} of 127.0.0.1: Address already in use."
    return f"{reason} Choose another one with {flag}.\n"


@dataclass
class Command:
    """A running command: `output` and `errors` are where its text goes.

    `mark` is in the environment of all its processes.
    """

    process: subprocess.Popen[bytes]
    output: int
    errors: IO[bytes]
    mark: str
    said: bytes = b""

    def until(self, text: str) -> str:
        """Wait for a text on standard output and return all said so far."""
        while text.encode() not in self.said:
            assert self._read(), self.end()
        return self.said.decode()

    def end(self) -> Ended:
        """Wait until it has ended by itself."""
        while self._read():
            pass
        status = self.process.wait()
        self.errors.seek(0)
        return Ended(status, self.said.decode(), self.errors.read().decode())

    def so_far(self) -> str:
        """Return what it has said on standard error so far."""
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), size, 0).decode()

    def send(self, *signals: signal.Signals) -> None:
        """Send signals, one by one."""
        for number in signals:
            self.process.send_signal(number)

    def stop(self, number: signal.Signals) -> Ended:
        """Send a signal and wait for the end."""
        self.send(number)
        return self.end()

    def children(self) -> set[int]:
        """Return the ids of its processes besides the first one."""
        return self.processes() - {self.process.pid}

    def processes(self) -> set[int]:
        """Return the ids of its processes, in whatever group or session."""
        found = set()
        for environment in Path("/proc").glob("[0-9]*/environ"):
            # Processes come and go, and some are not ours to look into.
            with suppress(OSError):
                if self.mark.encode() in environment.read_bytes():
                    found.add(int(environment.parent.name))
        return found

    def _read(self) -> bytes:
        try:
            more = os.read(self.output, 65536)
        except OSError:
            # A terminal ends with an error.
            return b""
        self.said += more
        return more


@contextmanager
def piped(*arguments: str, **environment: str) -> Iterator[Command]:
    """Run the command with a pipe to read what it says."""
    with _running((*COMMAND, *arguments), environment, os.pipe()) as command:
        yield command


@contextmanager
def under_nohup(*arguments: str, **environment: str) -> Iterator[Command]:
    """Run the command as one that outlives its terminal."""
    nohup = ("nohup", *COMMAND, *arguments)
    with _running(nohup, environment, os.pipe()) as command:
        yield command


@contextmanager
def on_terminal(*arguments: str, **environment: str) -> Iterator[Command]:
    """Run the command with a terminal to read what it says."""
    with _running((*COMMAND, *arguments), environment, pty.openpty()) as command:
        yield command


def run(*arguments: str, **environment: str) -> Ended:
    """Run the command to its end."""
    with piped(*arguments, **environment) as command:
        return command.end()


@contextmanager
def _running(
    arguments: tuple[str, ...], environment: dict[str, str], ends: tuple[int, int]
) -> Iterator[Command]:
    """Run a command, and kill what still runs of it in the end."""
    mark = f"{MARK}={uuid4()}"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OWN_SETTINGS)}
    with tempfile.TemporaryFile() as errors, os.fdopen(ends[0], "rb") as output:
        with os.fdopen(ends[1], "wb") as said, _default_hang_up():
            process = subprocess.Popen(
                arguments,
                env=inherited | dict([mark.split("=")]) | environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=errors,
                start_new_session=True,
            )
        command = Command(process, output.fileno(), errors, mark)
        limit = Timer(LIMIT_SECONDS, kill, [command])
        with process:
            limit.start()
            try:
                yield command
            finally:
                limit.cancel()
                kill(command)


@contextmanager
def _default_hang_up() -> Iterator[None]:
    """Do not pass on that we ourselves may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def kill(command: Command) -> None:
    """Kill all of the command's processes."""
    for process in command.processes():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def wait_for(process: int) -> None:
    """Wait until a process that is not our child has ended."""
    handle = os.pidfd_open(process)
    try:
        assert select([handle], [], [], END_SECONDS)[0]
    finally:
        os.close(handle)
