"""How many root fields an operation may have, fragments included."""

from collections.abc import Callable

from gateway.limits.outline import Outline, Part
from gateway.limits.rule import Rule
from gateway.limits.through_fragments import largest


def root_fields(outline: Outline) -> int:
    """Return the largest number of root fields of an operation."""
    return largest(outline, _root_fields)


def _root_fields(part: Part, of_fragment: Callable[[str], int]) -> int:
    at_root = (of_fragment(one.name) for one in part.spreads if one.depth == 0)
    return part.root_fields + sum(at_root)


ROOT_FIELDS = Rule(
    "root_fields", "ROOT_FIELD_LIMIT_EXCEEDED", "root fields", root_fields
)
