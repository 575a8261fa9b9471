"""Writes the Python of plans: one function for each object of a selection. Pure."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_argument_values,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from gateway.execution.derived import Derivation, attribute, derivation_of
from gateway.execution.exact import exactness_of

CONDITIONS = {"skip", "include"}
MEMO_MAX_WORDS = 256
# More than the functions of a schema that derive a value from a word.
MEMOS = 256
PLAIN = frozenset({str, int, float, bool, list, dict})
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
# What these accept as it is, they give back as it is.
EXACT = {GraphQLString: "str", GraphQLID: "str", GraphQLBoolean: "bool"}
CONSTANT_TYPES = {GraphQLString, GraphQLInt, GraphQLBoolean}

Lines = list[str]
Subfields = Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet]


class Odd(Exception):
    """A value that graphql-core has to complete."""


class NotCoveredError(Exception):
    """A field that plans leave to graphql-core."""


class Compiler:
    """The functions of one plan, of dicts, and the constants they name."""

    def __init__(self, subfields: Subfields) -> None:
        """Begin with no function; `subfields` collects a nested selection."""
        self._subfields = subfields
        self._counter = count(1)
        self.functions: list[str] = []
        self.names: dict[str, object] = {"Odd": Odd, "PLAIN": PLAIN}

    def function(
        self, type_: GraphQLObjectType, fields: GroupedFieldSet
    ) -> tuple[str, list[tuple[str, FieldDetailsList]]]:
        """Write the function of an object; return its name and what it leaves."""
        if type_.is_type_of is not None:
            raise NotCoveredError
        lines: Lines = []
        values: list[tuple[str, str]] = []
        others: list[tuple[str, FieldDetailsList]] = []
        for response_name, details in fields.items():
            try:
                value, body = self._field(type_, details)
            except NotCoveredError:
                value, body = "None", []
                others.append((response_name, details))
            values.append((response_name, value))
            lines += body
        name = self._fresh(f"project_{type_.name}_")
        self._write(name, lines, values)
        return name, others

    def _write(
        self, name: str, lines: Lines, values: Sequence[tuple[str, str]]
    ) -> None:
        """Write a function that gives the values under their response names."""
        check = "if type(record) is not dict: raise Odd"
        entries = [f"    {response!r}: {value}," for response, value in values]
        self._define(name, [check, *lines, "return {", *entries, "}"])

    def _define(self, name: str, body: Lines) -> None:
        head = f"def {name}(record):"
        self.functions.append("\n".join([head, *_indented(body)]))

    def _access(self, key: str, default: object, *, is_needed: bool) -> str:
        """Return what reads a key; one that is needed and missing is odd."""
        if is_needed:
            return f"record[{key!r}]"
        if default is None:
            return f"record.get({key!r})"
        return f"record.get({key!r}, {self._constant('default', default)})"

    def _field(
        self, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> tuple[str, Lines]:
        """Return the expression of a field's value and the lines before it."""
        _check_details(details)
        node = details[0].node
        if node.name.value == "__typename":
            return repr(type_.name), []
        field = type_.fields.get(node.name.value)
        if field is None:
            raise NotCoveredError
        name = self._fresh("value")
        return name, self._value(field, node, name, details)

    def _value(
        self, field: GraphQLField, node: FieldNode, name: str, details: FieldDetailsList
    ) -> Lines:
        own = _strawberry_field(field)
        if own.is_basic_field:
            if own.default_resolver is not attribute or field.args:
                raise NotCoveredError
            return self._read(field.type, own.python_name, None, name, details)
        derivation = _derivation(own)
        if derivation.key is None:
            call = self._call(derivation, field, node)
            return [f"{name} = {call}", *self._completed(field.type, name, details)]
        if derivation.meaning is not None:
            return self._meant(derivation, derivation.key, field.type, name, details)
        if derivation.function is None:
            key, default = derivation.key, derivation.default
            return self._read(field.type, key, default, name, details)
        return self._word(derivation, derivation.key, field.type, name)

    def _read(
        self,
        type_: GraphQLOutputType,
        key: str,
        default: object,
        name: str,
        details: FieldDetailsList,
    ) -> Lines:
        """Return the lines that read a key and complete what is there."""
        is_needed = isinstance(type_, GraphQLNonNull) and default is None
        access = self._access(key, default, is_needed=is_needed)
        return [f"{name} = {access}", *self._completed(type_, name, details)]

    def _meant(
        self,
        derivation: Derivation,
        key: str,
        type_: GraphQLOutputType,
        name: str,
        details: FieldDetailsList,
    ) -> Lines:
        """Return the lines for a key whose value is taken for what it means.

        A value that is completed as it is means itself, and so does a list that is
        completed by a plan.
        """
        access = self._access(key, derivation.default, is_needed=False)
        meaning = self._constant("meaning", derivation.meaning)
        exact = self._exact(type_, name)
        take = f"{name} = {meaning}({name})"
        completed = self._completed(type_, name, details)
        if exact is not None:
            lines = _indented([take, *completed])
            return [f"{name} = {access}", f"if not ({exact}):", *lines]
        return [
            f"{name} = {access}",
            f"if type({name}) is not list:",
            f"    {take}",
            *completed,
        ]

    def _word(
        self, derivation: Derivation, key: str, type_: GraphQLOutputType, name: str
    ) -> Lines:
        """Return the lines for a function of one word, remembered by word."""
        leaf = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if not isinstance(leaf, GraphQLScalarType | GraphQLEnumType):
            raise NotCoveredError
        memo = self._constant("words", _memo(derivation.function, leaf))
        return [
            f"{name} = {self._access(key, None, is_needed=False)}",
            f"if type({name}) is not str: raise Odd",
            f"{name} = {memo}[{name}]",
        ]

    def _call(
        self, derivation: Derivation, field: GraphQLField, node: FieldNode
    ) -> str:
        function = self._constant("derive", derivation.function)
        arguments = "".join(
            f", {name}={self._constant('argument', value)}"
            for name, value in _constant_arguments(field, node).items()
        )
        return f"{function}(record{arguments})"

    def _completed(
        self, type_: GraphQLOutputType, name: str, details: FieldDetailsList
    ) -> Lines:
        """Return the lines that complete the value of a name."""
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, name, details)
        lines = self._present(type_, name, details)
        return [f"if {name} is not None:", *_indented(lines)]

    def _present(
        self, type_: GraphQLOutputType, name: str, details: FieldDetailsList
    ) -> Lines:
        """Return the lines for a value that is odd where it is null."""
        if isinstance(type_, GraphQLList):
            return self._list(type_.of_type, name, details)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, name, details)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return self._leaf(type_, name)
        raise NotCoveredError

    def _object(
        self, type_: GraphQLObjectType, name: str, details: FieldDetailsList
    ) -> Lines:
        function, others = self.function(type_, self._subfields(type_, details))
        if others:
            raise NotCoveredError
        return [f"{name} = {function}({name})"]

    def _list(
        self, item_type: GraphQLOutputType, name: str, details: FieldDetailsList
    ) -> Lines:
        item = self._fresh("item")
        lines = self._completed(item_type, item, details)
        check = f"if type({name}) is not list: raise Odd"
        if get_named_type(item_type) in EXACT and not _is_nested_list(item_type):
            return [check, f"for {item} in {name}:", *_indented(lines)]
        items = self._fresh("items")
        return [
            check,
            f"{items} = []",
            f"for {item} in {name}:",
            *_indented([*lines, f"{items}.append({item})"]),
            f"{name} = {items}",
        ]

    def _exact(self, type_: GraphQLOutputType, name: str) -> str | None:
        """Return a test of values that are completed as they are, None without one."""
        if not isinstance(type_, GraphQLNonNull):
            exact = self._exact(GraphQLNonNull(type_), name)
            return exact and f"{name} is None or {exact}"
        inner = type_.of_type
        if inner in EXACT:
            return f"type({name}) is {EXACT[inner]}"
        if inner is GraphQLInt:
            return f"type({name}) is int and {INT_MIN} <= {name} <= {INT_MAX}"
        if not isinstance(inner, GraphQLScalarType):
            return None
        known = exactness_of(inner.coerce_output_value)
        if known is None:
            return None
        names = {one: self._constant(one, known.names[one]) for one in known.names}
        return known.test.format(value=name, **names)

    def _leaf(self, type_: GraphQLScalarType | GraphQLEnumType, name: str) -> Lines:
        exact = self._exact(GraphQLNonNull(type_), name)
        if type_ in EXACT or type_ is GraphQLInt:
            return [f"if not ({exact}): raise Odd"]
        coerce = self._constant("coerce", type_.coerce_output_value)
        if isinstance(type_, GraphQLEnumType):
            return [f"{name} = {coerce}({name})"]
        undefined = self._constant("undefined", Undefined)
        coerced = [
            f"if type({name}) not in PLAIN: raise Odd",
            f"{name} = {coerce}({name})",
            f"if {name} is None or {name} is {undefined}: raise Odd",
        ]
        return coerced if exact is None else [f"if not ({exact}):", *_indented(coerced)]

    def _fresh(self, prefix: str) -> str:
        return f"{prefix}{next(self._counter)}"

    def _constant(self, prefix: str, value: object) -> str:
        name = self._fresh(prefix)
        self.names[name] = value
        return name


