"""A real Glance with 1000 images, and gateways before it, for benchmarks."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from gateway.demo.glance import HOST, configure, create_database, free_port, glance
from gateway.demo.progress import step

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
async def clients() -> AsyncIterator[httpx.AsyncClient]:
    """Open a client with room for many requests at once."""
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:
        yield client


async def _fill(glance_url: str, images: int) -> None:
    with step("Loading images") as loading:
        waiting, done = list(range(images)), 0

        async def write() -> None:
            nonlocal done
            while waiting:
                body = {"name": f"image-{waiting.pop()}", "tags": ["a"], "os": "bsd"}
                response = await client.post(f"{glance_url}/v2/images", json=body)
                response.raise_for_status()
                done += 1
                loading.count(done, images)

        headers = {"X-Auth-Token": OWNER}
        async with httpx.AsyncClient(headers=headers, timeout=120) as client:
            await asyncio.gather(*(write() for _ in range(WRITERS)))
