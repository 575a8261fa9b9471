"""What a request costs here, in plain gateways, and in a server without one.

Run by hand: `python -m tests.benchmark.execution [LOAD ...] [--rounds N]`, with
loads from A to F. One stub of Glance answers all gateways; all servers run
under uvicorn on one core, the clients and the stub on another, in turns.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.app import GRAPHQL_PATH
from gateway.demo.progress import step
from gateway.stop_signals import until_stopped
from tests.benchmark.figures import Figures, cost_table, machine, wide_table
from tests.benchmark.load import BadAnswer, ask, data_in, drive, get, post
from tests.benchmark.loads import LOADS, PAGE, PAGES, TOKEN, Load
from tests.benchmark.servers import (
    Server,
    bare_server,
    pin_here,
    plain_gateway,
    stub_glance,
    this_gateway,
)
from tests.benchmark.stub_glance import CALLS_PATH

ROUNDS = 3
WARM_UP = 3
SUBJECTS = "this gateway", "plain", "plain, one client", "bare"
OURS, PLAIN, ONE_CLIENT, BARE = SUBJECTS


@dataclass(frozen=True)
class Subject:
    """A server and a load for it; every answer has to be `answer`."""

    server: Server
    load: Load
    request: bytes
    answer: bytes


def compare(loads: Sequence[Load], glance: Server, rounds: int) -> None:
    """Measure the loads and print their tables."""
    figures = {(load.name, name): Figures() for load in loads for name in SUBJECTS}
    with subjects(loads, glance.url) as prepared:
        for number in range(1, rounds + 1):
            for (load, name), subject in prepared.items():
                with step(f"Round {number} of {rounds}: {load}, {name}"):
                    measure(subject, glance, figures[load, name])
    print(f"\n{wide_table(figures)}\n\n{cost_table(loads, figures, SUBJECTS)}")


def measure(subject: Subject, glance: Server, figures: Figures) -> None:
    """Add one round of the load to the figures."""
    server, load = subject.server, subject.load
    for _ in range(WARM_UP):
        ask(server.port, subject.request)
    server.forget_peak()
    calls, cpu_seconds = calls_to(glance), server.cpu_seconds()
    driven = drive(
        server.port,
        subject.request,
        subject.answer,
        connections=load.connections,
        seconds=load.seconds,
    )
    figures.cpu_seconds += server.cpu_seconds() - cpu_seconds
    figures.calls += calls_to(glance) - calls
    figures.latencies += driven.latencies
    figures.seconds += driven.seconds
    figures.peak_mib = max(figures.peak_mib, server.peak_mib())


def calls_to(glance: Server) -> int:
    """Return how often the stub was asked so far."""
    return int(json.loads(ask(glance.port, get(CALLS_PATH)))["calls"])


@contextmanager
def subjects(
    loads: Sequence[Load], glance_url: str
) -> Iterator[Mapping[tuple[str, str], Subject]]:
    """Run all servers; raises BadAnswer where the gateways tell other data."""
    with (
        TemporaryDirectory(prefix="glance-benchmark-") as folder,
        this_gateway(glance_url, "none") as forgetful,
        this_gateway(glance_url, "memory://") as remembering,
        plain_gateway(glance_url, has_one_client=False) as plain,
        plain_gateway(glance_url, has_one_client=True) as one_client,
    ):
        prepared: dict[tuple[str, str], Subject] = {}
        with step("Comparing the answers"):
            for load in loads:
                gateway = remembering if load.is_remembered else forgetful
                ours = asked(gateway, load, GRAPHQL_PATH)
                prepared[load.name, OURS] = ours
                (Path(folder) / load.name).write_bytes(ours.answer)
                for name, server in ((PLAIN, plain), (ONE_CLIENT, one_client)):
                    theirs = asked(server, load, GRAPHQL_PATH)
                    check_same(data_in(ours.answer), data_in(theirs.answer), load.name)
                    prepared[load.name, name] = theirs
        with bare_server(Path(folder)) as bare:
            for load in loads:
                prepared[load.name, BARE] = asked(bare, load, f"/{load.name}")
            yield {
                (load.name, name): prepared[load.name, name]
                for load in loads
                for name in SUBJECTS
            }


def asked(server: Server, load: Load, path: str) -> Subject:
    """Return the load for a server, which has answered it once."""
    request = post(path, TOKEN, load.document)
    return Subject(server, load, request, ask(server.port, request))


def check_same(ours: Any, theirs: Any, place: str) -> None:
    """Raise BadAnswer with the first place where the data are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and [*ours] == [*theirs]:
        for name in ours:
            check_same(ours[name], theirs[name], f"{place}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number, pair in enumerate(zip_longest(ours, theirs)):
            check_same(*pair, place=f"{place}[{number}]")
    elif ours != theirs or type(ours) is not type(theirs):
        raise BadAnswer(f"{place} is {ours!r} here and {theirs!r} in the plain gateway")


def show_memory(glance_url: str) -> None:
    """Print the peaks of fresh gateways before, after a page and after ten."""
    print("\n| cache | at rest | one page of 1000 images | ten such pages |")
    print("|---|---|---|---|")
    for cache_url in ("none", "memory://"):
        with this_gateway(glance_url, cache_url) as server:
            rest = server.peak_mib()
            walk(server, pages=1)
            one = server.peak_mib()
        with this_gateway(glance_url, cache_url) as server:
            walk(server, pages=PAGES)
            all_ = server.peak_mib()
        print(f"| {cache_url} | {rest:.0f} MiB | {one:.0f} MiB | {all_:.0f} MiB |")


def walk(server: Server, *, pages: int) -> None:
    """Ask for pages one after the other; raises BadAnswer where they overlap."""
    ids: set[str] = set()
    after = None
    for _ in range(pages):
        answer = ask(server.port, post(GRAPHQL_PATH, TOKEN, PAGE, after=after))
        images = data_in(answer)["images"]
        ids |= {node["id"] for node in images["nodes"]}
        after = images["pageInfo"]["endCursor"]
    if len(ids) != 1000 * pages:
        raise BadAnswer(f"{pages} pages hold {len(ids)} images.")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.execution")
    parser.add_argument("loads", nargs="*", metavar="LOAD", help="A to F; all of them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    names = arguments.loads or list(LOADS)
    if unknown := set(names) - set(LOADS):
        parser.error(f"no such load: {', '.join(sorted(unknown))}")
    pin_here()
    with until_stopped(), stub_glance() as glance:
        compare([LOADS[name] for name in names], glance, arguments.rounds)
        show_memory(glance.url)
        print(f"\n{machine()}")


if __name__ == "__main__":
    main()
