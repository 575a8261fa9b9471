"""Measures that include spread fragments; each is measured once. Pure."""

from collections.abc import Callable

from gateway.limits.outline import Outline, Part

# No limit is higher. A measure that doubles with each fragment stays a JSON number.
MOST = 1_000_000

Measure = Callable[[Part, Callable[[str], int]], int]


def largest(outline: Outline, measure: Measure) -> int:
    """Return the largest measure of an operation.

    `measure` receives a part and a function that measures a fragment by name:
    0 for a fragment that is missing or spreads itself, which validation rejects.
    """
    known: dict[str, int] = {}

    def of_fragment(name: str) -> int:
        if name not in known:
            known[name] = 0
            part = outline.fragments.get(name)
            if part is not None:
                known[name] = min(measure(part, of_fragment), MOST)
        return known[name]

    return max((measure(part, of_fragment) for part in outline.operations), default=0)
