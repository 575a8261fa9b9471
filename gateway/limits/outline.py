"""The outline of a document: all measures of limits, collected in one pass."""

from collections.abc import Iterable, Mapping

import msgspec
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)


class Spread(msgspec.Struct):
    """A fragment spread, and the number of field levels above it."""

    name: str
    depth: int


class Part(msgspec.Struct):
    """An operation or a fragment, without the fragments that it spreads.

    `depth` counts the levels of its fields, `root_fields` those of the first one;
    `list_items` are those of the longest list among its arguments.
    """

    depth: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    list_items: int = 0
    spreads: list[Spread] = []


class Outline(msgspec.Struct):
    """All operations, and the fragments by their names."""

    operations: list[Part]
    fragments: Mapping[str, Part]

    @property
    def parts(self) -> Iterable[Part]:
        """Return operations and fragments."""
        return [*self.operations, *self.fragments.values()]


def outline_of(document: DocumentNode) -> Outline:
    """Return the outline; of several fragments of one name, the last one counts."""
    operations, fragments = [], {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(_part(definition))
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = _part(definition)
    return Outline(operations, fragments)


def _part(definition: OperationDefinitionNode | FragmentDefinitionNode) -> Part:
    part = Part()
    _count(part, definition.directives, ())
    for variable in definition.variable_definitions or ():
        _count(part, variable.directives, ())
        if variable.default_value is not None:
            _count_list(part, variable.default_value)
    _walk(part, definition.selection_set)
    return part


def _walk(part: Part, root: SelectionSetNode) -> None:
    waiting = [(root, 0)]
    while waiting:
        selection_set, depth = waiting.pop()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                _count(part, selection.directives, selection.arguments)
                part.depth = max(part.depth, depth + 1)
                part.root_fields += not depth
                part.aliases += selection.alias is not None
                if selection.selection_set is not None:
                    waiting.append((selection.selection_set, depth + 1))
            elif isinstance(selection, FragmentSpreadNode):
                _count(part, selection.directives, ())
                part.spreads.append(Spread(selection.name.value, depth))
            elif isinstance(selection, InlineFragmentNode):
                _count(part, selection.directives, ())
                waiting.append((selection.selection_set, depth))


def _count(
    part: Part,
    directives: Iterable[DirectiveNode] | None,
    arguments: Iterable[ArgumentNode] | None,
) -> None:
    for directive in directives or ():
        part.directives += 1
        _count(part, (), directive.arguments)
    for argument in arguments or ():
        _count_list(part, argument.value)


def _count_list(part: Part, value: ValueNode) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ListValueNode):
            part.list_items = max(part.list_items, len(one.values))
            waiting += one.values
        elif isinstance(one, ObjectValueNode):
            waiting += [field.value for field in one.fields]
