"""The command: read flags, build, run, exit status.

0 for an end that was asked for, 1 for a failure with its reason in one line,
2 for a wrong command line.
"""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from socket import socket
from threading import Thread
from types import FrameType
from typing import Annotated, NoReturn

import typer
import uvicorn
from pydantic import ValidationError
from uvicorn.supervisors import Multiprocess

from gateway.app import GRAPHQL_PATH, build_app
from gateway.demo.banner import banner
from gateway.demo.glance import (
    HOST,
    Service,
    ServiceFailed,
    check_port,
    configure,
    create_database,
    glance,
)
from gateway.demo.progress import step
from gateway.demo.samples import load_samples
from gateway.schema.root import build_schema
from gateway.settings import Settings

GRACEFUL_SHUTDOWN_SECONDS = 10

run = typer.Typer(
    name="glance-gateway",
    help="OpenStack's Image service (Glance) as GraphQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Text = str | None


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
    glance_url: Annotated[Text, typer.Option(help="Glance's address.")] = None,
    host: Annotated[Text, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[Text, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[Text, typer.Option(help="Processes, one per core.")] = None,
) -> None:
    """Serve GraphQL for a Glance.

    Every setting is also an environment variable GATEWAY_*; flags win.
    """
    flags = {
        "glance_url": glance_url,
        "host": host,
        "port": port,
        "workers": workers,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        _fail("\n".join(_problems(error)))
    _serve(settings)


@run.command()
def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    typer.echo(build_schema().as_str())


@run.command()
def demo(
    *,
    port: Annotated[int, typer.Option(help="The gateway's port.")] = 8000,
    glance_port: Annotated[int, typer.Option(help="Glance's port.")] = 9292,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder for Glance's data, kept; else a temporary one."),
    ] = None,
) -> None:
    """Start a real Glance with sample images, and the gateway before it."""
    with _stop_signals(), _folder(data) as folder:
        try:
            _demo(folder.resolve(), port=port, glance_port=glance_port)
        except ServiceFailed as error:
            _fail(str(error))
        except KeyboardInterrupt:
            typer.echo("\nStopped.")


def _demo(folder: Path, *, port: int, glance_port: int) -> None:
    check_port(port)
    configure(folder, port=glance_port)
    with step("Preparing Glance's database"):
        create_database(folder)
    with ExitStack() as stack:
        with step("Starting Glance"):
            running = stack.enter_context(glance(folder, port=glance_port))
        with step("Loading sample images") as loading:
            load_samples(running.url, loading.count)
        settings = Settings(glance_url=running.url, host=HOST, port=port)
        url = f"http://{HOST}:{port}{GRAPHQL_PATH}"
        server = Announcing(
            _config(settings, log_level="warning"),
            banner(url=url, glance_url=running.url),
        )
        _serve_beside(running, server)


class Announcing(uvicorn.Server):
    """A server that says something once it listens."""

    def __init__(self, config: uvicorn.Config, text: str) -> None:
        """Say `text`."""
        super().__init__(config)
        self._text = text

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then say it."""
        await super().startup(sockets)
        typer.echo(self._text)


def _serve_beside(service: Service, server: uvicorn.Server) -> None:
    """Serve until stopped; raises ServiceFailed when the service ends before."""

    def stop_with_it() -> None:
        service.process.wait()
        server.should_exit = True

    Thread(target=stop_with_it, daemon=True).start()
    server.run()
    status = service.process.poll()
    if status is not None:
        message = f"{service.name} has ended, with status {status}."
        raise ServiceFailed(message)


def _serve(settings: Settings) -> None:
    config = _config(settings, log_level="info")
    listening = config.bind_socket()
    if settings.workers > 1:
        Multiprocess(config, sockets=[listening]).run()
    else:
        uvicorn.Server(config).run(sockets=[listening])


def _config(settings: Settings, *, log_level: str) -> uvicorn.Config:
    return uvicorn.Config(
        partial(build_app, settings),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=log_level,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )


def _problems(error: ValidationError) -> Iterator[str]:
    """Yield each wrong setting under the name of its environment variable."""
    for problem in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in problem["loc"])
        yield f"GATEWAY_{name.upper()}: {problem['msg']}."


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
def _stop_signals() -> Iterator[None]:
    """Let the first signal to stop end us as Ctrl-C does, and ignore others."""
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in stopping:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in stopping:
        signal.signal(number, stop)
    yield


def _fail(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(1)
