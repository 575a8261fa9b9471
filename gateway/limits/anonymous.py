"""What a request without a token may select: introspection alone.

Anything else is rejected before it costs anything.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
)

from gateway.limits.tokens import tokens_of

META = "__"


class MissingToken(Exception):
    """A request without a token that selects more than introspection."""

    def __init__(self) -> None:
        """Say how to send one."""
        super().__init__("This needs a token: send it as X-Auth-Token.")


def begins_with_data(text: str) -> bool:
    """Tell whether the first root fields of a document ask for data.

    Reads tokens up to the first root field that is none of introspection, and
    gives up at what only a parser can tell: then `selects_data` has to.
    """
    depth = parentheses = 0
    for word, following in pairwise(_without_comments(text)):
        match word:
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case "(":
                parentheses += 1
            case ")":
                parentheses -= 1
            case "fragment" if depth == 0:
                return False
            case "..." | "@" if depth == 1 and not parentheses:
                return False
            case _ if depth == 1 and not parentheses:
                if word != ":" and following != ":" and not word.startswith(META):
                    return word.isidentifier()
    return False


def selects_data(document: DocumentNode) -> bool:
    """Tell whether any operation has a root field that is none of introspection."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    roots = (
        one.selection_set.selections
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
    )
    seen: set[str] = set()
    waiting: list[Iterable[SelectionNode]] = [*roots]
    while waiting:
        for selection in waiting.pop():
            if isinstance(selection, FieldNode):
                if not selection.name.value.startswith(META):
                    return True
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set.selections)
            else:
                waiting.append(selection.selection_set.selections)  # type: ignore[attr-defined] # an inline fragment
    return False


def _without_comments(text: str) -> Iterator[str]:
    return (token for token in tokens_of(text) if not token.startswith("#"))
