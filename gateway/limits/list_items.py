"""How many items a list in an argument may have."""

from gateway.limits.outline import Outline
from gateway.limits.rule import Rule

CODE = "LIST_LIMIT_EXCEEDED"


def list_items(outline: Outline) -> int:
    """Return the items of the longest list literal in the document."""
    return max((part.list_items for part in outline.parts), default=0)


LIST_ITEMS = Rule("list_items", CODE, "items in one list", list_items)
