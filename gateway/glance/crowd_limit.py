"""How many calls of crowds Glance serves without delaying other callers.

A crowd is all calls of one identity beyond one at a time. The limit is derived from
the duration of uncontended calls: those during calls of a crowd are compared with
the others.
"""

Kind = tuple[str, int]

LEAST_CALLS = 0.3
SLOWED_DOWN = 2.0
MORE, LESS = 1.02, 0.9
# The weight of the newest call in the moving average.
NEWEST = 0.1


class CrowdLimit:
    """How many calls of crowds may be in flight at once, on average.

    Below 1, one call at a time is in flight, with a pause after each. The limit
    converges to a value at which at least three quarters of the uncontended calls
    are not delayed.
    """

    def __init__(self, *, most: int) -> None:
        """Begin with one call at a time; allow `most` calls at most."""
        self._most = most
        self._calls = 1.0
        self._undisturbed: dict[Kind, float] = {}

    @property
    def calls(self) -> int:
        """Return how many calls may be in flight at once."""
        return max(1, int(self._calls))

    def pause_seconds(self, call_seconds: float) -> float:
        """Return how long to pause after a call of this duration."""
        return call_seconds * max(0.0, 1 / self._calls - 1)

    def observe(self, kind: Kind, seconds: float, *, was_beside_crowd: bool) -> None:
        """Adjust the limit to the duration of an uncontended call of this kind."""
        usual = self._undisturbed.get(kind)
        if not was_beside_crowd:
            usual = seconds if usual is None else usual
            self._undisturbed[kind] = usual + NEWEST * (seconds - usual)
        elif usual is not None:
            factor = LESS if seconds > SLOWED_DOWN * usual else MORE
            self._calls = min(max(self._calls * factor, LEAST_CALLS), self._most)
