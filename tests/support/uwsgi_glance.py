"""A real Glance served by uWSGI, which closes connections without saying so."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.listening import HOST, free_port, url_at

SECONDS = 60
# As Glance ships it, but for `add-header = Connection: close`.
OPTIONS = {
    "http": "{http}",
    "http-to": "{uwsgi}",
    "socket": "{uwsgi}",
    "http-socket": "{socket}",
    "http-auto-chunked": "true",
    "http-chunked-input": "true",
    "http-raw-body": "true",
    "module": "tests.support.uwsgi_application",
    "need-app": "true",
    "lazy-apps": "true",
    "enable-threads": "true",
    "thunder-lock": "true",
    "buffer-size": "65535",
    "master": "true",
    "die-on-term": "true",
    "processes": "1",
    "threads": "4",
    "req-logger": "file:{log}",
    "log-format": "%(var.HTTP_X_AUTH_TOKEN) %(method) %(status) %(uri)",
}


@dataclass(frozen=True)
class UwsgiGlance:
    """Where the Glance listens: behind uWSGI's router, and at a worker's socket."""

    http: str
    http_socket: str
    log: Path

    def served(self, token: str, method: str, count: int) -> Sequence[str]:
        """Return status and target of a token's requests, once there are so many.

        uWSGI logs a request after its response.
        """
        until = time.monotonic() + SECONDS
        beginning = f"{token} {method} "
        while True:
            lines = self.log.read_text().splitlines()
            found = [one.removeprefix(beginning) for one in lines if beginning in one]
            if len(found) >= count or time.monotonic() > until:
                return found
            self.wait()

    def wait(self) -> None:
        """Wait until it serves."""
        url = f"{self.http_socket}/healthcheck"
        httpx.get(url, timeout=SECONDS).raise_for_status()


@contextmanager
def uwsgi_glance(data: Path) -> Iterator[UwsgiGlance]:
    """Run a second Glance on the folder of another; it serves when this yields."""
    http, http_socket = free_port(), free_port()
    log = data / "requests.log"
    places = {
        "http": f"{HOST}:{http}",
        "uwsgi": data / "uwsgi.socket",
        "socket": f"{HOST}:{http_socket}",
        "log": log,
    }
    lines = (f"{name} = {value.format(**places)}" for name, value in OPTIONS.items())
    ini = data / "uwsgi.ini"
    ini.write_text("\n".join(["[uwsgi]", *lines, ""]))
    glance = UwsgiGlance(url_at(HOST, http), url_at(HOST, http_socket), log)
    command = [sys.executable, "-c", "import pyuwsgi; pyuwsgi.run()", "--ini", str(ini)]
    environment = {**os.environ, "OS_GLANCE_CONFIG_DIR": str(data)}
    with (
        (data / "uwsgi.log").open("wb") as output,
        subprocess.Popen(command, stderr=output, stdout=output, env=environment) as run,
    ):
        try:
            glance.wait()
            yield glance
        finally:
            run.terminate()
