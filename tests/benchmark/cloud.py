"""A real Glance with 1000 images, and gateways before it, for benchmarks."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import httpx

from gateway.demo.glance import configure, create_database, glance
from gateway.demo.progress import step
from gateway.listening import HOST, free_port

OWNER = "bench:bench:member,reader"
IMAGES = 1000
WRITERS = 4


@contextmanager
def full_glance(images: int = IMAGES) -> Iterator[str]:
    """Run a Glance that holds so many images of one project; give its address."""
    with TemporaryDirectory(prefix="glance-benchmark-") as folder:
        data, port = Path(folder), free_port()
        configure(data, port=port)
        with step("Preparing Glance's database"):
            create_database(data)
        with glance(data, port=port) as running:
            asyncio.run(_fill(running.url, images))
            yield running.url


@contextmanager
def served(glance_url: str, **settings: object) -> Iterator[str]:
    """Run `glance-gateway serve` with these settings; give its address."""
    port = free_port()
    environment = {"glance_url": glance_url, "port": port, **settings}
    command = [
        "env",
        *(f"GATEWAY_{name.upper()}={value}" for name, value in environment.items()),
        *(sys.executable, "-m", "gateway", "serve"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr or ():
                if "startup complete" in line:
                    break
            yield f"http://{HOST}:{port}/graphql"
        finally:
            process.terminate()


@asynccontextmanager
async def clients() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a client with room for many requests at once."""
    connector = aiohttp.TCPConnector(limit=256)
    async with aiohttp.ClientSession(connector=connector) as client:
        yield client


async def ask(
    client: aiohttp.ClientSession, url: str, token: str, document: str, **variables: str
) -> Any:
    """Return the answer, which must have no errors, with what it cost."""
    headers = {"X-Auth-Token": token, "X-Gateway-Trace": "1"}
    body = {"query": document, "variables": variables}
    async with client.post(url, json=body, headers=headers) as response:
        answer = await response.json()
    assert "errors" not in answer, answer
    return answer


async def _fill(glance_url: str, images: int) -> None:
    with step("Loading images") as loading:
        waiting, done = list(range(images)), 0

        async def write() -> None:
            nonlocal done
            while waiting:
                await _active_image(client, f"image-{waiting.pop()}")
                done += 1
                loading.count(done, images)

        headers = {"X-Auth-Token": OWNER}
        url = f"{glance_url}/v2"
        async with httpx.AsyncClient(
            base_url=url, headers=headers, timeout=120
        ) as client:
            await asyncio.gather(*(write() for _ in range(WRITERS)))


async def _active_image(client: httpx.AsyncClient, name: str) -> None:
    body = {"name": name, "disk_format": "raw", "container_format": "bare"}
    created = await client.post("/images", json=body | {"tags": ["a"], "os": "bsd"})
    binary = {"Content-Type": "application/octet-stream"}
    path = f"/images/{created.json()['id']}/file"
    uploaded = await client.put(path, content=b"data", headers=binary)
    uploaded.raise_for_status()
