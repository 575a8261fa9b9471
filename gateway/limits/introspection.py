"""How many values of the schema one document may select.

Width counts as well as depth: the measure is about how many values the result
has, by how many types, fields, arguments and the like the schema has.
"""

from collections.abc import Mapping, Sequence
from math import ceil

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
)

from gateway.limits.exceeded import LimitExceeded

CODE = "INTROSPECTION_LIMIT_EXCEEDED"

ROOTS = frozenset({"__schema", "__type"})
# Below these fields the client selects types by name; elsewhere it lists all types.
CHOSEN = frozenset({"__type", "type", "ofType", "interfaces", "possibleTypes"})

Sizes = Mapping[str, float]


class IntrospectionLimit:
    """The maximum number of values in one introspection of a schema."""

    def __init__(self, schema: GraphQLSchema, limit: int) -> None:
        """Count the schema's parts once."""
        self._limit = limit
        self._mean, self._largest = _sizes(schema)

    def check(self, document: DocumentNode) -> int:
        """Return the measure; raises LimitExceeded for more than the limit."""
        measured = _Measure(document, self._mean, self._largest).of_operations()
        if measured > self._limit:
            message = (
                f"The document selects about {measured} values of the schema; at most"
                f" {self._limit} are allowed."
            )
            raise LimitExceeded(CODE, message, measured=measured, limit=self._limit)
        return measured


class _Measure:
    """The measure of one document."""

    def __init__(self, document: DocumentNode, mean: Sizes, largest: Sizes) -> None:
        self._sizes = {True: mean, False: largest}
        self._operations = [
            one
            for one in document.definitions
            if isinstance(one, OperationDefinitionNode)
        ]
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, bool, bool], float] = {}

    def of_operations(self) -> int:
        """Return the largest measure of an operation."""
        measures = (
            self._of(one.selection_set, is_schema=False) for one in self._operations
        )
        return ceil(max(measures, default=0))

    def _of(
        self, selected: SelectionSetNode, *, is_schema: bool, is_of_all: bool = True
    ) -> float:
        """Return the values of a selection on one object.

        Outside of the schema, which is entered by ROOTS, nothing counts.
        `is_of_all` is True if the selection applies to all types, so that means count.
        """
        count = 0.0
        for selection in selected.selections:
            if isinstance(selection, FieldNode):
                count += self._of_field(selection, is_schema, is_of_all)
            elif isinstance(selection, FragmentSpreadNode):
                count += self._of_fragment(selection.name.value, is_schema, is_of_all)
            else:
                nested: SelectionSetNode = selection.selection_set  # type: ignore[attr-defined] # an inline fragment
                count += self._of(nested, is_schema=is_schema, is_of_all=is_of_all)
        return count

    def _of_field(self, field: FieldNode, is_schema: bool, is_of_all: bool) -> float:  # noqa: FBT001 - where it stands
        name = field.name.value
        if name in ROOTS:
            is_schema = True
        if field.selection_set is None:
            return float(is_schema)
        size = self._sizes[is_of_all].get(name, 1) if is_schema else 1
        below = self._of(
            field.selection_set,
            is_schema=is_schema,
            is_of_all=is_of_all and name not in CHOSEN,
        )
        return is_schema + size * below

    def _of_fragment(self, name: str, is_schema: bool, is_of_all: bool) -> float:  # noqa: FBT001 - where it stands
        key = name, is_schema, is_of_all
        if key not in self._known:
            # Validation rejects a fragment that spreads itself.
            self._known[key] = 0
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[key] = self._of(
                    fragment.selection_set, is_schema=is_schema, is_of_all=is_of_all
                )
        return self._known[key]


def _sizes(schema: GraphQLSchema) -> tuple[Sizes, Sizes]:
    """Return the mean and the largest length of introspection's lists."""
    types = [*schema.type_map.values()]
    composite = [
        one
        for one in types
        if isinstance(one, GraphQLObjectType | GraphQLInterfaceType)
    ]
    inputs = [one for one in types if isinstance(one, GraphQLInputObjectType)]
    fields = [field for one in composite for field in one.fields.values()]
    per_type = {
        "fields": [len(one.fields) for one in composite],
        "inputFields": [len(one.fields) for one in inputs],
        "enumValues": [
            len(one.values) for one in types if isinstance(one, GraphQLEnumType)
        ],
        "interfaces": [len(one.interfaces) for one in composite],
        "possibleTypes": [
            len(schema.get_possible_types(one))
            for one in types
            if is_abstract_type(one)
        ],
    }
    args = [len(field.args) for field in fields]
    everywhere = {
        "types": len(types),
        "directives": len(schema.directives),
        "ofType": _wrapped_share(fields, inputs),
    }
    mean = {name: sum(some) / len(types) for name, some in per_type.items()}
    largest = {name: max(some, default=0) for name, some in per_type.items()}
    mean["args"] = sum(args) / max(1, len(fields))
    largest["args"] = max(args, default=0)
    return everywhere | mean, everywhere | largest


def _wrapped_share(
    fields: Sequence[GraphQLField], inputs: Sequence[GraphQLInputObjectType]
) -> float:
    """Return the share of lists and non-nulls among the types of fields."""
    named = [
        *(field.type for field in fields),
        *(one.type for field in fields for one in field.args.values()),
        *(field.type for one in inputs for field in one.fields.values()),
    ]
    wrappers = sum(str(type_).count("!") + str(type_).count("[") for type_ in named)
    return wrappers / max(1, wrappers + len(named))
