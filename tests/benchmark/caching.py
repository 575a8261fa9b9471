"""What remembering spares a real Glance with 1000 images.

Run by hand: `python -m tests.benchmark.caching`. 64 clients repeat each
load with the cache on and off, in turns within one run.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

import aiohttp

from tests.benchmark.cloud import OWNER, ask, clients, full_glance, served

CLIENTS = 64
ROUNDS = 3
REQUESTS = {"on": 20, "off": 2}
TOKENS = [f"user-{number}:bench:member,reader" for number in range(10)]
ONE = "query ($id: ID!) { image(id: $id) { id name status tags size } }"
NEWEST = "{ images(first: 1) { nodes { id } } }"
PAGE = "{ images(first: 25) { nodes { id name status tasks { id status } } } }"


@dataclass
class Measured:
    """What the requests of one load took and cost."""

    seconds: list[float] = field(default_factory=list)
    calls: int = 0

    def row(self, load: str, cache: str) -> str:
        """Return a line of the table."""
        milliseconds = sorted(1000 * one for one in self.seconds)
        p50 = statistics.median(milliseconds)
        p99 = milliseconds[int(len(milliseconds) * 0.99)]
        count = len(milliseconds)
        return (
            f"| {load} | {cache} | {count} | {self.calls} | {self.calls / count:.3f}"
            f" | {p50:.0f} | {p99:.0f} |"
        )


Load = tuple[str, list[str], dict[str, str]]


async def main(gateways: dict[str, str]) -> None:
    """Measure every load and print the table."""
    async with clients() as client:
        newest = await ask(client, gateways["off"], OWNER, NEWEST)
        image_id = newest["data"]["images"]["nodes"][0]["id"]
        loads: dict[str, Load] = {
            "one image": (ONE, [OWNER], {"id": image_id}),
            "25 images with tasks": (PAGE, [OWNER], {}),
            "one image, 10 tokens": (ONE, TOKENS, {"id": image_id}),
        }
        measured = {(load, cache): Measured() for load in loads for cache in gateways}
        for round_ in range(1, ROUNDS + 1):
            for (load, cache), result in measured.items():
                print(f"round {round_} of {ROUNDS}: {load}, cache {cache}", flush=True)
                await _measure(client, gateways[cache], loads[load], cache, result)
    print(
        "| load | cache | requests | calls to Glance | per request | p50 ms | p99 ms |"
    )
    print("|---|---|---|---|---|---|---|")
    for (load, cache), result in measured.items():
        print(result.row(load, cache))


async def _measure(
    client: aiohttp.ClientSession, url: str, load: Load, cache: str, result: Measured
) -> None:
    document, tokens, variables = load

    async def repeat(number: int) -> None:
        token = tokens[number % len(tokens)]
        for _ in range(REQUESTS[cache]):
            started_at = time.perf_counter()
            answer = await ask(client, url, token, document, **variables)
            result.seconds.append(time.perf_counter() - started_at)
            result.calls += answer["extensions"]["glance"]["calls"]

    await asyncio.gather(*(repeat(number) for number in range(CLIENTS)))


if __name__ == "__main__":
    with (
        full_glance() as glance_url,
        served(glance_url, cache_url="memory://") as on,
        served(glance_url, cache_url="none", request_timeout_seconds=600) as off,
    ):
        asyncio.run(main({"on": on, "off": off}))
