"""The demo: what it says, what it holds, and that it leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from select import select

import httpx
import pytest

import gateway.graphiql
from gateway.demo.glance import DATABASE
from gateway.demo.samples import ADMIN, ALICE, BOB, SAMPLES
from gateway.listening import free_port
from tests.support.command import (
    END_SECONDS,
    Ended,
    on_terminal,
    piped,
    run,
    taken_line,
    wait_for,
)
from tests.support.gateway import Gateway, Json
from tests.support.images import glance_rest

STARTERS = Path(gateway.graphiql.__file__).parent / "starters"
READY = "Ctrl-C stops both.\n"
ALL_IMAGES = """{
    visible: images(first: 100, filter: {visibility: ALL}) { nodes { name } }
    hidden: images(first: 100, filter: {hidden: true}) { nodes { name } }
    stopped: images(filter: {name: {eq: "imported"}}) {
        nodes { status tasks { status } } }
}"""
PREPARING = "Preparing Glance's database"
STARTING = "Starting Glance"
LOADING = "Loading sample images"
STOPPED = "\nStopped.\n"
SIGINT, SIGTERM, SIGHUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@dataclass(frozen=True)
class Demo:
    """A running demo: what it said, and its gateway."""

    text: str
    port: int
    glance_port: int
    gateway: Gateway

    def images(self, token: str, conditions: str, fields: str = "name") -> Json:
        """Return the fields of all images that meet the conditions."""
        document = f"""{{ images(first: 100, filter: {conditions}) {{
            nodes {{ {fields} }} }} }}"""
        return self.gateway.data(document, token=token)["images"]["nodes"]

    def names(self, token: str, conditions: str) -> set[str]:
        """Return the names of all images that meet the conditions."""
        return {image["name"] for image in self.images(token, conditions)}

    def image(self, token: str, name: str, fields: str) -> Json:
        """Return the fields of the one image of that name."""
        conditions = f'{{name: {{eq: "{name}"}}, visibility: ALL}}'
        (image,) = self.images(token, conditions, fields)
        return image


@dataclass(frozen=True)
class Again:
    """What a second start with the same folder holds, and how it ended."""

    folder: Path
    images: Json
    ended: Ended


def flags(port: int | None = None, glance_port: int | None = None) -> list[str]:
    """Return the command's arguments, with free ports for those not given."""
    return [
        *("demo", "--port", str(port or free_port())),
        *("--glance-port", str(glance_port or free_port())),
    ]


