"""Responses as server-sent events, each in a connection of its own.

Sources: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
(distinct connections mode) and https://html.spec.whatwg.org/#server-sent-events
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

from starlette.types import Send

from gateway.asgi.graphql.media_types import MediaType
from gateway.asgi.graphql.response import CONTENT_TYPES, REQUEST_ID, encoded
from gateway.asgi.streaming.streams import Rejected

# Proxies close connections that are silent for half a minute or longer.
KEEP_ALIVE_SECONDS = 12
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"

Responses = AsyncGenerator[bytes, None]


async def send_events(send: Send, responses: Responses, identifier: str) -> None:
    """Send all responses, then the end; send keep-alives in between."""
    headers = [
        CONTENT_TYPES[MediaType.EVENTS],
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (REQUEST_ID, identifier.encode()),
    ]
    status = HTTPStatus.OK
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _send_part(send, KEEP_ALIVE)
    # No TaskGroup: its exceptions would keep all objects of their frames in memory.
    keep_alive = asyncio.create_task(_keep_alive(send))
    try:
        await _send_responses(send, responses)
    finally:
        keep_alive.cancel()
        await asyncio.wait([keep_alive])
    await send({"type": "http.response.body", "body": b""})


async def _send_responses(send: Send, responses: Responses) -> None:
    try:
        async with aclosing(responses):
            async for response in responses:
                await _send_part(send, _next(response))
    except Rejected as rejected:
        await _send_part(send, _next(encoded({"errors": rejected.errors})))
    await _send_part(send, COMPLETE)


async def _keep_alive(send: Send) -> None:
    while True:
        await asyncio.sleep(KEEP_ALIVE_SECONDS)
        await _send_part(send, KEEP_ALIVE)


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


def _next(response: bytes) -> bytes:
    """Return the event of a response; its JSON has no line breaks."""
    return b"event: next\ndata: %s\n\n" % response
