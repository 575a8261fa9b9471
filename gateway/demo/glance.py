"""A real Glance as a child process: sqlite and files in one folder.

Glance comes from PyPI (`pip install 'glance-gateway[demo]'`) and is served by
cheroot. By default it believes tokens of the form `user:project:role[,role...]`.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import IO

from gateway.listening import HOST, ServiceFailed, listen, url_at
from gateway.stop_signals import held_signals

STOP_SECONDS = 10
DATABASE = "glance.sqlite"

CONFIGURATION = Template("""\
[DEFAULT]
log_file = $data/glance.log
worker_self_reference_url = http://$host:$port
enabled_backends = fast:file,slow:file
enabled_import_methods = [glance-direct,web-download,copy-image]
show_image_direct_url = true
show_multiple_locations = true
$options

[database]
connection = sqlite:///$data/glance.sqlite?timeout=30
sqlite_synchronous = false

[glance_store]
default_backend = fast

[fast]
filesystem_store_datadir = $data/stores/fast

[slow]
filesystem_store_datadir = $data/stores/slow

[os_glance_staging_store]
filesystem_store_datadir = $data/staging

[os_glance_tasks_store]
filesystem_store_datadir = $data/tasks

[import_filtering_opts]
allowed_hosts = [$host]
allowed_ports = [80,443]

[oslo_concurrency]
lock_path = $data/locks

[oslo_policy]
enforce_new_defaults = true

[paste_deploy]
flavor = demo
config_file = $data/glance-api-paste.ini

$sections
""")

PIPELINE = """\
[composite:glance-api-demo]
paste.composite_factory = glance.api:root_app_factory
/: api
/healthcheck: healthcheck

[composite:api]
paste.composite_factory = glance.api:pipeline_factory
demo = versionnegotiation token context rootapp

[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/: apiversions
/v2: apiv2app

[app:apiversions]
paste.app_factory = glance.api.versions:create_resource

[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory

[app:healthcheck]
paste.app_factory = oslo_middleware:Healthcheck.app_factory

[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:\
VersionNegotiationFilter.factory

[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory

[filter:token]
paste.filter_factory = """

OWN_TOKENS = "gateway.demo.token_filter:filter_factory"
MISREAD = frozenset("#$%?\\")
# Copied from etc/ of Glance's source: the wheel leaves it out.
IMAGE_SCHEMA = Path(__file__).with_name("schema-image.json")
FOLDERS = ("stores/fast", "stores/slow", "staging", "tasks", "locks")


@dataclass(frozen=True)
class Service:
    """A child process that listens at `url`."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def wait(self) -> int:
        """Return the exit status once the process has ended."""
        return self.process.wait()


def configure(
    data: Path,
    *,
    port: int,
    token_filter: str = OWN_TOKENS,
    options: str = "",
    sections: str = "",
) -> None:
    """Write what Glance reads at its start, and make its folders.

    `token_filter` is the paste filter factory that tells who asks; `options`
    go to the section DEFAULT, `sections` to the end of glance-api.conf. Raises
    ServiceFailed where the folder can't be written to, or not named there.
    """
    if not MISREAD.isdisjoint(str(data)):
        message = f"Glance misreads {' '.join(sorted(MISREAD))} in a folder: {data}."
        raise ServiceFailed(message)
    configuration = CONFIGURATION.substitute(
        data=data, host=HOST, port=port, options=options, sections=sections
    )
    try:
        for folder in FOLDERS:
            (data / folder).mkdir(parents=True, exist_ok=True)
        (data / "glance-api.conf").write_text(configuration)
        (data / "glance-api-paste.ini").write_text(PIPELINE + token_filter + "\n")
        shutil.copy(IMAGE_SCHEMA, data)
    except OSError as error:
        message = f"Can't write {error.filename}: {error.strerror}."
        raise ServiceFailed(message) from error


def create_database(data: Path) -> None:
    """Bring the sqlite database up to this Glance's version, from nothing too.

    Raises ServiceFailed, also where Glance is not installed.
    """
    if find_spec("glance") is None or find_spec("cheroot") is None:
        message = "The demo needs Glance: pip install 'glance-gateway[demo]'."
        raise ServiceFailed(message)
    configuration = str(data / "glance-api.conf")
    run("glance.cmd.manage", "--config-file", configuration, "db_sync")
    with closing(sqlite3.connect(data / DATABASE)) as database:
        # With a write-ahead log Glance answers a quarter faster.
        database.execute("PRAGMA journal_mode = WAL")


def run(module: str, *arguments: str) -> str:
    """Run a module of Python's to its end and return what it printed.

    Raises ServiceFailed where it fails.
    """
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    with _child(command, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate()
    if process.returncode != 0:
        message = f"{module} failed: {_last_line(errors)}"
        raise ServiceFailed(message)
    return output.decode()


@contextmanager
def glance(data: Path, *, port: int, host: str = HOST) -> Iterator[Service]:
    """Run Glance on a folder that `configure` and `create_database` prepared.

    It listens when this yields, and has ended when this is left. Raises
    ServiceFailed where it does not start.
    """
    environment = {"OS_GLANCE_CONFIG_DIR": str(data)}
    with service(
        "Glance",
        "glance.wsgi.api",
        host=host,
        port=port,
        environment=environment,
        log=data,
    ) as running:
        yield running


@contextmanager
def service(
    name: str,
    application: str,
    *,
    port: int,
    environment: Mapping[str, str],
    log: Path,
    host: str = HOST,
) -> Iterator[Service]:
    """Run a WSGI application of OpenStack's as `glance` does its own.

    What it says besides its log goes to `<name>.err` in the folder `log`.
    """
    listen(host, port).close()
    errors = log / f"{name.lower()}.err"
    command = ["env", *(f"{name}={value}" for name, value in environment.items())]
    command += [sys.executable, "-W", "ignore", "-m", "gateway.demo.server"]
    command += ["--host", host, "--port", str(port), "--application", application]
    with errors.open("wb") as stderr, _child(command, stderr=stderr) as process:
        if _first_line(process) != b"ready\n":
            message = f"{name} did not start: {_last_line(errors.read_bytes())}"
            raise ServiceFailed(message)
        yield Service(name, url_at(host, port), process)


@contextmanager
def _child(
    command: Sequence[str], *, stderr: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that has ended when this is left, however it is left.

    Ctrl-C does not reach it: it is for us to end it, in order.
    """
    with ExitStack() as stack:
        with held_signals():
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                )
            )
            stack.callback(_stop, process)
        yield process


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    output: IO[bytes] | None = process.stdout
    return output.readline() if output is not None else b""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child: ask by closing its input, then insist."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."
