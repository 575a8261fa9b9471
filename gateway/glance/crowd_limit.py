"""How many calls of crowds Glance takes without slowing single calls down.

A crowd is what one identity wants beyond a call at a time. The limit is found
from what single calls take: with a crowd's calls beside them, and without.
"""

Kind = tuple[str, int]

LEAST_CALLS = 0.3
SLOWED_DOWN = 2.0
MORE, LESS = 1.02, 0.9
# What the newest of the single calls counts for in their average.
NEWEST = 0.1


class CrowdLimit:
    """The calls of crowds that may be under way at once, on average.

    Below 1 there is one, and a pause after each. Crowds have a lot to call and
    wait anyway: three quarters of the single calls and more should not notice.
    """

    def __init__(self, *, most: int) -> None:
        """Begin with one call at a time."""
        self._most = most
        self._calls = 1.0
        self._undisturbed: dict[Kind, float] = {}

    @property
    def calls(self) -> int:
        """Return how many calls may be under way at once."""
        return max(1, int(self._calls))

    def pause_seconds(self, call_seconds: float) -> float:
        """Return how long to wait after a call that took so long."""
        return call_seconds * max(0.0, 1 / self._calls - 1)

    def observe(self, kind: Kind, seconds: float, *, was_beside_crowd: bool) -> None:
        """Learn from a single call of this kind."""
        usual = self._undisturbed.get(kind)
        if not was_beside_crowd:
            usual = seconds if usual is None else usual
            self._undisturbed[kind] = usual + NEWEST * (seconds - usual)
        elif usual is not None:
            factor = LESS if seconds > SLOWED_DOWN * usual else MORE
            self._calls = min(max(self._calls * factor, LEAST_CALLS), self._most)
