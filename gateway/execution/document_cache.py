"""Documents that were parsed and validated, ready for the next equal request."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
)
from strawberry.schema.schema import validate_document

from gateway.execution.plans import Plans

MAX_DOCUMENTS = 1_000
# Parsed, a character takes some 150 bytes.
MAX_TEXT_CHARACTERS = 256 * 1024

Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid document, the operation of it that is asked for, and its plans."""

    document: DocumentNode
    operation: OperationDefinitionNode
    plans: Plans = field(default_factory=Plans, repr=False, compare=False)

    @property
    def type_(self) -> OperationType:
        """Return whether it is a query, a mutation or a subscription."""
        return self.operation.operation


class InvalidDocument(ValueError):
    """A document that is not GraphQL or does not fit the schema."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Keep what is wrong, at least one thing."""
        super().__init__(errors[0].message)
        self.errors = errors


class UnknownOperation(ValueError):
    """A document without the operation that is asked for, or with several."""


class DocumentCache:
    """Prepared documents by text and operation name, least recently used ones first.

    Invalid documents are not kept.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        max_documents: int = MAX_DOCUMENTS,
        max_characters: int = MAX_TEXT_CHARACTERS,
    ) -> None:
        """Keep at most so many documents, and so many characters of their texts."""
        self._schema = schema
        self._max_documents = max_documents
        self._max_characters = max_characters
        self._prepared: OrderedDict[Key, Prepared] = OrderedDict()
        self.characters_held = 0

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._prepared)

    def prepare(self, text: str, operation_name: str | None) -> Prepared:
        """Return the document; raises InvalidDocument and UnknownOperation."""
        key = text, operation_name
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = _prepared(self._schema, text, operation_name)
            self._keep(key, prepared)
        else:
            self._prepared.move_to_end(key)
        return prepared

    def _keep(self, key: Key, prepared: Prepared) -> None:
        if len(key[0]) > self._max_characters:
            return
        self._prepared[key] = prepared
        self.characters_held += len(key[0])
        while (
            self.characters_held > self._max_characters
            or len(self) > self._max_documents
        ):
            (text, _), _ = self._prepared.popitem(last=False)
            self.characters_held -= len(text)


def _prepared(schema: GraphQLSchema, text: str, operation_name: str | None) -> Prepared:
    try:
        document = parse(text)
    except GraphQLError as error:
        raise InvalidDocument([error]) from None
    operation = _operation(document, operation_name)
    errors = validate_document(schema, document, specified_rules)
    if errors:
        raise InvalidDocument(errors)
    return Prepared(document, operation)


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
