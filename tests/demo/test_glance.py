"""The demo's Glance as a process: writers, addresses, Ctrl-C."""

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from gateway.demo.glance import run
from gateway.listening import url_at

EVERYWHERE = "0.0.0.0"  # noqa: S104 - only the name of it


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where pytest runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_writes_at_the_same_time_all_succeed(rest: httpx.Client) -> None:
    """SQLite takes one writer at a time: the others wait instead of failing."""

    def create(number: int) -> int:
        image = {"name": str(number), "tags": ["a", "b"]}
        return rest.post("/images", json=image).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(create, range(40)))

    assert statuses == {HTTPStatus.CREATED: 40}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param(EVERYWHERE, "http://127.0.0.1:80", id="everywhere"),
        pytest.param("192.0.2.1", "http://192.0.2.1:80", id="one-address"),
        pytest.param("::", "http://127.0.0.1:80", id="everywhere-ipv6"),
        pytest.param("::1", "http://[::1]:80", id="one-address-ipv6"),
    ],
)
def test_url_is_one_to_go_to(host: str, url: str) -> None:
    """What is shown can be opened, also where it listens everywhere."""
    assert url_at(host, 80) == url


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_at_the_start_of_a_process_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process is known, and ended, as soon as there is one."""
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        run("code")

    assert [process.returncode for process in started] == [0]
