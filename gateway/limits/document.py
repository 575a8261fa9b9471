"""All limits on a document, the cheapest checks first."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSchema

from gateway.limits.aliases import ALIASES
from gateway.limits.definitions import FRAGMENTS, OPERATIONS
from gateway.limits.depth import DEPTH
from gateway.limits.directives import DIRECTIVES
from gateway.limits.document_bytes import check_bytes
from gateway.limits.introspection import IntrospectionLimit
from gateway.limits.list_items import LIST_ITEMS
from gateway.limits.outline import outline_of
from gateway.limits.root_fields import ROOT_FIELDS
from gateway.limits.tokens import check_tokens

# FRAGMENTS is checked before the rules that follow fragment spreads.
RULES = OPERATIONS, FRAGMENTS, ALIASES, DIRECTIVES, LIST_ITEMS, ROOT_FIELDS, DEPTH


@dataclass(frozen=True, slots=True)
class Maxima:
    """The maximum of each measure for one request."""

    bytes: int
    tokens: int
    operations: int
    fragments: int
    aliases: int
    directives: int
    list_items: int
    root_fields: int
    depth: int
    introspection: int
    variables_bytes: int
    variables_depth: int


class DocumentLimits:
    """The limits on documents of one schema; each check returns its measures."""

    def __init__(self, schema: GraphQLSchema, maxima: Maxima) -> None:
        """Allow no more than `maxima`."""
        self._maxima = maxima
        self._introspection = IntrospectionLimit(schema, maxima.introspection)

    def check_text(self, text: str) -> Mapping[str, int]:
        """Check the text before it is parsed; raises LimitExceeded."""
        return {
            "bytes": check_bytes(text, self._maxima.bytes),
            "tokens": check_tokens(text, self._maxima.tokens),
        }

    def check_document(self, document: DocumentNode) -> Mapping[str, int]:
        """Check the document before it is validated; raises LimitExceeded."""
        outline = outline_of(document)
        measures = {
            rule.name: rule.check(outline, getattr(self._maxima, rule.name))
            for rule in RULES
        }
        return {**measures, "introspection": self._introspection.check(document)}
