"""How many directives a document may have."""

from gateway.limits.outline import Outline
from gateway.limits.rule import Rule


def directives(outline: Outline) -> int:
    """Return the number of directives in the whole document."""
    return sum(part.directives for part in outline.parts)


DIRECTIVES = Rule("directives", "DIRECTIVE_LIMIT_EXCEEDED", "directives", directives)
