"""Reads the bodies of responses up to a limit."""

from aiohttp import StreamReader

# A page of 1000 images has some 0.7 to 5 MB and 40,000 values.
UNCOUNTED_BYTES = 1024 * 1024
VALUES_MAX = 300_000
ERROR_PAGE_MAX_BYTES = 16 * 1024

_VALUE_MARKS = (b",", b"{", b"[")


class BodyRejected(Exception):
    """A body that exceeds a limit and is not read to its end.

    The text is the predicate of a sentence, such as `larger than 10 bytes`.
    """


async def read_body(stream: StreamReader, max_bytes: float) -> bytes:
    """Return the whole body; raises BodyRejected for one of more than `max_bytes`.

    A body of more than 1 MiB is rejected, too, if it may hold more than 300,000
    values: decoding it would take more than 100 ms and 60 MB.
    """
    chunks, size_bytes = [], 0
    while size_bytes <= UNCOUNTED_BYTES:
        chunk = await stream.readany()
        chunks.append(chunk)
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise BodyRejected(f"larger than {max_bytes} bytes")
        if stream.at_eof() and size_bytes <= UNCOUNTED_BYTES:
            return chunk if len(chunks) == 1 else b"".join(chunks)
    return await _read_large_body(stream, bytearray().join(chunks), max_bytes)


async def _read_large_body(
    stream: StreamReader, body: bytearray, max_bytes: float
) -> bytes:
    """Return `body` and the rest of the stream, counting values while reading."""
    counted_bytes, values = 0, 0
    while counted_bytes < len(body):
        values += sum(body.count(mark, counted_bytes) for mark in _VALUE_MARKS)
        counted_bytes = len(body)
        if values > VALUES_MAX:
            raise BodyRejected(f"made of more than {VALUES_MAX} values")
        body += await stream.readany()
        if len(body) > max_bytes:
            raise BodyRejected(f"larger than {max_bytes} bytes")
    return bytes(body)


async def read_beginning(stream: StreamReader, max_bytes: int) -> bytes:
    """Return the first `max_bytes` of the body; the rest is not read."""
    page = bytearray()
    while not stream.at_eof() and len(page) < max_bytes:
        page += await stream.readany()
    return bytes(page[:max_bytes])
