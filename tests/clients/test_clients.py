"""The set-ups of clients in the documentation, each run as it is written there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.recorded import recorded_json
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, json_reply
from tests.support.images import create_image, glance_rest
from tests.support.node import installed, run_node

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TOKEN = "alice:proj-a:member,reader"
HOST = "127.0.0.1:8000"
IMAGE_ID = "74bcf37e-91ca-5320-bde0-c0c203a1fd4c"
NAME = "seen-by-clients"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the clients' packages."""
    return installed(HERE, tmp_path_factory.mktemp("clients"))


@pytest.fixture(autouse=True)
def image_id(glance_port: int) -> str:
    """Let the set-ups' token see an image."""
    with glance_rest(glance_port, TOKEN) as rest:
        return create_image(rest, name=NAME)


def set_up(client: str, gateway: Gateway, image_id: str = IMAGE_ID) -> str:
    """Return what the docs have for a client, for a gateway of this test."""
    docs = (ROOT / "docs/clients.md").read_text()
    section = docs.partition(f"## {client}\n")[2]
    (block,) = re.findall(r"```\w+\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert HOST in block
    own = block.replace(HOST, gateway.client.base_url.netloc.decode())
    return str(own.replace(IMAGE_ID, image_id))


def output(command: Sequence[str], folder: Path) -> str:
    """Return what a command prints."""
    return subprocess.run(
        command, cwd=folder, check=True, timeout=120, stdout=subprocess.PIPE, text=True
    ).stdout


CLIENTS = ["Apollo Client", "urql", "graphql-sse", "graphql-ws"]


@pytest.mark.parametrize("client", CLIENTS)
def test_javascript_client_runs_as_written(
    client: str, gateway: Gateway, packages: Path, image_id: str
) -> None:
    """Its set-up shows the demo's images."""
    (packages / "client.js").write_text(set_up(client, gateway, image_id))

    assert f"{NAME} QUEUED" in run_node(packages, "client.js")


@pytest.mark.parametrize("client", ["Apollo Client", "urql"])
def test_javascript_client_shows_a_page_with_a_malformed_image(
    client: str, gateway: Gateway, double: GlanceDouble, packages: Path
) -> None:
    """The image is null, and the others are there."""
    image = recorded_json("show-image") | {"name": NAME, "status": "queued"}
    double.always(json_reply({"images": [{"name": "x"}, image]}))
    (packages / "client.js").write_text(set_up(client, gateway))

    assert run_node(packages, "client.js") == f"{NAME} QUEUED\n"


def test_persisted_queries_of_apollo_are_sent_whole(
    gateway: Gateway, packages: Path
) -> None:
    """Its link asks once with a hash alone, and then goes on with documents."""
    script = (HERE / "persisted_queries.js").read_text()
    own = script.replace(HOST, gateway.client.base_url.netloc.decode())
    (packages / "persisted.js").write_text(own)

    printed = run_node(packages, "persisted.js")

    assert printed.split() == ["Query", "Query", "hash", "document", "document"]


def test_relay_runs_as_written(gateway: Gateway, packages: Path) -> None:
    """Its compiler takes the schema, its runtime the answers."""
    source = packages / "src"
    source.mkdir()
    shutil.copy(ROOT / "schema.graphql", packages)
    (source / "images.js").write_text(set_up("Relay", gateway))

    output([str(packages / "node_modules/.bin/relay-compiler")], packages)
    run_node(packages, "compile_relay.js")

    assert f"{NAME} QUEUED" in run_node(packages, "src/images.js")


def test_python_client_runs_as_written(gateway: Gateway, tmp_path: Path) -> None:
    """Gql shows the demo's images."""
    command = [sys.executable, "-c", set_up("Python", gateway)]

    assert f"{NAME} QUEUED" in output(command, tmp_path)


def test_curl_runs_as_written(gateway: Gateway, tmp_path: Path) -> None:
    """One command shows the demo's images."""
    assert NAME in output(["sh", "-c", set_up("curl", gateway)], tmp_path)
