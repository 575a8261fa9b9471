"""How many bytes of text a result may have."""

from collections.abc import Iterator

import msgspec

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.result_values import CODE

MAX_BYTES = 64 * 1024 * 1024
VALUES_PER_PIECE = 1_000


def may_be_too_long(*, read_bytes: int, aliases: int) -> bool:
    """Return whether a result may have more than 64 MiB of text.

    `read_bytes` are those of Glance's responses that it was made of. They may be
    in it once, and once more for each of the aliases, below `nodes` and `edges`.
    """
    return 2 * read_bytes * (1 + aliases) > MAX_BYTES


def check_result(data: object, max_bytes: int = MAX_BYTES) -> Iterator[None]:
    """Raise LimitExceeded for more text than `max_bytes`, in all of a result.

    A result of 4 MB takes some 50 ms: yields after each piece of it, so that the
    event loop can run other work.
    """
    count = 0
    for characters in _characters(data):
        count += characters
        if count > max_bytes:
            message = (
                f"The result has more than {max_bytes} bytes of text and is not sent;"
                " the operation was executed. Select less at once."
            )
            raise LimitExceeded(CODE, message, measured=count, limit=max_bytes)
        yield


def _characters(data: object) -> Iterator[int]:
    """Yield the characters of all texts in a result, piece by piece."""
    waiting = [data]
    while waiting:
        count = 0
        for _ in range(min(VALUES_PER_PIECE, len(waiting))):
            value = waiting.pop()
            if isinstance(value, str):
                count += len(value)
            elif isinstance(value, dict):
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
            elif isinstance(value, msgspec.Struct):
                waiting += [getattr(value, name) for name in value.__struct_fields__]
        yield count
