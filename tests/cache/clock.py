"""A clock that stands still until a test moves it."""


class Clock:
    """Seconds since 1970, as a test wants them."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