@contextmanager
def connected(port: int) -> Iterator[Gateway]:
    """Return the demo's gateway."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield Gateway(client)


def wait_for_image(glance_port: int, name: str) -> None:
    """Ask Glance again and again until it has Alice's sample of that name."""
    sample = next(sample for sample in SAMPLES if sample.name == name)
    path = f"/images/{sample.image_id}"
    with glance_rest(glance_port, ALICE) as rest:
        while rest.get(path).status_code == HTTPStatus.NOT_FOUND:
            pass


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run one demo for all tests that do not end it."""
    port, glance_port = free_port(), free_port()
    folder = str(tmp_path_factory.mktemp("demo"))
    with piped(*flags(port, glance_port), TMPDIR=folder) as command:
        text = command.until(READY)
        with connected(port) as gateway:
            yield Demo(text, port, glance_port, gateway)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Again:
    """Stop a demo in the middle of a sample, and start on its folder."""
    folder = tmp_path_factory.mktemp("kept")
    data = ("--data", str(folder))
    port, glance_port = free_port(), free_port()
    with piped(*flags(port, glance_port), *data) as command:
        command.until(STARTING)
        wait_for_image(glance_port, "imported")
        command.stop(SIGHUP)
    with piped(*flags(port), *data) as command, connected(port) as gateway:
        command.until(READY)
        images = gateway.data(ALL_IMAGES, token=ADMIN)
        return Again(folder, images, command.stop(SIGTERM))


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Return a port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def paste(demo: Demo, title: str) -> Json:
    """Run what the demo says under the title, and return its JSON."""
    command = demo.text.partition(f"{title}:\n")[2].partition("\n\n")[0]
    shell = ["bash", "-c", command]
    pasted = subprocess.run(shell, capture_output=True, check=True)
    return json.loads(pasted.stdout)


@pytest.mark.parametrize("starter", ["1-images", "2-imports", "3-image"])
def test_graphiqls_first_queries_show_something(demo: Demo, starter: str) -> None:
    """What one runs first has an answer to look at."""
    document = (STARTERS / f"{starter}.graphql").read_text()

    data = demo.gateway.data(document, token=ALICE)

    assert data["images"]["nodes"]


def test_each_step_shows_its_time(demo: Demo) -> None:
    """Who waits sees for what, and how long it took."""
    steps = re.findall(r"^(\D+?) +\d+\.\d s$", demo.text, re.MULTILINE)

    assert steps == [PREPARING, STARTING, LOADING]


def test_addresses_and_tokens_are_shown(demo: Demo) -> None:
    """Whoever starts it knows where to go and as whom."""
    lines = demo.text.splitlines()

    assert f"GraphQL   http://127.0.0.1:{demo.port}/graphql" in lines
    assert f"GraphiQL  http://127.0.0.1:{demo.port}/#token={ALICE}" in lines
    assert f"Glance    http://127.0.0.1:{demo.glance_port}" in lines
    assert f"  alice   {ALICE}" in lines
    assert f"  bob     {BOB}" in lines


def test_query_works_when_pasted(demo: Demo) -> None:
    """The curl command of the query answers with images."""
    answer = paste(demo, "A query")

    assert len(answer["data"]["images"]["nodes"]) == 3


def test_mutation_works_when_pasted(demo: Demo) -> None:
    """The curl command of the mutation changes a sample."""
    answer = paste(demo, "A mutation")

    assert "tried" in answer["data"]["addTag"]["image"]["tags"]


def test_samples_fill_more_than_a_page(demo: Demo) -> None:
    """There is a next page, whatever page size one tries first."""
    images = demo.images(ADMIN, "{visibility: ALL}")

    assert len(images) > 25


@pytest.mark.parametrize(
    ("conditions", "seen"),
    [
        pytest.param(
            "{visibility: PUBLIC}", {"cirros-0.6.3", "debian-13"}, id="public"
        ),
        pytest.param("{hidden: true}", {"debian-11"}, id="hidden"),
        pytest.param("{visibility: COMMUNITY}", {"nginx-appliance"}, id="community"),
        pytest.param(
            "{visibility: SHARED, memberStatus: ACCEPTED}",
            {"build-runner", "database-golden"},
            id="shared-accepted",
        ),
        pytest.param(
            "{visibility: SHARED, memberStatus: PENDING}",
            {"gpu-runner", "database-golden"},
            id="shared-pending",
        ),
        pytest.param(
            '{visibility: PRIVATE, tags: ["import"]}',
            {"imported", "import-failed"},
            id="private-and-tagged",
        ),
    ],
)
def test_alice_sees(demo: Demo, conditions: str, seen: set[str]) -> None:
    """There is a sample of each visibility, and of each answer to sharing."""
    assert demo.names(ALICE, conditions) == seen


def test_projects_see_different_images(demo: Demo) -> None:
    """Private samples are their project's own; the administrator sees all."""
    private = "{visibility: PRIVATE}"

    assert demo.names(BOB, private) == {"payroll"}
    assert "payroll" not in demo.names(ALICE, private)
    assert demo.names(ADMIN, private) == demo.names(ALICE, private) | {"payroll"}


def test_public_sample_has_data_and_properties(demo: Demo) -> None:
    """Whatever an image can hold, one sample holds it."""
    fields = 'status size stores { id } tags properties(prefix: "hw_") { name value }'

    image = demo.image(BOB, "cirros-0.6.3", fields)

    properties = image.pop("properties")
    assert sorted((p["name"], p["value"]) for p in properties) == [
        ("hw_disk_bus", "virtio"),
        ("hw_rng_model", "virtio"),
    ]
    stored = {"status": "ACTIVE", "size": 14000, "stores": [{"id": "fast"}]}
    assert image == stored | {"tags": ["test"]}


@pytest.mark.parametrize(
    ("name", "status", "task"),
    [
        pytest.param("imported", "ACTIVE", "SUCCESS", id="finished"),
        pytest.param("import-failed", "QUEUED", "FAILURE", id="failed"),
    ],
)
def test_imports_have_ended(demo: Demo, name: str, status: str, task: str) -> None:
    """One import went well and one did not; both can be read as tasks."""
    image = demo.image(ALICE, name, "status tasks { type status }")

    tasks = [{"type": "API_IMAGE_IMPORT", "status": task}]
    assert image == {"status": status, "tasks": tasks}


def test_opens_the_page_with_a_token(tmp_path: Path) -> None:
    """`--open` leads who starts it to GraphiQL, as somebody."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    port = free_port()

    reading = os.open(opened, os.O_RDONLY | os.O_NONBLOCK)

    with piped(*flags(port), "--open", BROWSER=f"{browser} %s") as command:
        command.until(READY)
        assert select([reading], [], [], END_SECONDS)[0]

    with os.fdopen(reading) as said:
        assert said.read() == f"http://127.0.0.1:{port}/#token={ALICE}\n"


@pytest.mark.parametrize("flag", ["--port", "--glance-port"])
def test_taken_port_ends_it_at_once(flag: str, taken_port: int, tmp_path: Path) -> None:
    """Before anything is prepared, one line says which port."""
    ended = run(*flags(), flag, str(taken_port), TMPDIR=str(tmp_path))

    assert ended == Ended(1, "", taken_line(taken_port, flag))
    assert not list(tmp_path.iterdir())


def test_one_port_for_both_is_taken_by_the_first() -> None:
    """The gateway has its port before Glance looks for its own."""
    port = free_port()

    ended = run(*flags(port, port))

    assert ended == Ended(1, "", taken_line(port, "--glance-port"))


def test_wrong_setting_ends_it_at_once(tmp_path: Path) -> None:
    """The gateway's settings are the demo's too."""
    ended = run(*flags(), GATEWAY_GLANCE_CALLS="0", TMPDIR=str(tmp_path))

    line = "GATEWAY_GLANCE_CALLS: Input should be greater than or equal to 1.\n"
    assert ended == Ended(1, "", line)
    assert not list(tmp_path.iterdir())


def test_data_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """`--data` names a folder; one line says why it can't be this."""
    file = tmp_path / "file"
    file.touch()

    ended = run(*flags(), "--data", str(file))

    assert ended == Ended(1, "", f"--data {file}: File exists.\n")


