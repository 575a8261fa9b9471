"""Requests without a token may select introspection only.

Any other request without a token is rejected before it is parsed, if possible.
"""

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
)

from gateway.limits.tokens import tokens_of

META = "__"
MAX_TOKENS = 100
OPERATIONS = frozenset({"query", "mutation", "subscription"})
FOR_A_PARSER = frozenset({"...", "@"})
# How a punctuator changes the depths of braces and of parentheses.
NESTING = {"{": (1, 0), "}": (-1, 0), "(": (0, 1), ")": (0, -1)}


class MissingToken(Exception):
    """A request without a token that selects more than introspection."""

    def __init__(self) -> None:
        """Set the message, which names the header."""
        super().__init__("This needs a token: send it as X-Auth-Token.")


def begins_with_data(text: str, operation_name: str | None) -> bool:
    """Return whether the operation begins with root fields other than introspection.

    Reads up to a hundred tokens, until the first root field that is not
    introspection. Returns False if only a parser can decide: then `selects_data`
    has to.
    """
    depth = parentheses = 0
    is_meant = operation_name is None
    for word, following in pairwise(islice(_without_comments(text), MAX_TOKENS)):
        if word in NESTING:
            depth += NESTING[word][0]
            parentheses += NESTING[word][1]
        elif depth == 0:
            if word == "fragment":
                return False
            if word in OPERATIONS:
                is_meant = operation_name in {None, following}
        elif depth == 1 and not parentheses and is_meant:
            if word in FOR_A_PARSER:
                return False
            if ":" not in {word, following} and not word.startswith(META):
                return word.isidentifier()
    return False


def selects_data(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Return whether the operation has a root field other than introspection."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    seen: set[str] = set()
    waiting: list[Iterable[SelectionNode]] = [operation.selection_set.selections]
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
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set.selections)
    return False


def _without_comments(text: str) -> Iterator[str]:
    return (token for token in tokens_of(text) if not token.startswith("#"))
