"""How many calls one identity has under way: few where each takes long."""

FIRST_CALLS = 4
SECONDS_UNDER_WAY = 4.0
# What the newest call counts for in their average.
NEWEST = 0.1


class Pace:
    """The calls that may be under way at once, found from what calls take.

    Each response adds one, as long as those under way are together worth no
    more than some seconds: whoever comes next is not long behind them.
    """

    def __init__(self) -> None:
        """Begin with a few."""
        self.calls = FIRST_CALLS
        self._seconds: float | None = None

    def observe(self, seconds: float) -> None:
        """Learn from a call that took so long."""
        usual = seconds if self._seconds is None else self._seconds
        self._seconds = usual + NEWEST * (seconds - usual)
        most = int(SECONDS_UNDER_WAY / max(self._seconds, 0.001))
        self.calls = max(1, min(self.calls + 1, most))
