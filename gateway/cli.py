"""The command line: it reads flags, runs a command and sets the exit status.

The exit status is 0 after a requested stop, 1 after a failure (with a one-line
reason), 2 for an invalid command line. Modules that need an optional extra are
imported by the command that uses them.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from threading import Thread
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from typer.models import OptionInfo
from uvicorn.supervisors import Multiprocess

from gateway.app import GRAPHQL_PATH, build_app
from gateway.cache.version_table import create_versions
from gateway.demo.banner import banner
from gateway.demo.glance import Service, configure, create_database, glance
from gateway.demo.progress import step
from gateway.demo.samples import ALICE
from gateway.listening import HOST, ServiceFailed, listen, url_at
from gateway.schema.root import build_schema
from gateway.server.config import server_config
from gateway.server.running import Server
from gateway.server.startup_check import checking_glance
from gateway.settings import Settings, unknown_settings
from gateway.stop_signals import until_stopped

run = typer.Typer(
    name="glance-gateway",
    help="OpenStack's Image service (Glance) as GraphQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Text = str | None


def _flag(setting: str) -> OptionInfo:
    """Return the flag that overrides a setting, with its description and default."""
    field = Settings.model_fields[setting]
    default = "Required." if field.is_required() else f"Default: {field.default}."
    flag: OptionInfo = typer.Option(help=f"{field.description} {default}")
    return flag


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        typer.echo(version("glance-gateway"))
        raise typer.Exit


@run.callback()
def glance_gateway(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """OpenStack's Image service (Glance) as GraphQL."""
    del show_version


@run.command()
def serve(
    *,
    glance_url: Annotated[Text, _flag("glance_url")] = None,
    host: Annotated[Text, _flag("host")] = None,
    port: Annotated[Text, _flag("port")] = None,
    workers: Annotated[Text, _flag("workers")] = None,
) -> None:
    """Serve GraphQL for a Glance.

    Every setting is an environment variable GATEWAY_*; flags override it.
    """
    with until_stopped(), _failures():
        _serve(_settings(glance_url=glance_url, host=host, port=port, workers=workers))


@run.command()
def explore(
    *,
    os_cloud: Annotated[
        Text, typer.Option(help="A cloud in clouds.yaml; default: OS_CLOUD or OS_*.")
    ] = None,
    os_region_name: Annotated[Text, typer.Option(help="Its region.")] = None,
    os_interface: Annotated[
        Text,
        typer.Option(help="The Glance endpoint to use: public, internal or admin."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="The port; 0: any free port.", min=0, max=65535)
    ] = 8000,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Do not open a browser.")
    ] = False,
) -> None:
    """Serve your cloud's Glance to yourself, with your token, and open GraphiQL.

    Run it after `source openrc`, or with --os-cloud. It listens on 127.0.0.1 only.
    """
    with until_stopped(), _failures():
        if find_spec("openstack") is None:
            message = "explore needs openstacksdk: pip install 'glance-gateway[cloud]'."
            raise ServiceFailed(message)
        exploring = import_module("gateway.explore.command")
        exploring.explore(
            exploring.CloudChoice(os_cloud, os_region_name, os_interface),
            port=port,
            opens_browser=not no_open,
        )


@run.command()
def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    typer.echo(build_schema().as_str())


@run.command()
def demo(
    *,
    host: Annotated[
        str,
        typer.Option(help="The address both listen on; all who reach it have access."),
    ] = HOST,
    port: Annotated[
        int, typer.Option(help="The gateway's port.", min=1, max=65535)
    ] = 8000,
    glance_port: Annotated[
        int, typer.Option(help="Glance's port.", min=1, max=65535)
    ] = 9292,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder to keep Glance's data in; default: temporary."),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open GraphiQL in the browser.")
    ] = False,
) -> None:
    """Start a real Glance with sample images, and the gateway in front of it."""
    with until_stopped(), _failures(), _folder(data) as folder:
        settings = _settings(
            glance_url=url_at(host, glance_port),
            host=host,
            port=str(port),
            graphiql="true",
        )
        _demo(settings, folder.resolve(), glance_port=glance_port, opens=open_page)
    typer.echo("\nStopped.")


