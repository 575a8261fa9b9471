"""`serve` checks at its start whether Glance is at its address."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from gateway.glance.startup_probe import ROUTES, ProbeResponse, is_glance
from gateway.listening import free_port
from tests.support.command import Command, Ended, piped
from tests.support.glance_double import GlanceDouble, Reply
from tests.support.keystone import Cloud

PROBLEM = "Could not find Glance: "
UNUSED_GLANCE = "http://127.0.0.1:9"
TYPENAME = {"query": "{ __typename }"}


@dataclass
class Serving:
    """A running `serve`."""

    command: Command
    url: str

    def is_serving(self) -> bool:
        """Return whether a query succeeds."""
        response = httpx.post(f"{self.url}/graphql", json=TYPENAME, timeout=30)
        return bool(response.json()["data"] == {"__typename": "Query"})

    def problems(self) -> list[str]:
        """Wait for log lines that name a problem, and return them."""
        lines: list[str] = []
        while not lines:
            assert self.is_serving()
            ended = self.command.so_far()
            lines = [one for one in ended.splitlines() if PROBLEM in one]
        return lines

    def stop(self) -> Ended:
        """Stop it and return its output."""
        return self.command.stop(signal.SIGTERM)


@contextmanager
def serving(glance_url: str, *flags: str, **environment: str) -> Iterator[Serving]:
    """Run `serve` in front of the server at that address."""
    port = free_port()
    command = ("serve", "--glance-url", glance_url, "--port", str(port), *flags)
    with piped(*command, **environment) as running:
        running.until("/\n")
        yield Serving(running, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_unreachable_glance_is_logged_in_one_line(workers: str) -> None:
    """The line is logged once for all workers, and the gateway serves."""
    with serving(UNUSED_GLANCE, "--workers", workers) as running:
        problems = running.problems()
        ended = running.stop()

    assert len(problems) == ended.errors.count(PROBLEM) == 1
    assert " WARNING " in problems[0]
    assert problems[0].endswith("Check GATEWAY_GLANCE_URL. Serving anyway.")
    assert "Traceback" not in ended.errors
    assert ended.status == 0


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"default backend - 404"), (200, b"<html>"), (200, b'{"versions": [1]}')],
)
def test_server_that_is_not_glance_is_logged_in_one_line(
    double: GlanceDouble, status: int, body: bytes
) -> None:
    """The line has the statuses of both responses."""
    double.always(Reply(status, body, has_id=False))

    with serving(double.url) as running:
        (problem,) = running.problems()

    seen = f"GET / returned {status}, GET /v2/images returned {status}"
    assert f"{PROBLEM}{seen}, unlike Glance. Check" in problem


def test_check_for_glance_sends_no_token(double: GlanceDouble) -> None:
    """If Glance is there, one call finds it, and nothing is logged."""
    checked = threading.Event()

    def script(_: object) -> None:
        checked.set()

    double.script = script
    with serving(double.url) as running:
        assert checked.wait(20)
        assert running.is_serving()
        ended = running.stop()

    assert PROBLEM not in ended.errors
    assert double.asked == ["GET /"]
    assert "x-auth-token" not in double.calls[0].headers


def test_check_for_glance_uses_the_proxy(double: GlanceDouble) -> None:
    """The check uses the proxy that calls use, too."""
    double.always(Reply(404, has_id=False))
    no_bypass = {"NO_PROXY": "", "no_proxy": ""}

    with serving(
        "http://glance.invalid", HTTP_PROXY=double.url, **no_bypass
    ) as running:
        running.problems()

    assert double.asked == [f"GET http://glance.invalid{route}" for route in ROUTES]


def test_silent_server_delays_neither_start_nor_end(double: GlanceDouble) -> None:
    """Clients are served during the check, and a stop cancels it."""
    checked, released = threading.Event(), threading.Event()

    def script(_: object) -> Reply:
        checked.set()
        return Reply(503, until=released)

    double.script = script
    with serving(double.url) as running:
        assert checked.wait(20)
        assert running.is_serving()
        ended = running.stop()
        released.set()

    assert (ended.status, ended.errors.count(PROBLEM)) == (0, 0)
    assert "Unclosed" not in ended.errors


def test_both_routes_identify_a_real_glance(glance_port: int, cloud: Cloud) -> None:
    """Its versions identify Glance, and so does keystonemiddleware's 401."""
    urls = [f"http://127.0.0.1:{glance_port}/", f"{cloud.glance_url}/"]
    urls.append(f"{cloud.glance_url}/v2/images")

    responses = [httpx.get(url) for url in urls]

    assert [one.status_code for one in responses] == [300, 300, 401]
    for one in responses:
        challenge = one.headers.get("WWW-Authenticate", "")
        assert is_glance(ProbeResponse(one.status_code, challenge, one.content))
    assert ROUTES == ("/", "/v2/images")


@pytest.mark.parametrize(
    "seen",
    [
        ProbeResponse(401, 'Basic realm="x"', b""),
        ProbeResponse(200, "", b"{}"),
        ProbeResponse(200, "", b"[]"),
        ProbeResponse(200, "", b'{"versions": {"values": []}}'),
        ProbeResponse(300, "", b'{"versions": [{"id": "v3.0"}]}'),
        ProbeResponse(404, "", b'{"versions": [{"id": "v2.0"}]}'),
    ],
)
def test_response_of_another_server_is_not_glances(seen: ProbeResponse) -> None:
    """Examples are a proxy's own 401 and the versions of other services."""
    assert not is_glance(seen)
