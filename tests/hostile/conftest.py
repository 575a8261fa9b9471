"""What the attacks are made on."""

from collections.abc import Iterator

import pytest

from tests.hostile.victim import Victim, running_victim


@pytest.fixture(scope="package")
def victim() -> Iterator[Victim]:
    """Run one gateway for all attacks, with short timeouts and little room."""
    limits = {
        "GATEWAY_READ_TIMEOUT_SECONDS": "0.5",
        "GATEWAY_WRITE_TIMEOUT_SECONDS": "0.5",
        "GATEWAY_CONNECTIONS": "50",
    }
    with running_victim(**limits) as running:
        yield running
