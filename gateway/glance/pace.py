"""How many calls one identity may have in flight: fewer if they are slow."""

FIRST_CALLS = 4
SECONDS_IN_FLIGHT = 4.0
# The weight of the newest call in the moving average.
NEWEST = 0.1


class Pace:
    """How many calls one identity may have in flight, by their duration.

    Each response adds one call, as long as all of them together take at most
    SECONDS_IN_FLIGHT. So another identity's call does not wait long for them.
    """

    def __init__(self) -> None:
        """Begin with FIRST_CALLS."""
        self.calls = FIRST_CALLS
        self._seconds: float | None = None

    def observe(self, seconds: float) -> None:
        """Adjust the number of calls to the duration of a call."""
        usual = seconds if self._seconds is None else self._seconds
        self._seconds = usual + NEWEST * (seconds - usual)
        most = int(SECONDS_IN_FLIGHT / max(self._seconds, 0.001))
        self.calls = max(1, min(self.calls + 1, most))
