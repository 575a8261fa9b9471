"""What `serve` says at its start of the server at Glance's address."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from gateway.glance.first_look import ROUTES, Seen, is_glance
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
        """Return whether a query is answered."""
        response = httpx.post(f"{self.url}/graphql", json=TYPENAME, timeout=30)
        return bool(response.json()["data"] == {"__typename": "Query"})

    def problems(self) -> list[str]:
        """Return the lines of the log that tell what is wrong, once there are some."""
        lines: list[str] = []
        while not lines:
            assert self.is_serving()
            ended = self.command.so_far()
            lines = [one for one in ended.splitlines() if PROBLEM in one]
        return lines

    def stop(self) -> Ended:
        """Stop it and return what it said."""
        return self.command.stop(signal.SIGTERM)


@contextmanager
def serving(glance_url: str, *flags: str, **environment: str) -> Iterator[Serving]:
    """Run `serve` before the server at that address."""
    port = free_port()
    command = ("serve", "--glance-url", glance_url, "--port", str(port), *flags)
    with piped(*command, **environment) as running:
        running.until("/\n")
        yield Serving(running, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_unreachable_glance_is_told_in_one_line(workers: str) -> None:
    """Once, whatever the number of workers, and the gateway serves."""
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
def test_server_that_is_not_glance_is_told_in_one_line(
    double: GlanceDouble, status: int, body: bytes
) -> None:
    """With the statuses that were seen."""
    double.always(Reply(status, body, has_id=False))

    with serving(double.url) as running:
        (problem,) = running.problems()

    seen = f"GET / is answered with {status}, GET /v2/images is answered with {status}"
    assert f"{PROBLEM}{seen}, not as by Glance. Check" in problem


def test_glance_is_looked_for_without_a_token(double: GlanceDouble) -> None:
    """Where it is, one call finds it, and nothing is said."""
    asked = threading.Event()

    def script(_: object) -> None:
        asked.set()

    double.script = script
    with serving(double.url) as running:
        assert asked.wait(20)
        assert running.is_serving()
        ended = running.stop()

    assert PROBLEM not in ended.errors
    assert double.asked == ["GET /"]
    assert "x-auth-token" not in double.calls[0].headers


def test_glance_is_looked_for_through_the_proxy(double: GlanceDouble) -> None:
    """As it is called."""
    double.always(Reply(404, has_id=False))
    no_bypass = {"NO_PROXY": "", "no_proxy": ""}

    with serving(
        "http://glance.invalid", HTTP_PROXY=double.url, **no_bypass
    ) as running:
        running.problems()

    assert double.asked == [f"GET http://glance.invalid{route}" for route in ROUTES]


def test_silent_server_delays_neither_start_nor_end(double: GlanceDouble) -> None:
    """Clients are served while Glance is looked for, and a stop ends the look."""
    asked, released = threading.Event(), threading.Event()

    def script(_: object) -> Reply:
        asked.set()
        return Reply(503, until=released)

    double.script = script
    with serving(double.url) as running:
        assert asked.wait(20)
        assert running.is_serving()
        ended = running.stop()
        released.set()

    assert (ended.status, ended.errors.count(PROBLEM)) == (0, 0)
    assert "Unclosed" not in ended.errors


def test_real_glance_is_known_by_both_routes(glance_port: int, cloud: Cloud) -> None:
    """By its versions, and by the 401 of what checks its tokens."""
    urls = [f"http://127.0.0.1:{glance_port}/", f"{cloud.glance_url}/"]
    urls.append(f"{cloud.glance_url}/v2/images")

    responses = [httpx.get(url) for url in urls]

    assert [one.status_code for one in responses] == [300, 300, 401]
    for one in responses:
        challenge = one.headers.get("WWW-Authenticate", "")
        assert is_glance(Seen(one.status_code, challenge, one.content))
    assert ROUTES == ("/", "/v2/images")


@pytest.mark.parametrize(
    "seen",
    [
        Seen(401, 'Basic realm="x"', b""),
        Seen(200, "", b"{}"),
        Seen(200, "", b"[]"),
        Seen(200, "", b'{"versions": {"values": []}}'),
        Seen(300, "", b'{"versions": [{"id": "v3.0"}]}'),
        Seen(404, "", b'{"versions": [{"id": "v2.0"}]}'),
    ],
)
def test_response_of_another_server_is_not_glances(seen: Seen) -> None:
    """A proxy's own request for a password, and other services' versions."""
    assert not is_glance(seen)
