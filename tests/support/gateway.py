"""The gateway as a test asks it: HTTP in, JSON out."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn

from gateway.app import build_app
from gateway.facts import Hook
from gateway.server.config import limited_config
from gateway.settings import Settings

Json = Any


class Gateway:
    """A running gateway."""

    def __init__(self, client: httpx.Client) -> None:
        """Ask through `client`."""
        self.client = client

    def post(
        self,
        document: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **variables: Json,
    ) -> httpx.Response:
        """Send an operation and return the HTTP answer."""
        own = {} if token is None else {"X-Auth-Token": token}
        body = {"query": document, "variables": variables}
        return self.client.post(
            "/graphql", json=body, headers=own | dict(headers or {})
        )

    def answer(self, document: str, *, token: str | None, **variables: Json) -> Json:
        """Send an operation and return the answer's JSON."""
        return self.post(document, token=token, **variables).json()

    def data(self, document: str, *, token: str | None, **variables: Json) -> Json:
        """Send an operation that must not fail and return its data."""
        answer = self.answer(document, token=token, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def error(self, document: str, *, token: str | None, **variables: Json) -> Json:
        """Send an operation that must fail once and return that error."""
        errors = self.answer(document, token=token, **variables)["errors"]
        assert len(errors) == 1, errors
        return errors[0]

    def ask_and_leave(
        self, document: str, *, token: str, once: threading.Event
    ) -> None:
        """Send an operation and close the connection once something happens."""
        body, url = orjson.dumps({"query": document}), self.client.base_url
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(
                b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Auth-Token: %s\r\n"
                b"Content-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (token.encode(), len(body), body)
            )
            assert once.wait(10)

    def create(self, token: str, **image: Json) -> str:
        """Create an image and return its id."""
        document = """mutation ($input: CreateImageInput!) {
            createImage(input: $input) { image { id } } }"""
        created = self.data(document, token=token, input=image)
        return str(created["createImage"]["image"]["id"])


class _Server(uvicorn.Server):
    """A server that tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@contextmanager
def running_gateway(
    glance_url: str,
    *,
    versions_file: Path | None = None,
    hooks: Sequence[Hook] = (),
    **settings: Json,
) -> Iterator[Gateway]:
    """Run a gateway before the Glance at that address, on a free port."""
    asked = Settings(glance_url=glance_url, **settings)
    app = build_app(asked, versions_file=versions_file, hooks=hooks)
    server = _Server(
        limited_config(lambda: app, asked, log_config=None, timeout_graceful_shutdown=1)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        server.listens.wait()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                yield Gateway(client)
        finally:
            server.should_exit = True
            thread.join()
