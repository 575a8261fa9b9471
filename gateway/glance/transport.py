"""How bytes travel to Glance: pooled connections, no state between calls.

Nothing that one caller's answer sets may reach another caller's request:
cookies are neither kept nor sent, redirects are not followed.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from gateway.caller import Caller

REQUEST_ID = "X-OpenStack-Request-ID"
USER_AGENT = "glance-gateway"
CONNECT_TIMEOUT_SECONDS = 5.0
READ_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read whole; `request_id` is the one in Glance's log."""

    status: int
    media_type: str
    request_id: str
    content: bytes

    @property
    def is_success(self) -> bool:
        """Tell whether the call did what it was for."""
        return self.status // 100 == 2  # noqa: PLR2004 - 2xx


class Transport:
    """The connections of this process, at most a number at once."""

    def __init__(self, *, connections: int, ca_file: Path | None = None) -> None:
        """Open nothing yet: the first connection comes with the first call.

        `ca_file` holds certificates (PEM) that vouch for Glance instead of the
        system's.
        """
        self._connections = connections
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._sessions: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None
        self._sessions = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        parameters: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Response:
        """Send a request to a URL that is quoted, and return its answer.

        Raises aiohttp.ClientError and, after 5 s without a connection,
        TimeoutError. A GET is sent once more where a connection was lost; a
        write is not: its second answer would be about the first one's work.
        """
        target = f"{url}?{urlencode(parameters)}" if parameters else url
        reads, writes = self._sessions or self._open()
        async with (reads if method == "GET" else writes).request(
            method,
            URL(target, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
        return Response(
            answer.status,
            answer.headers.get("Content-Type", "").partition(";")[0],
            answer.headers.get(REQUEST_ID, headers[REQUEST_ID]),
            content,
        )

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions or ():
            await session.close()

    def _open(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
        """Open the session of reads and that of writes, on the same connections."""
        connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls)
        reads = self._session(connector, skip=())
        writes = self._session(connector, skip=["Content-Type"])
        writes._retry_connection = False  # noqa: SLF001 - no public switch
        self._sessions = reads, writes
        return self._sessions

    def _session(
        self, connector: aiohttp.TCPConnector, *, skip: Sequence[str]
    ) -> aiohttp.ClientSession:
        """Open a session; headers to skip cost each of its calls some 25 µs."""
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            skip_auto_headers=skip,
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_SECONDS),
            read_bufsize=READ_BUFFER_BYTES,
        )


def caller_headers(caller: Caller) -> Mapping[str, str]:
    """Return all that Glance is told about a caller: tokens and request id."""
    headers = {
        "X-Auth-Token": caller.identity.token,
        REQUEST_ID: caller.request_id,
    }
    if caller.identity.service_token is not None:
        headers["X-Service-Token"] = caller.identity.service_token
    return headers


def base_url(address: str) -> str:
    """Return the address that `/v2/...` is appended to.

    `address` is Glance's endpoint as catalogs spell it: with or without a
    path prefix, a slash at the end, or `/v2`.
    """
    return address.rstrip("/").removesuffix("/v2").rstrip("/")
