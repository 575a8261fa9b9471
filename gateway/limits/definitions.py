"""How many operations and fragments a document may define."""

from gateway.limits.outline import Outline
from gateway.limits.rule import Rule


def operations(outline: Outline) -> int:
    """Return the number of operations."""
    return len(outline.operations)


def fragments(outline: Outline) -> int:
    """Return the number of fragments."""
    return len(outline.fragments)


OPERATIONS = Rule("operations", "OPERATION_LIMIT_EXCEEDED", "operations", operations)
FRAGMENTS = Rule("fragments", "FRAGMENT_LIMIT_EXCEEDED", "fragments", fragments)
