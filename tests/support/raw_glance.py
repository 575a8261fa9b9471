"""A server in Glance's place that writes to the wire whatever a test says."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import orjson

REQUEST_ID = "x-openstack-request-id"


@dataclass(frozen=True)
class RawRequest:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str:
        """Return whose request it is."""
        return self.headers["x-auth-token"]

    @property
    def request_id(self) -> str:
        """Return the id to echo; the gateway's look at its start has none."""
        return self.headers.get(REQUEST_ID, "")


class RawConnection:
    """A connection of the gateway's."""

    def __init__(self, connected: socket.socket, requests: list[RawRequest]) -> None:
        """Note its requests beside those of the others."""
        self._socket = connected
        self._requests = requests
        self._unread = b""

    def request(self) -> RawRequest | None:
        """Read a request, None where there is none to come."""
        while b"\r\n\r\n" not in self._unread:
            more = self._socket.recv(65536)
            if not more:
                return None
            self._unread += more
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {
            name.lower(): value for name, value in (one.split(": ") for one in lines)
        }
        length = int(headers.get("content-length", 0))
        while len(self._unread) < length:
            self._unread += self._socket.recv(65536)
        body, self._unread = self._unread[:length], self._unread[length:]
        request = RawRequest(method, target, headers, body)
        self._requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self._socket.sendall(data)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Make the handshake of TLS."""
        self._socket = context.wrap_socket(self._socket, server_side=True)

    def reset(self) -> None:
        """End the connection without a word; source: socket(7), SO_LINGER."""
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def lasts(self) -> bool:
        """Wait until there is another request or the end; tell which it is."""
        return bool(self._socket.recv(1, socket.MSG_PEEK))


Serve = Callable[[RawConnection], None]


@dataclass
class RawGlance:
    """Where the server is, and what it was asked."""

    url: str
    requests: list[RawRequest] = field(default_factory=list)
    connections: int = 0


@contextmanager
def raw_glance(serve: Serve) -> Iterator[RawGlance]:
    """Run a server that serves each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        glance = RawGlance(f"http://127.0.0.1:{listening.getsockname()[1]}")
        open_sockets: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                glance.connections += 1
                open_sockets.append(connected)
                arguments = (serve, connected, glance.requests)
                threading.Thread(target=_served, args=arguments, daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield glance
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connected in open_sockets:
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)


def response(
    body: object,
    request_id: str | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a response; a body of bytes goes as it is, any other as JSON."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    own = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    own |= {} if request_id is None else {REQUEST_ID: request_id}
    lines = [f"{name}: {value}" for name, value in (own | dict(headers or {})).items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Raw", *lines, "", ""])
    return head.encode() + content


def answering(make: Callable[[RawRequest], bytes]) -> Serve:
    """Return what answers each request of a connection with the bytes made for it."""

    def serve(connection: RawConnection) -> None:
        while (request := connection.request()) is not None:
            connection.send(make(request))

    return serve


def _served(serve: Serve, connected: socket.socket, requests: list[RawRequest]) -> None:
    with closing(RawConnection(connected, requests)) as connection, suppress(OSError):
        serve(connection)
