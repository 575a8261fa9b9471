"""Selection sets as generated Python: a record in, its answer out. Pure.

A plan does what graphql-core would do with a value that is as it should be.
Whatever is not exactly that is Odd, and graphql-core's to complete: so errors,
their order and odd coercions are graphql-core's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from gateway.execution.compiler import Compiler, NotCoveredError, Subfields
from gateway.execution.row_compiler import RowCompiler, RowDecoder

Project = Callable[[object], dict[str, object]]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows are projected that are not decoded yet.

    `decode` gives the rows of a list with no more than the selected keys;
    `project` gives of each an object that msgspec encodes as the answer's.
    """

    decode: RowDecoder
    project: Callable[[object], object]


@dataclass(frozen=True, slots=True)
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


def compile_plan(
    type_: GraphQLObjectType, fields: GroupedFieldSet, subfields: Subfields
) -> Plan | None:
    """Return the plan of a selection, None where it would cover nothing.

    `subfields` collects the selection of a nested field.
    """
    compiler = Compiler(subfields)
    try:
        name, others = compiler.function(type_, fields)
    except NotCoveredError:
        return None
    if len(others) == len(fields):
        return None
    rows = None if others else _row_plan(type_, fields)
    source = "\n\n".join(compiler.functions)
    project = _executed(type_, source, compiler.names)[name]
    return Plan(project, others, source, rows)


def print_plan(plan: Plan) -> None:
    """Print the generated code, for debugging."""
    print(plan.source)  # noqa: T201


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
