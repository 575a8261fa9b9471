"""A limit on a parsed document: a measure of its outline, and an error code."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.outline import Outline


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit; `name` is its measure's, `noun` is the unit in its message."""

    name: str
    code: str
    noun: str
    measure: Callable[[Outline], int]

    def check(self, outline: Outline, limit: int) -> int:
        """Return the measure; raises LimitExceeded for more than `limit`."""
        measured = self.measure(outline)
        if measured > limit:
            message = (
                f"The document has {measured} {self.noun}; at most {limit} are allowed."
            )
            raise LimitExceeded(self.code, message, measured=measured, limit=limit)
        return measured