def _demo(settings: Settings, folder: Path, *, glance_port: int, opens: bool) -> None:
    host = settings.host
    with ExitStack() as stack:
        listening = stack.enter_context(listen(host, settings.port, flag="--port"))
        listen(host, glance_port, flag="--glance-port").close()
        configure(folder, port=glance_port)
        with step("Preparing Glance's database"):
            create_database(folder)
        with step("Starting Glance"):
            running = stack.enter_context(glance(folder, host=host, port=glance_port))
        with step("Loading sample images") as loading:
            samples = import_module("gateway.demo.loading")
            samples.load_samples(running.url, loading.count)
        url = _url(listening)
        page_url = f"{url}/#token={ALICE}"
        said = banner(url=url + GRAPHQL_PATH, page_url=page_url, glance_url=running.url)
        server = Server(
            server_config(partial(build_app, settings), settings, log_level="warning"),
            said,
            page_url=page_url if opens else None,
        )
        _serve_beside(running, server, listening)


def _serve_beside(service: Service, server: Server, listening: socket) -> None:
    """Serve until stopped; raises ServiceFailed if the service ends first."""

    def stop_with_it() -> None:
        service.process.wait()
        server.should_exit = True

    Thread(target=stop_with_it, daemon=True).start()
    server.run(sockets=[listening])
    status = service.process.poll()
    if status is not None:
        message = f"{service.name} has ended, with status {status}."
        raise ServiceFailed(message)


def _serve(settings: Settings) -> None:
    with listen(settings.host, settings.port, flag="--port") as listening:
        url = _url(listening)
        announcement = f"GraphQL   {url}{GRAPHQL_PATH}"
        if settings.graphiql:
            announcement += f"\nGraphiQL  {url}/"
        if settings.glance_proxy_shown:
            announcement += f"\nGlance is reached through {settings.glance_proxy_shown}"
        if settings.workers > 1:
            typer.echo(announcement)
            _serve_workers(settings, listening)
        else:
            build = partial(build_app, settings)
            config = server_config(build, settings, log_level="info")
            with checking_glance(settings):
                Server(config, announcement).run(sockets=[listening])


def _serve_workers(settings: Settings, listening: socket) -> None:
    """Serve in worker processes; a write in one invalidates the caches of all."""
    with tempfile.TemporaryDirectory(prefix="glance-gateway-") as folder:
        versions_file = Path(folder) / "versions"
        create_versions(versions_file)
        build = partial(build_app, settings, versions_file=versions_file)
        config = server_config(build, settings, log_level="info")
        with checking_glance(settings):
            Multiprocess(config, sockets=[listening]).run()


def _url(listening: socket) -> str:
    host, port = listening.getsockname()[:2]
    return url_at(host, port)


def _settings(**flags: str | None) -> Settings:
    """Return the flags and the environment as settings."""
    given = {name: value for name, value in flags.items() if value is not None}
    return Settings.model_validate(given)


def _problems(error: ValidationError) -> Iterator[str]:
    """Yield each invalid setting with the name of its environment variable."""
    for problem in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        yield f"GATEWAY_{name.upper()}: {reason}."


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="glance-gateway-") as temporary:
            yield Path(temporary)
        return
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _fail(f"--data {kept}: {error.strerror}.")
    yield kept


@contextmanager
def _failures() -> Iterator[None]:
    """Exit with status 1 and the reason of a failure, or all invalid settings.

    Warns of GATEWAY_ variables that are not settings.
    """
    for name, similar in unknown_settings(os.environ):
        hint = f" Did you mean {similar}?" if similar else ""
        typer.echo(f"{name} is not a setting.{hint}", err=True)
    try:
        yield
    except ServiceFailed as error:
        _fail(str(error))
    except ValidationError as error:
        _fail("\n".join(_problems(error)))


def _fail(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(1)