def test_data_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """One line says what can't be written."""
    (tmp_path / "stores").touch()

    ended = run(*flags(), "--data", str(tmp_path))

    line = f"Can't write {tmp_path}/stores/fast: Not a directory.\n"
    assert ended == Ended(1, "", line)


def test_data_that_glance_misreads_is_refused(tmp_path: Path) -> None:
    """Glance's configuration would name another folder, or none."""
    folder = tmp_path / "what?"

    ended = run(*flags(), "--data", str(folder))

    line = f"Glance misreads # $ % ? \\ in a folder: {folder}.\n"
    assert ended == Ended(1, "", line)


@pytest.mark.parametrize(
    ("step", "stop"),
    [
        pytest.param(PREPARING, SIGINT, id="preparing-ctrl-c"),
        pytest.param(STARTING, SIGTERM, id="starting-terminate"),
        pytest.param(LOADING, SIGINT, id="loading-ctrl-c"),
    ],
)
def test_stopped_on_the_way_it_leaves_nothing(
    step: str, stop: signal.Signals, tmp_path: Path
) -> None:
    """No step is too early to be left in order."""
    with on_terminal(*flags(), TMPDIR=str(tmp_path)) as command:
        command.until(step)
        ended = command.stop(stop)
        left = command.processes()

    assert (ended.status, ended.errors, left) == (0, "", set())
    assert ended.output.endswith("Stopped.\r\n")
    assert not list(tmp_path.iterdir())


def test_stopped_impatiently_it_leaves_nothing(tmp_path: Path) -> None:
    """The first Ctrl-C ends both in order, and further ones change nothing."""
    port = free_port()
    with piped(*flags(None, port), TMPDIR=str(tmp_path)) as command:
        text = command.until(READY)
        with closing(HTTPConnection("127.0.0.1", port)) as client:
            client.request("GET", "/")
            client.getresponse().read()
            command.send(SIGINT, SIGINT)
            # The gateway has ended, and Glance hangs up to end too.
            assert client.sock.recv(1) == b""
        command.send(SIGINT)
        ended = command.end()
        left = command.processes()

    assert ended == Ended(0, text + STOPPED, "")
    assert left == set()
    assert not list(tmp_path.iterdir())


def test_end_of_glance_ends_the_demo(tmp_path: Path) -> None:
    """A gateway before nothing is no demo: one line says what happened."""
    with piped(*flags(), TMPDIR=str(tmp_path)) as command:
        command.until(READY)
        (glance,) = command.children()
        os.kill(glance, signal.SIGKILL)
        ended = command.end()

    assert ended.status == 1
    assert ended.errors == "Glance has ended, with status -9.\n"
    assert not list(tmp_path.iterdir())


def test_killed_demo_takes_glance_with_it(tmp_path: Path) -> None:
    """Even what can't be caught leaves no process behind."""
    with piped(*flags(), "--data", str(tmp_path)) as command:
        command.until(STARTING)
        (glance,) = command.children()
        command.stop(signal.SIGKILL)
        wait_for(glance)

        assert command.processes() == set()


def test_data_outlives_the_demo(again: Again) -> None:
    """`--data` names a folder to keep."""
    assert (again.folder / DATABASE).exists()


def test_second_start_adds_no_sample_twice(again: Again) -> None:
    """A folder that is kept holds each sample once, however often it serves."""
    parts = [again.images["visible"], again.images["hidden"]]

    names = [image["name"] for part in parts for image in part["nodes"]]

    assert sorted(names) == sorted(sample.name for sample in SAMPLES)


def test_stopped_while_loading_it_leaves_no_half_sample(again: Again) -> None:
    """The sample under way is finished first: nobody would finish it later."""
    tasks = [{"status": "SUCCESS"}]
    assert again.images["stopped"]["nodes"] == [{"status": "ACTIVE", "tasks": tasks}]


def test_terminated_it_ends_as_by_ctrl_c(again: Again) -> None:
    """SIGTERM is how supervisors say Ctrl-C."""
    ended = again.ended

    assert (ended.status, ended.errors) == (0, "")
    assert ended.output.endswith(STOPPED)
