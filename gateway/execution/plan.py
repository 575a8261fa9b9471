"""Selection sets as generated Python: a record in, its answer out. Pure.

A plan does what graphql-core would do with a value that is as it should be.
Whatever is not exactly that is Odd, and graphql-core's to complete: so errors,
their order and odd coercions are graphql-core's own.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from gateway.execution.compiler import Compiler, NotCoveredError, Subfields
from gateway.execution.row_compiler import RowCompiler, RowDecoder

MAX_COMPILATIONS = 20
# Estimated for each plan: its code, its classes, and four times the text of its source.
CODE_BYTES, CLASSES_BYTES, CHARACTER_BYTES = 2_000, 8_000, 4

Project = Callable[[object], dict[str, object]]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows are projected that are not decoded yet.

    `decode` gives the rows of a list with no more than the selected keys;
    `project` gives of each an object that msgspec encodes as the answer's.
    """

    decode: RowDecoder
    project: Callable[[object], object]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Plan:
    """How the objects of one type and selection are projected.

    `project` gives the answer's object with all keys in their order; it raises
    some Exception for a record that graphql-core has to complete. `others` are
    the fields, null until then, that graphql-core has to execute. `rows` does
    the same for bytes, where every field reads one key of its own.
    """

    project: Project
    others: Sequence[tuple[str, FieldDetailsList]]
    source: str
    rows: RowPlan | None = None

    @property
    def size_bytes(self) -> int:
        """Return the memory of the plan, an estimate based on tracemalloc."""
        functions = 1 if self.rows is None else 2
        source = functions * CHARACTER_BYTES * len(self.source)
        return CODE_BYTES + source + (0 if self.rows is None else CLASSES_BYTES)


_shared: WeakValueDictionary[tuple[object, ...], Plan] = WeakValueDictionary()


class TooManyPlans(Exception):
    """An execution has compiled as many plans as it may."""


class Compilations:
    """How many plans one execution may still compile: each takes some ms."""

    __slots__ = ("_left",)

    def __init__(self, left: int = MAX_COMPILATIONS) -> None:
        """Allow so many."""
        self._left = left

    def count(self) -> None:
        """Count one; raises TooManyPlans."""
        if not self._left:
            raise TooManyPlans
        self._left -= 1


def compile_plan(
    type_: GraphQLObjectType,
    fields: GroupedFieldSet,
    subfields: Subfields,
    compilations: Compilations,
) -> Plan | None:
    """Return the plan of a selection, None where it would cover nothing.

    `subfields` collects the selection of a nested field. A plan without `others`
    refers to no document, so equal selections of all documents share it. Raises
    TooManyPlans.
    """
    compiler = Compiler(subfields)
    try:
        name, others = compiler.function(type_, fields)
    except NotCoveredError:
        return None
    if len(others) == len(fields):
        return None
    source = "\n\n".join(compiler.functions)
    key = type_, source, *map(_identity, compiler.names.values())
    shared = None if others else _shared.get(key)
    if shared is not None:
        return shared
    compilations.count()
    rows = None if others else _row_plan(type_, fields)
    project = _executed(type_, source, compiler.names)[name]
    plan = Plan(project, others, source, rows)
    if not others:
        _shared[key] = plan
    return plan


def print_plan(plan: Plan) -> None:
    """Print the generated code, for debugging."""
    print(plan.source)  # noqa: T201


def _identity(constant: object) -> object:
    """Return a key that is equal for equal constants.

    A constant that can't be hashed is equal to itself only. Its id stays its own
    while the plan refers to it.
    """
    is_hashable = isinstance(constant, Hashable)
    return type(constant), constant if is_hashable else id(constant)


def _row_plan(type_: GraphQLObjectType, fields: GroupedFieldSet) -> RowPlan | None:
    compiler = RowCompiler()
    try:
        name, others = compiler.function(type_, fields)
    except NotCoveredError:
        return None
    if others:
        return None
    project = _executed(type_, compiler.functions[0], compiler.names)[name]
    return RowPlan(compiler.decoder(), project)


def _executed(
    type_: GraphQLObjectType, source: str, names: dict[str, object]
) -> Mapping[str, Project]:
    """Execute generated code and return its functions."""
    exec(compile(source, f"<plan of {type_}>", "exec"), names)  # noqa: S102 - our own source
    return names  # type: ignore[return-value] # the names hold functions, too
