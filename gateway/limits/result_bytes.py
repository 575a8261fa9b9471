"""How much text a result may have, however few values hold it."""

from collections.abc import Mapping

import msgspec

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.result_values import CODE

MAX_BYTES = 64 * 1024 * 1024


def check_result(data: object, *, read_bytes: int, aliases: int) -> None:
    """Raise LimitExceeded for a result of more than 64 MiB of text.

    `read_bytes` are those of Glance's responses that it was made of. They may be
    in it once, and once more for each of the aliases, below `nodes` and `edges`:
    only where that could be too much the result is looked through.
    """
    if 2 * read_bytes * (1 + aliases) <= MAX_BYTES:
        return
    count = text_characters(data, MAX_BYTES)
    if count > MAX_BYTES:
        message = (
            f"The result has more than {MAX_BYTES} bytes of text and is not sent;"
            " the operation was executed. Ask for less at once."
        )
        raise LimitExceeded(CODE, message, measured=count, limit=MAX_BYTES)


def text_characters(data: object, limit: int) -> int:
    """Return the characters of all texts in a result, or more than `limit`."""
    count = 0
    waiting = [data]
    while waiting and count <= limit:
        value = waiting.pop()
        if isinstance(value, str):
            count += len(value)
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, msgspec.Struct):
            waiting += [getattr(value, name) for name in value.__struct_fields__]
    return count