class _Memo(dict[str, object]):
    """What a pure function and its type make of words, a bounded number of them."""

    def __init__(
        self,
        function: Callable[..., object] | None,
        leaf: GraphQLScalarType | GraphQLEnumType,
    ) -> None:
        super().__init__()
        self._function = function
        self._coerce = leaf.coerce_output_value
        self._is_enum = isinstance(leaf, GraphQLEnumType)

    def __missing__(self, word: str) -> object:
        value = self._function(word) if self._function else word
        if not self._is_enum and type(value) not in PLAIN:
            raise Odd
        completed = None if value is None else self._coerce(value)
        if completed is None or completed is Undefined:
            raise Odd
        if len(self) < MEMO_MAX_WORDS:
            self[word] = completed
        return completed


@lru_cache(maxsize=MEMOS)
def _memo(
    function: Callable[..., object] | None, leaf: GraphQLScalarType | GraphQLEnumType
) -> _Memo:
    """Return the memo of a function and a type, which all plans share."""
    return _Memo(function, leaf)


def _check_details(details: FieldDetailsList) -> None:
    """Raise for directives that plans do not know, and for fragments' variables."""
    for one in details:
        names = {directive.name.value for directive in one.node.directives or ()}
        is_plain = one.defer_usage is None and one.fragment_variable_values is None
        if not is_plain or not names <= CONDITIONS:
            raise NotCoveredError


