"""How many values the result of one operation may have.

Estimated before it is executed: a list counts with the requested number of items, or
with a typical number if none is requested.
"""

from gateway.limits.exceeded import LimitExceeded

CODE = "RESULT_LIMIT_EXCEEDED"


def check_values(estimate: int, limit: int) -> None:
    """Raise LimitExceeded for more than `limit` values."""
    if estimate > limit:
        message = (
            f"The result may have {estimate} values, and at most {limit} are allowed:"
            " select fewer images, or fewer fields of each."
        )
        raise LimitExceeded(CODE, message, measured=estimate, limit=limit)
