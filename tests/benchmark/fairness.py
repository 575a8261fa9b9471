"""How much one token's crowd of calls slows another token's requests down.

Run by hand: `python -m tests.benchmark.fairness`. A real Glance with 1000
images, nothing cached; a caller who sends one request after the other, alone
and beside each crowd.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count

import aiohttp

from tests.benchmark.cloud import OWNER, ask, clients, full_glance, served

SECONDS = 6.0
SETTLING_SECONDS = 2.0
LISTS = 300
TOKENS = 400
CALLER = "caller:bench:member,reader"
ONE = "query ($id: ID!) { image(id: $id) { id name status tags size } }"
PAGE = "{ images(first: 25) { nodes { id name status } } }"
NEWEST = "{ images(first: 1) { nodes { id } } }"
LIST = "images(first: %d, filter: {size: {max: %d}}) { nodes { id name } }"

# No two lists of a run are equal, and all are full.
numbers = count(10**6)

Send = Callable[[str, str], Awaitable[None]]


def lists(many: int, images: int) -> str:
    """Return a document of so many different lists."""
    aliased = (f"a{n}: " + LIST % (images, next(numbers)) for n in range(many))
    return "{ %s }" % " ".join(aliased)


async def two_requests(send: Send) -> None:
    """Ask for 150 lists of 25 images in each of two requests."""
    await asyncio.gather(*(send(OWNER, lists(LISTS // 2, 25)) for _ in range(2)))


async def many_requests(send: Send) -> None:
    """Ask for a list of 25 images in each of 300 requests."""
    await asyncio.gather(*(send(OWNER, lists(1, 25)) for _ in range(LISTS)))


async def long_lists(send: Send) -> None:
    """Ask for a list of 1000 images in each of 300 requests."""
    await asyncio.gather(*(send(OWNER, lists(1, 1000)) for _ in range(LISTS)))


async def invented_tokens(send: Send) -> None:
    """Ask once with each of 400 tokens that are none."""
    invented = (f"invented-{next(numbers)}" for _ in range(TOKENS))
    await asyncio.gather(*(send(token, lists(1, 25)) for token in invented))


CROWDS = {
    "300 lists in two requests": two_requests,
    "300 requests of a list": many_requests,
    "300 requests of a list of 1000 images": long_lists,
    "400 invented tokens": invented_tokens,
}


async def main(url: str) -> None:
    """Measure the caller alone and beside each crowd, and print the table."""
    async with clients() as client:
        newest = await ask(client, url, OWNER, NEWEST)
        image_id = newest["data"]["images"]["nodes"][0]["id"]
        rows = []
        for title, document, variables in (
            ("one image", ONE, {"id": image_id}),
            ("25 images", PAGE, {}),
        ):
            for name, crowd in CROWDS.items():
                alone = await _latencies(client, url, document, variables)
                rows.append(_row(title, "nobody", alone, alone))
                print(f"{title} beside {name}", flush=True)
                crowding = asyncio.create_task(_repeat(url, crowd))
                await asyncio.sleep(SETTLING_SECONDS)
                beside = await _latencies(client, url, document, variables)
                crowding.cancel()
                with suppress(asyncio.CancelledError):
                    await crowding
                await asyncio.sleep(SETTLING_SECONDS)
                rows.append(_row(title, name, beside, alone))
    print("| caller | beside | requests | p50 ms | p99 ms | p50 ratio | p99 ratio |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows))


async def _repeat(url: str, crowd: Callable[[Send], Awaitable[None]]) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def send(token: str, document: str) -> None:
            headers = {"X-Auth-Token": token}
            body = {"query": document}
            async with client.post(url, json=body, headers=headers) as response:
                await response.read()

        while True:
            await crowd(send)


async def _latencies(
    client: aiohttp.ClientSession, url: str, document: str, variables: dict[str, str]
) -> list[float]:
    """Return the milliseconds of each request, in order of their length."""
    milliseconds = []
    begun_at = time.perf_counter()
    while (at := time.perf_counter()) < begun_at + SECONDS:
        await ask(client, url, CALLER, document, **variables)
        milliseconds.append(1000 * (time.perf_counter() - at))
    return sorted(milliseconds)


def _row(caller: str, beside: str, latencies: list[float], alone: list[float]) -> str:
    p50, p99 = statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
    ratio50 = p50 / statistics.median(alone)
    ratio99 = p99 / alone[int(len(alone) * 0.99)]
    return (
        f"| {caller} | {beside} | {len(latencies)} | {p50:.1f} | {p99:.1f}"
        f" | {ratio50:.1f} | {ratio99:.1f} |"
    )


if __name__ == "__main__":
    with full_glance() as glance_url, served(glance_url, cache_url="none") as url:
        asyncio.run(main(url))
