"""How many levels of fields may be nested, fragments included."""

from collections.abc import Callable

from gateway.limits.outline import Outline, Part
from gateway.limits.rule import Rule
from gateway.limits.through_fragments import largest


def depth(outline: Outline) -> int:
    """Return the levels of the deepest operation; a leaf at the root is at 1."""
    return largest(outline, _depth)


def _depth(part: Part, of_fragment: Callable[[str], int]) -> int:
    below = (spread.depth + of_fragment(spread.name) for spread in part.spreads)
    return max(part.depth, *below, 0)


DEPTH = Rule("depth", "DEPTH_LIMIT_EXCEEDED", "levels of fields", depth)
