"""JSON that is nested too deeply to be encoded or compared once it is decoded."""

import orjson

# orjson decodes 1024 levels and encodes 254.
SURELY_SHALLOW_OPENINGS = 200


def is_too_deep(content: bytes, value: object, *, flat_openings: int = 0) -> bool:
    """Tell whether a value can't be encoded again; `content` is its JSON.

    So many `flat_openings` are known to be beside each other, not nested.
    """
    openings = content.count(b"{") + content.count(b"[")
    if openings <= flat_openings + SURELY_SHALLOW_OPENINGS:
        return False
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False
