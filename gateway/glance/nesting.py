"""JSON that is nested too deeply to be encoded or compared once it is decoded."""

import orjson

# orjson decodes 1024 levels and encodes 254. JSON with so few opening brackets cannot
# be too deep.
SURELY_SHALLOW_OPENINGS = 200


def is_too_deep(content: bytes, value: object, *, flat_openings: int = 0) -> bool:
    """Return whether a value can't be encoded again; `content` is its JSON.

    `flat_openings` is how many of its brackets are known not to be nested deeply.
    """
    openings = content.count(b"{") + content.count(b"[")
    if openings <= flat_openings + SURELY_SHALLOW_OPENINGS:
        return False
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False
