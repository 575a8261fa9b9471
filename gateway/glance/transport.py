"""Sends requests to Glance over pooled connections, without state between calls.

No response to one caller may affect another caller's request: cookies are neither
kept nor sent, redirects are not followed, and a response that may belong to another
request is rejected.
"""

import logging
import ssl
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from gateway.caller import Caller
from gateway.glance.body import (
    ERROR_PAGE_MAX_BYTES,
    BodyRejected,
    read_beginning,
    read_body,
)
from gateway.glance.connections import GlanceConnector, current_exchange
from gateway.glance.exchange import (
    REQUEST_ID,
    Exchange,
    Verdict,
    is_success,
    loggable,
    verdict,
)
from gateway.glance.marks import described, is_glances
from gateway.glance.retry_after import retry_after_seconds

USER_AGENT = "glance-gateway"
CONNECT_TIMEOUT_SECONDS = 5.0
HEADER_MAX_BYTES = 64 * 1024
READ_BUFFER_BYTES = 1024 * 1024
RESPONSE_MAX_BYTES = 64 * 1024 * 1024
# Statuses whose `Retry-After` is kept.
_TEMPORARY = frozenset(
    {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)

logger = logging.getLogger(__name__)


class ResponseRejected(Exception):
    """A response that is not Glance's response to this request.

    The text continues a sentence that begins with `the response`.
    """

    def __init__(self, found: str = "may belong to another request") -> None:
        """Set the predicate that describes the response."""
        super().__init__(found)


class Request(msgspec.Struct, frozen=True):
    """A request to a quoted URL; `max_bytes` bounds the body of the response.

    With 0 the body of a success is not read. `success` is the status that Glance
    sends when the request succeeds.
    """

    method: str
    url: str
    parameters: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes | None
    max_bytes: float
    success: int

    @property
    def target(self) -> URL:
        """Return the URL with its parameters."""
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        return URL(self.url + query, encoded=True)


class Response(msgspec.Struct, frozen=True):
    """A response; `request_id` is the one in Glance's log.

    `content` is the whole body of a success. Of any other response it is the first
    16 KiB, empty if that is compressed. `retry_after_seconds` is set for 413, 429 and
    503 only.
    """

    status: int
    media_type: str
    request_id: str
    content: bytes
    retry_after_seconds: int | None = None

    @property
    def is_success(self) -> bool:
        """Return whether the call has succeeded."""
        return is_success(self.status)


class Transport:
    """The connections of this process.

    Each request gets a new connection until Glance has echoed a request id. Behind a
    proxy that strips ids, each request always gets one.
    """

    def __init__(
        self,
        *,
        connections: int,
        ca_file: Path | None = None,
        response_max_bytes: int = RESPONSE_MAX_BYTES,
        proxy: str | None = None,
    ) -> None:
        """Open no connection before the first call.

        At most `connections` keep-alive connections are in use at once, and as many
        single-use ones. `ca_file` holds CA certificates (PEM) that replace the
        system's. `proxy` is the address of an HTTP proxy for all calls.
        """
        self._connections = connections
        self._response_max_bytes = response_max_bytes
        self._proxy = None if proxy is None else URL(proxy)
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._sessions: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None
        self._sessions = None
        self._has_echoed = False
        self._has_warned = False

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Send a request once, and return its response.

        Raises ResponseRejected for a response to another request or from another
        server, BodyRejected, aiohttp.ClientError and, after 5 s without a connection,
        TimeoutError.
        """
        kept, single = self._sessions or self._open()
        may_share = self._has_echoed and not exchange.needs_new_connection
        current_exchange.set(exchange)
        async with (kept if may_share else single).request(
            request.method,
            request.target,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            try:
                has_id = self._has_id(response, exchange)
                content = await self._content(response, request.max_bytes)
                if not has_id:
                    self._check_marks(response, content, request)
            except (BodyRejected, ResponseRejected):
                # A connection returns to the pool once its body is read completely.
                response.close()
                exchange.close()
                raise
            retry_after = None
            if response.status in _TEMPORARY:
                retry_after = retry_after_seconds(response.headers, datetime.now(UTC))
            return Response(
                response.status,
                _media_type(response),
                exchange.request_id,
                content,
                retry_after,
            )

    def single_use_session(self) -> aiohttp.ClientSession:
        """Return the session whose connections are used for one request each."""
        return (self._sessions or self._open())[1]

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions or ():
            await session.close()

    def _has_id(self, response: aiohttp.ClientResponse, exchange: Exchange) -> bool:
        """Return whether the response has the request's id.

        Raises ResponseRejected if it may belong to another request. After a response
        without an id the connection is closed.
        """
        echoed = response.headers.getall(REQUEST_ID, ())
        status, has_echoed = response.status, self._has_echoed
        match verdict(exchange, status, echoed, has_echoed=has_echoed):
            case Verdict.PROVEN:
                self._has_echoed = True
                return True
            case Verdict.ACCEPTED:
                exchange.close_after_response()
                return False
            case Verdict.UNPROVEN:
                raise ResponseRejected
            case Verdict.FOREIGN:
                if echoed or not exchange.is_first:
                    log_foreign(exchange, loggable(echoed))
                if not echoed:
                    raise ResponseRejected(described(status, _media_type(response)))
                raise ResponseRejected

    def _check_marks(
        self, response: aiohttp.ClientResponse, content: bytes, request: Request
    ) -> None:
        """Raise ResponseRejected for a response without an id that is not Glance's."""
        status = response.status
        if not is_glances(status, content, success=request.success):
            raise ResponseRejected(described(status, _media_type(response)))
        if is_success(status):
            self._warn_once()

    def _warn_once(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "Glance's responses lack the %s that was sent. A proxy may strip it."
                " Each call gets a new connection.",
                REQUEST_ID,
            )

    def _content(
        self, response: aiohttp.ClientResponse, max_bytes: float
    ) -> Awaitable[bytes]:
        """Return the awaitable body; raises BodyRejected for a compressed one."""
        is_plain = response.headers.get("Content-Encoding", "identity") == "identity"
        if not is_success(response.status):
            max_page_bytes = ERROR_PAGE_MAX_BYTES if is_plain else 0
            return read_beginning(response.content, max_page_bytes)
        if not max_bytes:
            return read_beginning(response.content, 0)
        if not is_plain:
            raise BodyRejected("compressed, which was not requested")
        return read_body(response.content, min(max_bytes, self._response_max_bytes))

    def _open(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
        """Open the sessions of keep-alive and of single-use connections."""
        self._sessions = self._session(is_kept=True), self._session(is_kept=False)
        return self._sessions

    def _session(self, *, is_kept: bool) -> aiohttp.ClientSession:
        """Open a session.

        `skip_auto_headers` takes some 25 µs per call, so keep-alive connections do not
        use it.
        """
        session = aiohttp.ClientSession(
            connector=GlanceConnector(
                limit=self._connections, tls=self._tls, is_kept=is_kept
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            skip_auto_headers=() if is_kept else ["Content-Type"],
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_SECONDS),
            proxy=self._proxy,
            read_bufsize=READ_BUFFER_BYTES,
            max_line_size=HEADER_MAX_BYTES,
            max_field_size=HEADER_MAX_BYTES,
            auto_decompress=False,
        )
        session._retry_connection = False  # noqa: SLF001 - no public switch
        return session


def log_foreign(exchange: Exchange, found: str) -> None:
    """Log that a response belongs to another request, as `found` shows."""
    logger.error(
        "The response to request %s is rejected and its connection closed: it came"
        " with %s. A server or proxy in front of Glance mixes up responses.",
        exchange.request_id,
        found,
    )


def _media_type(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0]


def caller_headers(caller: Caller, exchange: Exchange) -> dict[str, str]:
    """Return the headers that identify a caller to Glance: tokens and request id."""
    headers = {
        "X-Auth-Token": caller.identity.token,
        REQUEST_ID: exchange.request_id,
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
