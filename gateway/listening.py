"""Where services of this machine listen."""

import socket
from errno import EADDRINUSE

HOST = "127.0.0.1"
EVERY_HOST = {"0.0.0.0", "::"}  # noqa: S104 - for those who ask for it


class ServiceFailed(Exception):
    """A service that did not start or did not last; the reason, without secrets."""


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def listen(host: str, port: int, *, flag: str | None = None) -> socket.socket:
    """Return a socket that listens; raises ServiceFailed, as on a taken port.

    `flag` is what tells the command another port, None where nothing does.
    """
    ipv6 = ":" in host
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=ipv6)
    except OSError as error:
        # Python appends the address, in its own words.
        reason = str(error.strerror).partition(" (")[0]
        message = f"Can't listen on port {port} of {host}: {reason}."
        if flag is not None and error.errno == EADDRINUSE:
            message += f" Choose another one with {flag}."
        raise ServiceFailed(message) from error


def url_at(host: str, port: int) -> str:
    """Return where this machine reaches what listens there."""
    reached = HOST if host in EVERY_HOST else host
    return (
        f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    )
