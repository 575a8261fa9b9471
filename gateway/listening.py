"""Sockets on which services of this machine listen."""

import socket
from errno import EADDRINUSE

HOST = "127.0.0.1"
EVERY_HOST = {"0.0.0.0", "::"}  # noqa: S104 - if configured so


class ServiceFailed(Exception):
    """A service did not start, or ended early; the text is free of secrets."""


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def listen(host: str, port: int, *, flag: str | None = None) -> socket.socket:
    """Return a socket that listens; raises ServiceFailed, as on a taken port.

    `flag` is the command's option for another port, None if there is none.
    """
    ipv6 = ":" in host
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=ipv6)
    except OSError as error:
        # Python appends the address to the text.
        reason = str(error.strerror).partition(" (")[0]
        message = f"Can't listen on port {port} of {host}: {reason}."
        if flag is not None and error.errno == EADDRINUSE:
            message += f" Choose another one with {flag}."
        raise ServiceFailed(message) from error


def url_at(host: str, port: int) -> str:
    """Return the URL by which this machine reaches a service that listens there."""
    reached = HOST if host in EVERY_HOST else host
    return (
        f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    )
