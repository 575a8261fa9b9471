"""How many values the result of one operation may have.

Estimated before it is executed: a list counts with as many items as are asked
for, or as are usual where nobody asks for a number.
"""

from gateway.limits.exceeded import LimitExceeded

CODE = "RESULT_LIMIT_EXCEEDED"


def check_values(estimate: int, limit: int) -> None:
    """Raise LimitExceeded for more than `limit` values."""
    if estimate > limit:
        message = (
            f"The result may have {estimate} values, and at most {limit} are allowed:"
            " ask for fewer images, or for less of each."
        )
        raise LimitExceeded(CODE, message, measured=estimate, limit=limit)
