"""How many bytes the text of a document may have."""

from gateway.limits.exceeded import LimitExceeded

CODE = "DOCUMENT_BYTES_LIMIT_EXCEEDED"


def check_bytes(text: str, limit: int) -> int:
    """Return the bytes of the text as UTF-8; raises LimitExceeded beyond `limit`."""
    count = len(text) if text.isascii() else len(text.encode(errors="replace"))
    if count > limit:
        message = f"The document has {count} bytes; at most {limit} are allowed."
        raise LimitExceeded(CODE, message, measured=count, limit=limit)
    return count
