"""A gateway as operators run it, in a process whose memory and stalls are measured."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gateway.listening import HOST, free_port
from tests.support.command import Command, piped
from tests.support.gateway import Gateway

SECONDS = 60


class Served(Gateway):
    """A gateway in a process of its own."""

    def __init__(self, client: httpx.Client, command: Command) -> None:
        """Ask through `client`."""
        super().__init__(client)
        self._command = command

    def rss_mib(self) -> float:
        """Return the memory that the process has now."""
        return self._memory_mib("VmRSS")

    def peak_mib(self) -> float:
        """Return the most memory that the process has ever had."""
        return self._memory_mib("VmHWM")

    def cpu_seconds(self) -> float:
        """Return what the process has computed so far."""
        return time.clock_gettime(~self._command.process.pid << 3 | 2)

    def stall_seconds(self, attack: Callable[[], object]) -> float:
        """Return the longest that another client's smallest query has waited."""
        attacking = threading.Thread(target=attack)
        longest = 0.0
        with httpx.Client(base_url=self.client.base_url, timeout=SECONDS) as other:
            self._ask(other)
            attacking.start()
            while attacking.is_alive():
                longest = max(longest, self._ask(other))
            attacking.join()
            return max(longest, self._ask(other))

    def _ask(self, client: httpx.Client) -> float:
        began_at = time.perf_counter()
        response = client.post("/graphql", json={"query": "{ __typename }"})
        assert response.json() == {"data": {"__typename": "Query"}}
        return time.perf_counter() - began_at

    def _memory_mib(self, name: str) -> float:
        status = Path(f"/proc/{self._command.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024


@contextmanager
def served(glance_url: str, **environment: str) -> Iterator[Served]:
    """Run `glance-gateway serve` before the Glance at that address."""
    port = free_port()
    flags = "--glance-url", glance_url, "--port", str(port)
    with piped("serve", *flags, **environment) as command:
        command.until("/graphql")
        url = f"http://{HOST}:{port}"
        with httpx.Client(base_url=url, timeout=SECONDS) as client:
            yield Served(client, command)
