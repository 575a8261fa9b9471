"""Log lines about calls without a usable response, limited during an outage."""

import logging
import time
from collections.abc import Callable

INTERVAL_SECONDS = 60.0

logger = logging.getLogger(__name__)


class FailureLog:
    """Logs the first failure of each cause, then at most one per minute.

    The next line of a cause has the number of failures that were not logged. Causes
    are a few fixed sentences, so the memory for them is bounded.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing logged."""
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def log(self, cause: str, detail: str, request_id: str) -> None:
        """Log a failure at WARNING, or count it."""
        now = self._clock()
        if now - self._logged_at.get(cause, -INTERVAL_SECONDS) < INTERVAL_SECONDS:
            self._left_out[cause] = self._left_out.get(cause, 0) + 1
            return
        self._logged_at[cause] = now
        logger.warning(
            "Call %s to Glance failed: %s%s.%s",
            request_id,
            cause,
            f" ({detail})" if detail else "",
            _left_out(self._left_out.pop(cause, 0)),
        )


def _left_out(count: int) -> str:
    if not count:
        return ""
    calls = "1 more call has" if count == 1 else f"{count} more calls have"
    return f" {calls} failed for this reason since the last such line."
