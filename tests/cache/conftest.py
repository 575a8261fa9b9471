"""What tests of the cache's own parts run on."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Return the loop that the gateway runs on."""
    return "asyncio"
