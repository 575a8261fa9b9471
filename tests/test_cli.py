"""The command line: settings, schema, serving and its end."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from gateway.listening import free_port
from tests.support.command import Ended, piped, run, taken_line, under_nohup

UNUSED_GLANCE = "http://127.0.0.1:9"
TYPENAME = {"data": {"__typename": "Query"}}


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Return a port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ask_typename(port: int) -> object:
    """Send the smallest query and return the answer's JSON."""
    url = f"http://127.0.0.1:{port}/graphql"
    headers = {"X-Auth-Token": "any"}
    return httpx.post(url, json={"query": "{ __typename }"}, headers=headers).json()


def test_version_is_the_installed_one() -> None:
    """`--version` prints the version and nothing else."""
    ended = run("--version")

    assert ended == Ended(0, f"{version('glance-gateway')}\n", "")


def test_schema_is_the_committed_one() -> None:
    """`schema` prints what schema.graphql holds."""
    committed = (Path(__file__).parents[1] / "schema.graphql").read_text()

    ended = run("schema")

    assert ended == Ended(0, committed, "")


def test_commands_start_without_the_extras_of_others() -> None:
    """`serve` needs nothing that comes with demo, cloud or test."""
    extras = ["cheroot", "glance", "httpx", "keystoneauth1", "openstack"]
    program = f"import sys; sys.modules |= dict.fromkeys({extras}); import gateway.cli"

    ended = subprocess.run([sys.executable, "-c", program], check=False)

    assert ended.returncode == 0


def test_no_arguments_show_the_commands() -> None:
    """Called with nothing, the command says what it can, as an error."""
    ended = run()

    assert ended.status == 2
    assert all(word in ended.output for word in ("serve", "schema", "demo"))


def test_help_tells_the_defaults_of_flags() -> None:
    """They are those of the settings that the flags override."""
    ended = run("serve", "--help", COLUMNS="200")

    assert ended.status == 0
    assert all(f"Default: {one}." in ended.output for one in ("127.0.0.1", 8000, 1))


def test_unknown_setting_is_told(taken_port: int) -> None:
    """With the one that it may be meant for; it keeps nothing from being served."""
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(taken_port))

    ended = run("serve", *flags, GATEWAY_CACHE_URI="none", GATEWAY_X="")

    told = [
        "GATEWAY_CACHE_URI is not a setting. Did you mean GATEWAY_CACHE_URL?\n",
        "GATEWAY_X is not a setting.\n",
    ]
    assert ended == Ended(1, "", "".join(told) + taken_line(taken_port, "--port"))


def test_wrong_settings_are_all_named_and_nothing_is_served() -> None:
    """Each wrong flag and variable has its line; the status is 1."""
    ended = run(
        *("serve", "--workers", "0", "--port", "http"),
        GATEWAY_GLANCE_URL="ftp://glance",
        GATEWAY_GLANCE_TIMEOUT_SECONDS="soon",
        GATEWAY_GLANCE_CA_FILE="/nowhere",
        GATEWAY_FORWARD_SERVICE_TOKEN="perhaps",
    )

    assert ended == Ended(
        1,
        "",
        "GATEWAY_GLANCE_URL: URL scheme should be 'http' or 'https'.\n"
        "GATEWAY_PORT: Input should be a valid integer,"
        " unable to parse string as an integer.\n"
        "GATEWAY_WORKERS: Input should be greater than or equal to 1.\n"
        "GATEWAY_GLANCE_TIMEOUT_SECONDS: Input should be a valid number,"
        " unable to parse string as a number.\n"
        "GATEWAY_GLANCE_CA_FILE: Path does not point to a file.\n"
        "GATEWAY_FORWARD_SERVICE_TOKEN: Input should be a valid boolean,"
        " unable to interpret input.\n",
    )


