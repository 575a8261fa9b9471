"""Compresses responses for clients that accept it.

Source: RFC 9110, sections 8.4 and 12.5.3.
"""

import asyncio
import gzip
from enum import Enum
from functools import partial

import brotli
import zstandard
from msgspec.structs import replace

from gateway.asgi.graphql.response import Response
from gateway.asgi.qualities import NOT_ACCEPTABLE, decided_once, qualities
from gateway.cache.response_cache import ResponseCache
from gateway.cache.single_flight import SingleFlight

# Higher levels take two to four times the CPU for a tenth of the bytes.
LEVEL = 1
# Smaller bodies take at most about a millisecond.
OFF_LOOP_FROM_BYTES = 128 * 1024


class Encoding(Enum):
    """The content encodings, cheapest in CPU first."""

    ZSTD = "zstd"
    BROTLI = "br"
    GZIP = "gzip"


class Compression:
    """Compresses responses that are long enough; a cached response only once."""

    def __init__(self, response_cache: ResponseCache, *, min_bytes: int) -> None:
        """Compress bodies of at least `min_bytes`; none if it is 0.

        `response_cache` also stores the compressed bodies of its entries.
        """
        self._response_cache = response_cache
        self._min_bytes = min_bytes
        self._flights = SingleFlight[bytes]()

    async def of(self, response: Response, accept_encoding: str | None) -> Response:
        """Return the response encoded for this Accept-Encoding."""
        body = response.body
        if not self._min_bytes or len(body) < self._min_bytes:
            return response
        varying = replace(
            response, headers={"vary": "Accept-Encoding", **response.headers}
        )
        encoding = encoding_in(accept_encoding) if accept_encoding else None
        if encoding is None:
            return varying
        compressed = await self._compressed(response, encoding)
        if len(compressed) >= len(body):
            return varying
        headers = {**varying.headers, "content-encoding": encoding.value}
        return replace(varying, body=compressed, headers=headers)

    async def _compressed(self, response: Response, encoding: Encoding) -> bytes:
        """Return the compressed body, from the cache entry if it has one."""
        if response.cached is None:
            return await self._compressed_once(encoding, response.body)
        key, entry = response.cached
        if encoding.value in entry.compressed:
            return entry.compressed[encoding.value]
        compressed = await self._compressed_once(encoding, response.body)
        await self._response_cache.keep_compressed(
            key, entry, encoding.value, compressed
        )
        return compressed

    async def _compressed_once(self, encoding: Encoding, body: bytes) -> bytes:
        """Compress a body; concurrent responses with the same body share the work.

        A large body is compressed in a thread, so that it does not block the loop.
        """
        if len(body) < OFF_LOOP_FROM_BYTES:
            return compress(encoding, body)
        compressing = partial(_compressed_in_thread, encoding, body)
        return await self._flights.run((encoding, id(body)), compressing)


@decided_once
def encoding_in(accept_encoding: str) -> Encoding | None:
    """Return the preferred encoding, None if we do not support it."""
    weighed = qualities(accept_encoding)
    of_others = weighed.get("*", NOT_ACCEPTABLE)
    offered = {one: weighed.get(one.value, of_others) for one in Encoding}
    best = max(offered, key=offered.__getitem__)
    uncompressed = weighed.get("identity", NOT_ACCEPTABLE)
    if offered[best] == NOT_ACCEPTABLE or offered[best] < uncompressed:
        return None
    return best


def compress(encoding: Encoding, body: bytes) -> bytes:
    """Return the compressed body, at the fastest level."""
    match encoding:
        case Encoding.ZSTD:
            return zstandard.ZstdCompressor(level=LEVEL).compress(body)
        case Encoding.BROTLI:
            compressed: bytes = brotli.compress(body, quality=LEVEL)
            return compressed
        case Encoding.GZIP:
            return gzip.compress(body, LEVEL, mtime=0)


async def _compressed_in_thread(encoding: Encoding, body: bytes) -> bytes:
    return await asyncio.to_thread(compress, encoding, body)
