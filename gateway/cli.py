"""The command: read flags, build, run, exit status.

0 for an end that was asked for, 1 for a failure with its reason in one line,
2 for a wrong command line.
"""

import gc
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
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from gateway.app import GRAPHQL_PATH, build_app
from gateway.asgi.http_request import BODY_MAX_BYTES
from gateway.cache.stamps import create_stamps
from gateway.demo.banner import banner
from gateway.demo.glance import (
    HOST,
    Service,
    ServiceFailed,
    configure,
    create_database,
    glance,
    listen,
    url_at,
)
from gateway.demo.progress import step
from gateway.demo.samples import load_samples
from gateway.schema.root import build_schema
from gateway.settings import Settings
from gateway.stop_signals import STOP_SIGNALS, until_stopped

GRACEFUL_SHUTDOWN_SECONDS = 10
GARBAGE_THRESHOLDS = 50_000, 20, 20

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
    settings = _settings(glance_url=glance_url, host=host, port=port, workers=workers)
    with until_stopped(), _failures():
        _serve(settings)


@run.command()
def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    typer.echo(build_schema().as_str())


@run.command()
def demo(
    *,
    host: Annotated[
        str, typer.Option(help="Where both listen; who gets there can be anybody.")
    ] = HOST,
    port: Annotated[
        int, typer.Option(help="The gateway's port.", min=1, max=65535)
    ] = 8000,
    glance_port: Annotated[
        int, typer.Option(help="Glance's port.", min=1, max=65535)
    ] = 9292,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder for Glance's data, kept; else a temporary one."),
    ] = None,
) -> None:
    """Start a real Glance with sample images, and the gateway before it."""
    settings = _settings(
        glance_url=url_at(host, glance_port), host=host, port=str(port)
    )
    with until_stopped(), _failures(), _folder(data) as folder:
        _demo(settings, folder.resolve(), glance_port=glance_port)
    typer.echo("\nStopped.")


def _demo(settings: Settings, folder: Path, *, glance_port: int) -> None:
    host = settings.host
    with ExitStack() as stack:
        listening = stack.enter_context(listen(host, settings.port))
        listen(host, glance_port).close()
        configure(folder, port=glance_port)
        with step("Preparing Glance's database"):
            create_database(folder)
        with step("Starting Glance"):
            running = stack.enter_context(glance(folder, host=host, port=glance_port))
        with step("Loading sample images") as loading:
            load_samples(running.url, loading.count)
        server = Server(
            _config(settings, log_level="warning"),
            banner(url=_graphql_url(listening), glance_url=running.url),
        )
        _serve_beside(running, server, listening)


class Server(uvicorn.Server):
    """A server that says where it listens, and stops in order, once."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        """Say `announcement` when it listens."""
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then say it."""
        await super().startup(sockets)
        typer.echo(self._announcement)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Answer what is under way at the first signal, then pass it on."""
        received: list[int] = []

        def stop(number: int, _frame: FrameType | None) -> None:
            received.append(number)
            self.should_exit = True

        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        for number in (n for n in handlers if handlers[n] != signal.SIG_IGN):
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def _serve_beside(service: Service, server: Server, listening: socket) -> None:
    """Serve until stopped; raises ServiceFailed when the service ends before."""

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
    with listen(settings.host, settings.port) as listening:
        announcement = f"GraphQL   {_graphql_url(listening)}"
        if settings.workers > 1:
            typer.echo(announcement)
            _serve_workers(settings, listening)
        else:
            config = _config(settings, log_level="info")
            Server(config, announcement).run(sockets=[listening])


def _serve_workers(settings: Settings, listening: socket) -> None:
    """Serve in processes that forget together what any of them has written."""
    with tempfile.TemporaryDirectory(prefix="glance-gateway-") as folder:
        stamps_file = Path(folder) / "stamps"
        create_stamps(stamps_file)
        config = _config(settings, log_level="info", stamps_file=stamps_file)
        Multiprocess(config, sockets=[listening]).run()


def _graphql_url(listening: socket) -> str:
    host, port = listening.getsockname()[:2]
    return url_at(host, port) + GRAPHQL_PATH


def _config(
    settings: Settings, *, log_level: str, stamps_file: Path | None = None
) -> uvicorn.Config:
    return uvicorn.Config(
        partial(_app, settings, stamps_file),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        ws_max_size=BODY_MAX_BYTES,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )


def _app(settings: Settings, stamps_file: Path | None) -> ASGIApp:
    """Return the gateway, built in a process that serves nothing else.

    What lives as long as the process is looked through for garbage no more, and
    what a request makes not before there is much of it: full passes took a tenth
    of the time, each of them 60 ms in which nobody was answered.
    """
    app = build_app(settings, stamps_file=stamps_file)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    return app


def _settings(**flags: str | None) -> Settings:
    """Return the flags and the environment as settings, or end with all wrongs."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        _fail("\n".join(_problems(error)))


def _problems(error: ValidationError) -> Iterator[str]:
    """Yield each wrong setting under the name of its environment variable."""
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
    """End with the reason of what fails."""
    try:
        yield
    except ServiceFailed as error:
        _fail(str(error))


def _fail(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(1)
