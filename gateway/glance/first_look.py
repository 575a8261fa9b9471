"""One look at the server at Glance's address, without a token.

Two routes of Glance's need none: `GET /` lists versions, and `GET /v2/images` asks for
a token as keystonemiddleware does. A proxy may route only one of them to Glance. None
of their responses has a request id.
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


class Seen(msgspec.Struct, frozen=True):
    """A response; `challenge` is its WWW-Authenticate header."""

    status: int
    challenge: str
    content: bytes


async def first_look(transport: Transport, address: str) -> str | None:
    """Return in one line what is wrong at the address, None if Glance is there."""
    exchange = Exchange("req-first-look", needs_new_connection=True)
    seen: list[Seen] = []
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            for route in ROUTES:
                found = await _get(transport, base_url(address) + route, exchange)
                if is_glance(found):
                    return None
                seen.append(found)
    except FAILURES as error:
        return str(translated(error, "find Glance", exchange, is_write=False))
    pages = zip(ROUTES, seen, strict=True)
    found_pages = (f"GET {route} is answered with {one.status}" for route, one in pages)
    return f"Could not find Glance: {', '.join(found_pages)}, not as by Glance."


def is_glance(seen: Seen) -> bool:
    """Return whether only Glance, or what checks its tokens, responds like this."""
    if seen.status == HTTPStatus.UNAUTHORIZED:
        return seen.challenge.startswith("Keystone ")
    if seen.status not in {HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES}:
        return False
    try:
        versions = orjson.loads(seen.content)["versions"]
        return any(str(one["id"]).startswith("v2") for one in versions)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


async def _get(transport: Transport, url: str, exchange: Exchange) -> Seen:
    current_exchange.set(exchange)
    session = transport.single_use_session()
    async with session.get(URL(url), allow_redirects=False) as response:
        content = await read_beginning(response.content, ERROR_PAGE_MAX_BYTES)
        challenge = response.headers.get("WWW-Authenticate", "")
        return Seen(response.status, challenge, content)
