"""Mistakes that a compiler of selections might have, each small."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, GraphQLString
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from gateway.execution import compiler, executor
from gateway.execution.compiler import Compiler, Subfields
from gateway.execution.plan import Compilations, Plan, compile_plan
from gateway.execution.row_compiler import RowCompiler, RowDecoder

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Mutant:
    """A mistake, and how it is made."""

    name: str
    apply: Callable[[Patch], None]
    document: str = "nodes"


def _text_of_any_type(patch: Patch) -> None:
    leaf = Compiler._leaf  # noqa: SLF001

    def mistaken(self: Compiler, type_: object, name: str) -> list[str]:
        return ["pass"] if type_ is GraphQLString else leaf(self, type_, name)  # type: ignore[arg-type]

    patch.setattr(Compiler, "_leaf", mistaken)


def _integer_of_any_size(patch: Patch) -> None:
    patch.setattr(compiler, "INT_MAX", 2**1000)


def _boolean_is_an_integer(patch: Patch) -> None:
    leaf = Compiler._leaf  # noqa: SLF001

    def mistaken(self: Compiler, type_: object, name: str) -> list[str]:
        lines = leaf(self, type_, name)  # type: ignore[arg-type]
        return [line.replace(f"type({name}) is int", "True") for line in lines]

    patch.setattr(Compiler, "_leaf", mistaken)


def _alias_is_ignored(patch: Patch) -> None:
    function = Compiler.function

    def mistaken(
        self: Compiler, type_: GraphQLObjectType, fields: GroupedFieldSet
    ) -> tuple[str, list[tuple[str, FieldDetailsList]]]:
        named = {details[0].node.name.value: details for details in fields.values()}
        return function(self, type_, named)

    patch.setattr(Compiler, "function", mistaken)


def _null_where_none_may_be(patch: Patch) -> None:
    completed = Compiler._completed  # noqa: SLF001

    def mistaken(
        self: Compiler, type_: GraphQLOutputType, name: str, details: FieldDetailsList
    ) -> list[str]:
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return completed(self, inner, name, details)

    patch.setattr(Compiler, "_completed", mistaken)


def _plan_for_all_conditions(patch: Patch) -> None:
    patch.setattr(executor, "_booleans", lambda _: [])


def _arguments_are_dropped(patch: Patch) -> None:
    patch.setattr(compiler, "_constant_arguments", lambda *_: {})


def _default_is_dropped(patch: Patch) -> None:
    read = Compiler._read  # noqa: SLF001

    def mistaken(
        self: Compiler,
        type_: GraphQLOutputType,
        key: str,
        default: object,
        name: str,
        details: FieldDetailsList,
    ) -> list[str]:
        return read(self, type_, key, default is False, name, details)

    patch.setattr(Compiler, "_read", mistaken)


def _remembered_plan(patch: Patch, change: Callable[[Plan], Plan]) -> None:
    def mistaken(
        type_: GraphQLObjectType,
        fields: GroupedFieldSet,
        subfields: Subfields,
        compilations: Compilations,
    ) -> Plan | None:
        made = compile_plan(type_, fields, subfields, compilations)
        return made and change(made)

    patch.setattr(executor, "compile_plan", mistaken)


def _others_backwards(patch: Patch) -> None:
    _remembered_plan(patch, lambda made: replace(made, others=made.others[::-1]))


def _keys_backwards(patch: Patch) -> None:
    def backwards(made: Plan) -> Plan:
        return replace(
            made, project=lambda record: dict(reversed(made.project(record).items()))
        )

    _remembered_plan(patch, backwards)


def _rows_have_one_key(patch: Patch) -> None:
    access = RowCompiler._access  # noqa: SLF001

    def mistaken(
        self: RowCompiler, key: str, default: object, *, is_needed: bool
    ) -> str:
        access(self, key, default, is_needed=is_needed)
        return "record.key0"

    patch.setattr(RowCompiler, "_access", mistaken)


def _rows_in_whatever_window(patch: Patch) -> None:
    decoder = RowCompiler.decoder

    class Whole(list[object]):
        def __getitem__(self, _: object) -> Any:
            return [*self]

    def mistaken(self: RowCompiler) -> RowDecoder:
        decode = decoder(self)
        return lambda content, key: Whole(decode(content, key))

    patch.setattr(RowCompiler, "decoder", mistaken)


def _rows_of_any_type(patch: Patch) -> None:
    patch.setattr(RowCompiler, "_leaf", lambda *_: ["pass"])


def _rows_under_names_of_keys(patch: Patch) -> None:
    write = RowCompiler._write  # noqa: SLF001

    def mistaken(
        self: RowCompiler, name: str, lines: list[str], values: list[tuple[str, str]]
    ) -> None:
        write(self, name, lines, [(value, value) for _, value in values])

    patch.setattr(RowCompiler, "_write", mistaken)


def _meaning_is_dropped(patch: Patch) -> None:
    meant = Compiler._meant  # noqa: SLF001

    def mistaken(self: Compiler, *args: Any) -> list[str]:
        return meant(self, *args)[:1]

    patch.setattr(Compiler, "_meant", mistaken)


MUTANTS_OF_ROWS = [
    Mutant("rows of any type", _rows_of_any_type),
    Mutant("meaning is dropped", _meaning_is_dropped),
    Mutant("rows under names of keys", _rows_under_names_of_keys),
    Mutant("rows have one key", _rows_have_one_key, "conditions"),
    Mutant("rows in whatever window", _rows_in_whatever_window),
]
MUTANTS = [
    Mutant("text of any type", _text_of_any_type),
    Mutant("integer of any size", _integer_of_any_size),
    Mutant("boolean is an integer", _boolean_is_an_integer),
    Mutant("alias is ignored", _alias_is_ignored),
    Mutant("null where none may be", _null_where_none_may_be),
    Mutant("one plan for all conditions", _plan_for_all_conditions),
    Mutant("arguments are dropped", _arguments_are_dropped),
    Mutant("default is dropped", _default_is_dropped),
    Mutant("meaning is dropped", _meaning_is_dropped),
    Mutant("others backwards", _others_backwards),
    Mutant("keys backwards", _keys_backwards),
]
