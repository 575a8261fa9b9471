"""A server between gateway and Glance: it records, forwards and plays faults.

Without a script every request goes on to the real Glance. What is recorded is
what was on the wire.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


@dataclass(frozen=True)
class Received:
    """A request that reached Glance, or would have; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the path as it was quoted on the wire."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """Return the query's parameters in their order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> object:
        """Return the body's JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer to play instead of Glance's.

    `declared_bytes` is a Content-Length that the body does not keep; `until`
    is waited for before answering; status 0 closes the connection unanswered.
    The request's id is echoed, but where `headers` hold another or `has_id` says
    no. An image gets the id that was asked for, but where `is_exact`.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_bytes: int | None = None
    until: threading.Event | None = None
    has_id: bool = True
    is_exact: bool = False


Script = Callable[[Received], Reply | None]


class GlanceDouble:
    """What went to Glance, and what is played instead of its answers.

    `strips_ids` makes it a proxy that takes the request ids off all responses.
    """

    def __init__(self, upstream_port: int) -> None:
        """Forward to Glance's port."""
        self.upstream_port = upstream_port
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Forget what was recorded, and forward again."""
        self.calls: list[Received] = []
        self.connections = 0
        self.script: Script = lambda _: None
        self.strips_ids = False
        self.has_lost_client = threading.Event()

    def play(self, *replies: Reply) -> None:
        """Answer the next requests so, in order, and later ones by Glance."""
        waiting = deque(replies)
        self.script = lambda _: waiting.popleft() if waiting else None

    def always(self, reply: Reply) -> None:
        """Answer every request so."""
        self.script = lambda _: reply

    @property
    def asked(self) -> list[str]:
        """Return method and target of each request, in order."""
        return [f"{call.method} {call.target}" for call in self.calls]

    def reads_of(self, image_id: str) -> int:
        """Return how often the image was asked for."""
        return self.asked.count(f"GET /v2/images/{image_id}")


def json_reply(body: object, status: int = 200) -> Reply:
    """Return a response as Glance sends records."""
    return Reply(status, orjson.dumps(body), {"Content-Type": "application/json"})


@contextmanager
def glance_double(upstream_port: int) -> Iterator[GlanceDouble]:
    """Run a double on a free port."""
    double = GlanceDouble(upstream_port)

    class Handler(_Handler):
        """Handle requests for this double."""

    Handler.double = double
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    double: GlanceDouble

    def setup(self) -> None:
        """Count the connection."""
        self.double.connections += 1
        super().setup()

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, self.rfile.read(length))
        self.double.calls.append(received)
        played = self.double.script(received)
        reply = (
            _fitting(played, received)
            if played
            else forwarded(received, self.double.upstream_port)
        )
        if reply.until is not None:
            reply.until.wait()
        try:
            self._send(reply, headers.get("x-openstack-request-id", ""))
        except (BrokenPipeError, ConnectionResetError):
            self.double.has_lost_client.set()

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _send(self, reply: Reply, request_id: str) -> None:
        if reply.status == 0:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        echoed = {"x-openstack-request-id": request_id} if reply.has_id else {}
        own = {name.lower(): value for name, value in reply.headers.items()}
        for name, value in (echoed | own).items():
            is_stripped = self.double.strips_ids and name == "x-openstack-request-id"
            if name not in HOP_BY_HOP | {"content-length"} and not is_stripped:
                self.send_header(name, value)
        declared = reply.declared_bytes
        self.send_header("Content-Length", str(declared or len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()
        self.close_connection = declared is not None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _fitting(reply: Reply, received: Received) -> Reply:
    """Return the reply with the image's id, where it is an image asked for by id."""
    match received.path.split("/"):
        case ["", "v2", "images", image_id] if not reply.is_exact:
            return replace(reply, body=_with_id(reply.body, unquote(image_id)))
    return reply


def _with_id(body: bytes, image_id: str) -> bytes:
    try:
        image = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    if not isinstance(image, dict) or not isinstance(image.get("id"), str):
        return body
    return orjson.dumps(image | {"id": image_id})


def forwarded(received: Received, port: int) -> Reply:
    """Return the answer of the Glance at `port`."""
    upstream = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        name: value
        for name, value in received.headers.items()
        if name.lower() not in HOP_BY_HOP
    }
    upstream.request(received.method, received.target, received.body or None, headers)
    answer = upstream.getresponse()
    headers = dict(answer.getheaders())
    reply = Reply(answer.status, answer.read(), headers, has_id=False)
    upstream.close()
    return reply
