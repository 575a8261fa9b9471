"""The parts of an operation that have a cost, compiled once per document. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

from gateway.limits.field_costs import Costs, Mark, Source, Values

CONDITIONS = {"skip": False, "include": True}
TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the operation, with its default."""

    name: str
    default: object

    def value(self, variables: Values) -> object:
        """Return the value that a request has for it."""
        return variables.get(self.name, self.default)


@dataclass(frozen=True, slots=True)
class Template:
    """A literal that contains variables, and the defaults of these."""

    node: ValueNode
    defaults: Values

    def value(self, variables: Values) -> object:
        """Return the value that a request has for it."""
        given = {**self.defaults, **variables}
        return value_from_ast_untyped(self.node, given)


# Variables, and the value that each must have.
Conditions = tuple[tuple[Variable, bool], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The parts of a selection set that have a cost.

    The `fixed` marks do not depend on variables.
    """

    fixed: dict[str, int] = field(default_factory=dict)
    fields: "list[SelectedField]" = field(default_factory=list)
    spreads: "list[Spread]" = field(default_factory=list)

    @property
    def is_fixed(self) -> bool:
        """Return whether the marks do not depend on variables."""
        return not self.fields and not self.spreads

    @property
    def is_free(self) -> bool:
        """Return whether the selection has no cost."""
        return self.is_fixed and not self.fixed


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field under its response name."""

    name: str
    conditions: Conditions
    cost: Mark | Source | None
    arguments: Mapping[str, object]
    below: Selection


@dataclass(frozen=True, slots=True)
class Spread:
    """A fragment, named or inline."""

    conditions: Conditions
    selection: Selection


class SelectionCompiler:
    """The selections of one operation; each fragment is compiled once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        costs: Costs,
    ) -> None:
        """Begin with nothing compiled; the document is a valid one."""
        self.has_variables = False
        self._schema = schema
        self._operation = operation
        self._costs = costs.fields
        self._other = costs.other
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._defaults = {
            one.variable.name.value: value_from_ast_untyped(one.default_value)
            for one in operation.variable_definitions or ()
            if one.default_value is not None
        }
        self._compiled: dict[tuple[str, bool], Selection] = {}

    def root(self) -> Selection:
        """Return the parts of the operation that have a cost, without sums."""
        type_ = self._schema.get_root_type(self._operation.operation)
        selected = self._operation.selection_set
        return self._selection(type_, selected, is_root=True)

    def _selection(
        self,
        type_: GraphQLNamedType | None,
        selected: SelectionSetNode | None,
        *,
        is_root: bool = False,
    ) -> Selection:
        compiled = Selection()
        for node in selected.selections if selected else ():
            conditions = self._conditions(node)
            if conditions is None:
                continue
            if isinstance(node, FieldNode):
                one = self._field(type_, node, conditions)
                if one is not None:
                    _add_field(compiled, one, is_root=is_root)
            else:
                spread = Spread(conditions, self._spread(type_, node, is_root=is_root))
                _add_spread(compiled, spread, is_root=is_root)
        return compiled

    def _spread(
        self, type_: GraphQLNamedType | None, node: SelectionNode, *, is_root: bool
    ) -> Selection:
        """Return the selection of a fragment, which may be of another type."""
        if isinstance(node, InlineFragmentNode):
            on = node.type_condition
            inner = self._schema.get_type(on.name.value) if on else type_
            return self._selection(inner, node.selection_set, is_root=is_root)
        if not isinstance(node, FragmentSpreadNode):
            return Selection()
        key = node.name.value, is_root
        if key not in self._compiled:
            fragment = self._fragments[node.name.value]
            on_type = self._schema.get_type(fragment.type_condition.name.value)
            self._compiled[key] = self._selection(
                on_type, fragment.selection_set, is_root=is_root
            )
        return self._compiled[key]

    def _field(
        self, type_: GraphQLNamedType | None, node: FieldNode, conditions: Conditions
    ) -> SelectedField | None:
        """Return the field, None if neither it nor its selection has a cost."""
        name = node.name.value
        definition = _definition(type_, name)
        if name == TYPENAME and self._other is not None:
            return SelectedField(
                _response_name(node), conditions, self._other, {}, Selection()
            )
        if type_ is None or definition is None:
            return None
        cost = self._costs.get((type_.name, name), self._other)
        below = self._selection(get_named_type(definition.type), node.selection_set)
        if cost is None and below.is_free:
            return None
        arguments = {}
        if isinstance(cost, Source):
            arguments = dict(self._arguments(definition, node, cost.arguments))
        return SelectedField(_response_name(node), conditions, cost, arguments, below)

    def _arguments(
        self, definition: GraphQLField, node: FieldNode, names: tuple[str, ...]
    ) -> Iterator[tuple[str, object]]:
        given = {one.name.value: one.value for one in node.arguments or ()}
        for name in names:
            default = definition.args[name].default_value
            value = given.get(name)
            yield name, default if value is None else self._value(value, default)

    def _value(self, node: ValueNode, default: object) -> object:
        """Return a literal's value, or the variables that determine it."""
        if not isinstance(node, VariableNode):
            if not _has_variables(node):
                return value_from_ast_untyped(node)
            self.has_variables = True
            return Template(node, self._defaults)
        self.has_variables = True
        name = node.name.value
        return Variable(name, self._defaults.get(name, default))

    def _conditions(self, node: SelectionNode) -> Conditions | None:
        """Return the conditions of a selection, None if it is always skipped."""
        conditions = []
        for directive in node.directives or ():
            expected = CONDITIONS.get(directive.name.value)
            if expected is None:
                continue
            value = self._value(_if_argument(directive), None)
            if isinstance(value, Variable):
                conditions.append((value, expected))
            elif value is not expected:
                return None
        return tuple(conditions)


def add(marks: dict[str, int], more: Mapping[str, int]) -> None:
    """Add more marks to some."""
    for name, count in more.items():
        marks[name] = marks.get(name, 0) + count


def _add_field(selection: Selection, one: SelectedField, *, is_root: bool) -> None:
    """Add a field; below the root, marks without conditions are summed at once."""
    is_summed = not (is_root or one.conditions or isinstance(one.cost, Source))
    if not is_summed or not one.below.is_fixed:
        selection.fields.append(one)
        return
    add(selection.fixed, one.below.fixed)
    if isinstance(one.cost, Mark):
        add(selection.fixed, {one.cost.name: 1})


def _add_spread(selection: Selection, spread: Spread, *, is_root: bool) -> None:
    if spread.selection.is_free:
        return
    if spread.conditions or is_root or not spread.selection.is_fixed:
        selection.spreads.append(spread)
    else:
        add(selection.fixed, spread.selection.fixed)


def _has_variables(node: ValueNode) -> bool:
    """Return whether a literal contains variables."""
    if isinstance(node, ListValueNode):
        return any(map(_has_variables, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_has_variables(one.value) for one in node.fields)
    return isinstance(node, VariableNode)


def _response_name(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _definition(type_: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    """Return a field's definition, None for those of introspection."""
    fields = getattr(type_, "fields", {})
    found = fields.get(name)
    return found if isinstance(found, GraphQLField) else None


def _if_argument(directive: DirectiveNode) -> ValueNode:
    return next(one.value for one in directive.arguments or ())
