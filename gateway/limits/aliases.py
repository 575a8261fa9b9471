"""How many aliases a document may have."""

from gateway.limits.outline import Outline
from gateway.limits.rule import Rule


def aliases(outline: Outline) -> int:
    """Return the number of fields with an alias."""
    return sum(part.aliases for part in outline.parts)


ALIASES = Rule("aliases", "ALIAS_LIMIT_EXCEEDED", "aliases", aliases)
