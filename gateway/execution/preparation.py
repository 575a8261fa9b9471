"""Prepares documents for execution: limits, parsing and validation. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from re import compile as compiled

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    Source,
    SourceLocation,
    parse,
    specified_rules,
    validate,
)
from graphql.language import location
from graphql.validation.rules import overlapping_fields_can_be_merged as overlapping
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.execution.plans import Plans
from gateway.limits.anonymous import MissingToken, begins_with_data, selects_data
from gateway.limits.cost import OperationCosts
from gateway.limits.document import DocumentLimits, Maxima
from gateway.limits.field_costs import Tables

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
MAX_ERRORS = 10
# Comparisons of fields with equal response names: a hundred times as many as clients
# need, which take some 20 ms. graphql-core allows half a million, which take a second.
overlapping.MAX_COMPLEXITY_BUDGET = 10_000


def _locations(locations: Sequence[tuple[Source, int]]) -> list[SourceLocation]:
    return [source.get_location(start) for source, start in locations]


# graphql-core reads the text again for each error with two locations or more.
location.get_locations = _locations

_LINE_END = compiled(r"\r\n|[\n\r]")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid document, the requested operation in it, and its plans.

    `needs_token` tells that the operation selects more than introspection;
    `measures` are the values that limits have measured, by name.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    needs_token: bool
    measures: Mapping[str, int]
    costs: OperationCosts = field(repr=False, compare=False)
    plans: Plans = field(default_factory=Plans, repr=False, compare=False)

    @property
    def type_(self) -> OperationType:
        """Return whether it is a query, a mutation or a subscription."""
        return self.operation.operation


class InvalidDocument(ValueError):
    """A document that is not GraphQL or does not fit the schema."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Keep the errors, at least one."""
        super().__init__(errors[0].message)
        self.errors = errors


class UnknownOperation(ValueError):
    """A document without the requested operation, or with several to choose from."""


class Preparation:
    """How documents for one schema are prepared."""

    def __init__(
        self,
        schema: GraphQLSchema,
        tables: Tables,
        maxima: Maxima,
        *,
        with_introspection: bool,
    ) -> None:
        """Reject documents that exceed `maxima`.

        Without introspection, neither the schema nor names from it are returned.
        """
        self._schema = schema
        self._tables = tables
        self._limits = DocumentLimits(schema, maxima)
        hidden = () if with_introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*RULES, *hidden)
        self._hides_suggestions = not with_introspection

    def check(
        self, text: str, operation_name: str | None, *, has_token: bool
    ) -> Mapping[str, int]:
        """Return what limits have counted in a text that is not parsed yet.

        Raises LimitExceeded, and MissingToken where it is plain to see. Takes a
        millisecond at most.
        """
        if not has_token and begins_with_data(text, operation_name):
            raise MissingToken
        return self._limits.check_text(text)

    def prepare(
        self,
        text: str,
        operation_name: str | None,
        of_text: Mapping[str, int],
        *,
        has_token: bool,
    ) -> Prepared:
        """Return the prepared document; `of_text` is what `check` returned.

        Raises MissingToken, LimitExceeded, InvalidDocument and UnknownOperation.
        """
        document = _parsed(text)
        operation = _operation(document, operation_name)
        needs_token = selects_data(document, operation)
        if needs_token and not has_token:
            raise MissingToken
        measures = {**of_text, **self._limits.check_document(document)}
        self._validate(document)
        costs = OperationCosts(self._schema, document, operation, self._tables)
        return Prepared(document, operation, needs_token, measures, costs)

    def _validate(self, document: DocumentNode) -> None:
        errors = validate(
            self._schema,
            document,
            self._rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hides_suggestions,
        )
        if errors:
            raise InvalidDocument(errors)


class _Source(Source):
    """A text whose line starts are searched once, however many errors it has."""

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]

    def get_location(self, position: int) -> SourceLocation:
        """Return line and column, both from 1, as graphql-core does."""
        starts = self._line_starts
        line = max(1, bisect_left(starts, position + 1))
        return SourceLocation(line, position + 1 - starts[line - 1])


def _parsed(text: str) -> DocumentNode:
    try:
        document = parse(_Source(text))
    except GraphQLError as error:
        raise InvalidDocument([error]) from None
    _unlink_tokens(document)
    return document


def _unlink_tokens(document: DocumentNode) -> None:
    """Let go of the list of tokens, which is one cycle; locations need their own."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


def _operation(
    document: DocumentNode, operation_name: str | None
) -> OperationDefinitionNode:
    """Return the operation. Source: GraphQL specification, 6.1, GetOperation."""
    operations = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    if operation_name is None and len(operations) > 1:
        message = "The document has several operations: say which by operationName."
        raise UnknownOperation(message)
    for operation in operations:
        name = operation.name.value if operation.name else None
        if operation_name in {None, name}:
            return operation
    if operation_name is None:
        raise UnknownOperation("The document has no operation.")
    raise UnknownOperation(f'Unknown operation named "{operation_name}".')
