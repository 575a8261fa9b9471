"""Checks once whether Glance is at its configured address, without a token.

Two of Glance's routes respond without one: `GET /` lists versions, and
`GET /v2/images` returns the 401 of keystonemiddleware. A proxy may route only one of
them to Glance. Neither response has a request id.
"""

import asyncio
from http import HTTPStatus

import msgspec
import orjson
from yarl import URL

from gateway.glance.body import ERROR_PAGE_MAX_BYTES, read_beginning
from gateway.glance.connections import current_exchange
from gateway.glance.exchange import Exchange
from gateway.glance.failures import FAILURES, translated
from gateway.glance.transport import Transport, base_url

TIMEOUT_SECONDS = 5.0
ROUTES = ("/", "/v2/images")


class ProbeResponse(msgspec.Struct, frozen=True):
    """A response; `challenge` is its WWW-Authenticate header."""

    status: int
    challenge: str
    content: bytes


async def find_problem(transport: Transport, address: str) -> str | None:
    """Return in one line what is wrong at the address, None if Glance responds."""
    exchange = Exchange("req-startup-probe", needs_new_connection=True)
    responses: list[ProbeResponse] = []
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            for route in ROUTES:
                response = await _get(transport, base_url(address) + route, exchange)
                if is_glance(response):
                    return None
                responses.append(response)
    except FAILURES as error:
        return str(translated(error, "find Glance", exchange, is_write=False))
    pairs = zip(ROUTES, responses, strict=True)
    results = (f"GET {route} returned {one.status}" for route, one in pairs)
    return f"Could not find Glance: {', '.join(results)}, unlike Glance."


def is_glance(response: ProbeResponse) -> bool:
    """Return whether the response comes from Glance or its keystonemiddleware."""
    if response.status == HTTPStatus.UNAUTHORIZED:
        return response.challenge.startswith("Keystone ")
    if response.status not in {HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES}:
        return False
    try:
        versions = orjson.loads(response.content)["versions"]
        return any(str(one["id"]).startswith("v2") for one in versions)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


async def _get(transport: Transport, url: str, exchange: Exchange) -> ProbeResponse:
    current_exchange.set(exchange)
    session = transport.single_use_session()
    async with session.get(URL(url), allow_redirects=False) as response:
        content = await read_beginning(response.content, ERROR_PAGE_MAX_BYTES)
        challenge = response.headers.get("WWW-Authenticate", "")
        return ProbeResponse(response.status, challenge, content)