def _strawberry_field(field: GraphQLField) -> StrawberryField:
    own = _definition(field)
    if not isinstance(own, StrawberryField) or own.extensions or own.permission_classes:
        raise NotCoveredError
    return own


def _definition(made: GraphQLField | GraphQLArgument) -> Any:  # noqa: ANN401
    """Return what Strawberry has made a part of the schema from."""
    return made.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def _derivation(own: StrawberryField) -> Derivation:
    resolver = own.base_resolver
    derivation = None if resolver is None else derivation_of(resolver.wrapped_func)
    if derivation is None:
        raise NotCoveredError
    return derivation


def _constant_arguments(field: GraphQLField, node: FieldNode) -> dict[str, object]:
    """Return the arguments by their Python names; raises for any variable."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, value in given.items():
        argument = field.args[name]
        is_simple = get_named_type(argument.type) in CONSTANT_TYPES
        is_plain = is_simple and not _definition(argument).is_maybe
        if not is_plain or not _is_constant(value):
            raise NotCoveredError
    return {
        _definition(field.args[name]).python_name: value
        for name, value in get_argument_values(field, node).items()
    }


def _is_constant(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return all(map(_is_constant, value.values))
    return not isinstance(value, VariableNode | ObjectValueNode)


def _is_nested_list(type_: GraphQLOutputType) -> bool:
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return isinstance(inner, GraphQLList)


def _indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]
