"""How bytes travel to Glance: one pooled client, no state between calls.

httpx over aiohttp's connector, which costs a third of httpx's own pool under
fan-out. Nothing that one caller's answer sets may reach another caller's
request: cookies are neither kept nor sent, redirects are not followed.
"""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.caller import Caller

USER_AGENT = "glance-gateway"
CONNECT_TIMEOUT_SECONDS = 5.0


def open_client(*, connections: int, ca_file: Path | None = None) -> httpx.AsyncClient:
    """Return the client of this process, to be closed by its owner.

    It keeps at most `connections` connections and opens the first one with the
    first call. `ca_file` holds certificates (PEM) that vouch for Glance instead
    of the system's.
    """
    context = ssl.create_default_context(cafile=ca_file)

    def open_session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, ssl=context)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=["Content-Type"],
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=context, client=open_session),
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": USER_AGENT},
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_SECONDS),
        trust_env=False,
    )


def caller_headers(caller: Caller) -> Mapping[str, str]:
    """Return all that Glance is told about a caller: tokens and request id."""
    headers = {
        "X-Auth-Token": caller.identity.token,
        "X-OpenStack-Request-ID": caller.request_id,
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