def test_serving_needs_the_address_of_glance() -> None:
    """There is no default for what only the operator knows."""
    ended = run("serve")

    assert ended == Ended(1, "", "GATEWAY_GLANCE_URL: Field required.\n")


def both_addresses(port: int) -> str:
    """Return what is said once the gateway listens."""
    url = f"http://127.0.0.1:{port}"
    return f"GraphQL   {url}/graphql\nGraphiQL  {url}/\n"


def test_flags_override_the_environment() -> None:
    """A flag wins even where the variable's value is wrong."""
    port = free_port()
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(port))
    more_flags = ("--host", "127.0.0.1", "--workers", "1")

    with piped(
        *("serve", *flags, *more_flags),
        GATEWAY_GLANCE_URL="wrong",
        GATEWAY_PORT="wrong",
        GATEWAY_HOST="192.0.2.1",
        GATEWAY_WORKERS="wrong",
    ) as command:
        said = command.until("/\n")

    assert said == both_addresses(port)


def test_environment_alone_is_enough() -> None:
    """Containers need no flags."""
    port = free_port()

    with piped(
        "serve", GATEWAY_GLANCE_URL=UNUSED_GLANCE, GATEWAY_PORT=str(port)
    ) as command:
        said = command.until("/\n")

    assert said == both_addresses(port)


@pytest.mark.parametrize(
    ("workers", "children", "stop"),
    [
        pytest.param("1", 0, signal.SIGINT, id="one-worker-ctrl-c"),
        pytest.param("1", 0, signal.SIGTERM, id="one-worker-terminate"),
        pytest.param("1", 0, signal.SIGHUP, id="one-worker-hang-up"),
        # Python's multiprocessing has a process of its own.
        pytest.param("2", 3, signal.SIGTERM, id="two-workers-terminate"),
    ],
)
def test_serve_answers_until_it_is_stopped(
    workers: str, children: int, stop: signal.Signals, tmp_path: Path
) -> None:
    """It serves with so many processes; asked to stop, it leaves nothing."""
    port = free_port()
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(port), "--workers", workers)

    with piped("serve", *flags, TMPDIR=str(tmp_path)) as command:
        command.until("\n")
        answer = ask_typename(port)
        started = len(command.children())
        ended = command.stop(stop)
        left = command.processes()

    assert (answer, started) == (TYPENAME, children)
    assert (ended.status, left, list(tmp_path.iterdir())) == (0, set(), [])
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("workers", ["1", "2"])
def test_open_streams_do_not_hold_up_the_end(workers: str) -> None:
    """Their clients notice, and nothing of it is an error."""
    port = free_port()
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(port), "--workers", workers)
    document = 'subscription { imageChanged(id: "1") { kind } }'
    headers = {"Accept": "text/event-stream", "X-Auth-Token": "t"}
    url = f"http://127.0.0.1:{port}/graphql"

    with piped("serve", *flags) as command:
        command.until("\n")
        asked = httpx.stream("POST", url, json={"query": document}, headers=headers)
        with asked as response:
            parts = response.iter_bytes()
            first = next(parts)
            ended = command.stop(signal.SIGTERM)

    assert first == b":\n\n"
    assert "ERROR" not in ended.errors


def test_hang_up_ignored_by_nohup_stays_ignored() -> None:
    """A gateway started with `nohup` outlives its terminal."""
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(free_port()))

    with under_nohup("serve", *flags) as command:
        command.until("\n")
        status = Path(f"/proc/{command.process.pid}/status").read_text()

    ignored = int(status.partition("SigIgn:")[2].split()[0], base=16)
    assert ignored >> (signal.SIGHUP - 1) & 1 == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_on_a_taken_port_says_so(workers: str, taken_port: int) -> None:
    """One line tells the port, whatever the number of workers."""
    flags = ("--glance-url", UNUSED_GLANCE, "--port", str(taken_port))

    ended = run("serve", *flags, "--workers", workers)

    assert ended == Ended(1, "", taken_line(taken_port, "--port"))
