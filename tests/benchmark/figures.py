"""What was measured, as tables in Markdown."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.benchmark.loads import Load

PACKAGES = ("strawberry-graphql", "graphql-core", "uvicorn", "httpx", "aiohttp")


@dataclass
class Figures:
    """What the requests of one load took and cost one server, over all rounds."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0
    cpu_seconds: float = 0
    calls: int = 0
    peak_mib: float = 0

    @property
    def cpu_ms(self) -> float:
        """Return the CPU time of a request."""
        return 1000 * self.cpu_seconds / len(self.latencies)

    @property
    def rate(self) -> float:
        """Return the requests in a second."""
        return len(self.latencies) / self.seconds

    @property
    def p50_ms(self) -> float:
        """Return the median latency."""
        return 1000 * statistics.median(self.latencies)

    @property
    def p99_ms(self) -> float:
        """Return the latency that one request in a hundred exceeds."""
        return 1000 * sorted(self.latencies)[int(len(self.latencies) * 0.99)]

    @property
    def calls_each(self) -> float:
        """Return the calls to Glance of a request."""
        return self.calls / len(self.latencies)


def wide_table(figures: Mapping[tuple[str, str], Figures]) -> str:
    """Return all that was measured, a line for each load and server."""
    head = "load, server, requests, CPU ms, requests/s, p50 ms, p99 ms, peak MiB, calls"
    rows = [
        (
            *(load, server, str(len(one.latencies))),
            *(_short(one.cpu_ms), _short(one.rate)),
            *(_short(one.p50_ms), _short(one.p99_ms)),
            *(f"{one.peak_mib:.0f}", f"{one.calls_each:.3f}"),
        )
        for (load, server), one in figures.items()
    ]
    return _table(head.split(", "), rows)


def cost_table(
    loads: Sequence[Load],
    figures: Mapping[tuple[str, str], Figures],
    subjects: Sequence[str],
) -> str:
    """Return a line for each load; the subjects are this gateway, others, and bare."""
    head = ["load", *(f"CPU ms: {name}" for name in subjects)]
    head += [f"{name} / this" for name in subjects[1:-1]]
    head += [f"requests/s: {name}" for name in (subjects[0], subjects[-1])]
    head += ["p50 ms", "p99 ms", "calls"]
    rows = []
    for load in loads:
        each = [figures[load.name, name] for name in subjects]
        ours, *plain, bare = each
        rows.append(
            (
                f"{load.name}: {load.title}",
                *(_short(one.cpu_ms) for one in each),
                *(_short(one.cpu_ms / ours.cpu_ms) for one in plain),
                *(_short(one.rate) for one in (ours, bare)),
                *(_short(ours.p50_ms), _short(ours.p99_ms)),
                f"{ours.calls_each:.3f}",
            )
        )
    return _table(head, rows)


def machine() -> str:
    """Return what it ran on: processor, Python, packages."""
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return ", ".join([_processor(), f"{os.cpu_count()} cores", python, *versions])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _short(number: float) -> str:
    """Return the number with three digits, or with all before the point."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
