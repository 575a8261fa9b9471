"""The processes of the benchmark, each on its core, and what they use up."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.listening import HOST, ServiceFailed, free_port, url_at
from gateway.stop_signals import held_signals
from tests.benchmark.stub_glance import LISTENING

GATEWAY_CORE, OTHER_CORE = 0, 1
FORGET_PEAK = "5"
STARTED = "startup complete"

UVICORN = ("uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log")


@dataclass(frozen=True)
class Server:
    """A process that listens at a port of this machine."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Return its address."""
        return url_at(HOST, self.port)

    def cpu_seconds(self) -> float:
        """Return what its threads have computed, in user and system mode.

        The clock is clock_getcpuclockid(3)'s; /proc's counts ticks of 10 ms.
        """
        return time.clock_gettime(~self.pid << 3 | 2)

    def forget_peak(self) -> None:
        """Let the peak of its memory begin anew; source: proc(5), clear_refs."""
        Path(f"/proc/{self.pid}/clear_refs").write_text(FORGET_PEAK)

    def peak_mib(self) -> float:
        """Return the most memory that it had since then, or ever."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        message = f"Process {self.pid} shows no peak of its memory."
        raise ServiceFailed(message)


def pin_here() -> None:
    """Keep this process, the generator of loads, off the gateways' core."""
    if not {GATEWAY_CORE, OTHER_CORE} <= os.sched_getaffinity(0):
        message = f"It needs the cores {GATEWAY_CORE} and {OTHER_CORE}."
        raise ServiceFailed(message)
    os.sched_setaffinity(0, {OTHER_CORE})


@contextmanager
def stub_glance() -> Iterator[Server]:
    """Run the stub of Glance beside the generator of loads."""
    port = free_port()
    command = ["tests.benchmark.stub_glance", str(port)]
    with _running(command, {}, port=port, core=OTHER_CORE) as server:
        yield server


@contextmanager
def this_gateway(glance_url: str, cache_url: str) -> Iterator[Server]:
    """Run `glance-gateway serve` with one worker; it listens before it is up."""
    port = free_port()
    environment = {
        "GATEWAY_GLANCE_URL": glance_url,
        "GATEWAY_CACHE_URL": cache_url,
        "GATEWAY_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "GATEWAY_WORKERS": "1",
    }
    command = ["gateway", "serve"]
    with _running(command, environment, port=port, up=STARTED) as server:
        yield server


@contextmanager
def plain_gateway(glance_url: str, *, has_one_client: bool) -> Iterator[Server]:
    """Run the gateway that one writes in an afternoon, or in a day."""
    environment = {"PLAIN_GLANCE_URL": glance_url}
    if has_one_client:
        environment["PLAIN_ONE_CLIENT"] = "1"
    with _application("tests.benchmark.plain_gateway:app", environment) as server:
        yield server


@contextmanager
def bare_server(answers: Path) -> Iterator[Server]:
    """Run the server that only sends the files of a folder."""
    environment = {"BARE_ANSWERS": str(answers)}
    with _application("tests.benchmark.bare:app", environment) as server:
        yield server


@contextmanager
def _application(name: str, environment: Mapping[str, str]) -> Iterator[Server]:
    port = free_port()
    command = [*UVICORN, "--host", HOST, "--port", str(port), name]
    with _running(command, environment, port=port) as server:
        yield server


@contextmanager
def _running(
    module: Sequence[str],
    environment: Mapping[str, str],
    *,
    port: int,
    core: int = GATEWAY_CORE,
    up: str = LISTENING,
) -> Iterator[Server]:
    """Run a module of Python's that says `up` before this yields; then kill it.

    Ctrl-C does not reach it. Raises ServiceFailed where it does not start.
    """
    with ExitStack() as stack:
        with held_signals():
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", *module],
                    env={**os.environ, **environment},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    text=True,
                )
            )
            stack.callback(process.kill)
        os.sched_setaffinity(process.pid, {core})
        _wait_until(process, up)
        yield Server(port, process.pid)


def _wait_until(process: subprocess.Popen[str], up: str) -> None:
    """Read what it says; raises ServiceFailed where it ends without `up`."""
    said: list[str] = []
    for line in process.stderr or ():
        said.append(line)
        if up in line:
            return
    raise ServiceFailed("".join(said))
