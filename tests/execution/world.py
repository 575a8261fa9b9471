"""A schema with every kind of field; its data is whatever a case puts in."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, partial
from typing import Annotated, Any, cast

import strawberry
from graphql import GraphQLSchema
from strawberry import ID, UNSET, Parent
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from gateway.execution.derived import attribute, derived, from_key, meaning_of, reads
from gateway.glance import values
from gateway.schema.types.enums import known
from gateway.schema.types.resolved import resolved
from gateway.schema.types.scalars import SCALARS, BigInt, Json

Record = Mapping[str, object]
Source = Parent[Record]


@dataclass(frozen=True)
class World:
    """What the root fields give."""

    one: object = None
    many: object = None
    is_allowed: bool = True


Info = strawberry.Info[World, None]


class Turn:
    """Gives the event loop one turn."""

    def __await__(self) -> Generator[None]:
        """Come back in the next turn."""
        yield


class Permitted(BasePermission):
    """Lets those in whose world allows it."""

    message = "Not for you."

    def has_permission(self, source: object, info: Any, **_: object) -> bool:  # noqa: ARG002
        """Ask the world."""
        return bool(info.context.is_allowed)


class Loud(FieldExtension):
    """Writes what the field gives in capitals."""

    def resolve(
        self, next_: Callable[..., object], source: object, info: Any, **kwargs: Any
    ) -> object:
        """Change text only."""
        value = next_(source, info, **kwargs)
        return value.upper() if isinstance(value, str) else value


@strawberry.enum
class Color(Enum):
    """Its values are words."""

    RED = "red"
    GREEN = "green"
    UNKNOWN = "unknown"


@strawberry.interface
class Named:
    """What has a name."""

    name: str

    @classmethod
    def resolve_type(cls, source: object, *_: object) -> str:
        """Take the word that the record has for it."""
        return str(cast("Record", source)["kind"])


def _is_of(kind: str, source: object, _: object) -> bool:
    return isinstance(source, Mapping) and source.get("kind") == kind


@strawberry.type
class Cat(Named):
    """Known by its kind."""

    lives: int
    is_type_of = staticmethod(partial(_is_of, "Cat"))


@strawberry.type
class Dog(Named):
    """Known by its kind."""

    tricks: list[str] | None
    is_type_of = staticmethod(partial(_is_of, "Dog"))


Pet = Annotated[Cat | Dog, strawberry.union("Pet")]


@strawberry.type
class Part:
    """All its fields are in its record, by their own names."""

    name: str
    value: int | None


@derived
def _pair(record: Source) -> Record | None:
    return None if record["text"] == "" else {"name": record["text"], "value": 1}


@derived
def _parts_like(
    record: Source,
    names: list[str] | None = UNSET,
    prefix: str | None = UNSET,
    most: int = 2,
) -> Sequence[Record]:
    found = [
        {"name": name, "value": None}
        for name in sorted(record)
        if (not isinstance(names, list) or name in names)
        and (not prefix or name.startswith(prefix))
    ]
    return found[:most]


@reads("text")
def _text_or_id(record: Source) -> str:
    value = record.get("text")
    return value if isinstance(value, str) else f"id {record['id']}"


@derived
def _total(record: Source) -> int:
    return sum(cast("list[int]", record["numbers"]))


@derived
def _broken(record: Source) -> str:
    if record.get("flag"):
        raise RuntimeError("A bug.")
    return cast("str", record["missing"])


@derived
def _maybe(_: Source, word: strawberry.Maybe[str]) -> str:
    return repr(word)


@derived
def _root(record: Source) -> Record:
    return record


def _place(record: Source, info: Info) -> str:
    return f"{'.'.join(map(str, info.path.as_list()))}: {record.get('text')!r}"


async def _later(record: Source) -> object:
    await Turn()
    value = record.get("later")
    if isinstance(value, Exception):
        raise value
    return value


def _pass_text(record: Source) -> Any:
    return record.get("text")


@strawberry.type
class Thing:
    """Everything that a plan covers, and everything that it leaves."""

    id: ID
    id_or_null: ID | None
    text: str
    text_or_null: str | None
    number: int
    number_or_null: int | None
    ratio: float
    ratio_or_null: float | None
    flag: bool
    flag_or_null: bool | None
    color: Color
    color_or_null: Color | None
    moment: datetime
    moment_or_null: datetime | None
    size: BigInt
    size_or_null: BigInt | None
    anything: Json
    anything_or_null: Json | None
    words: list[str]
    words_or_null: list[str | None] | None
    numbers: list[int]
    grid: list[list[int | None] | None]
    text_grid: list[list[str]] | None
    colors: list[Color | None] | None
    part: Part
    part_or_null: Part | None
    parts: list[Part]
    part_grid: list[list[Part | None] | None] | None
    child: "Thing | None"
    children: "list[Thing] | None"
    others: "list[Thing | None] | None"
    named: Named | None
    pet: Pet | None
    pets: list[Pet] | None
    known_color: Color = resolved(from_key("color", partial(known, Color)), "")
    length: int | None = resolved(from_key("text", cast("Any", len)), "")
    defaulted: bool = resolved(from_key("usually", default=False), "")
    meant: str | None = resolved(meaning_of("text_or_null", values.text), "")
    meant_json: str | None = resolved(meaning_of("anything", values.text_or_json), "")
    flagged: bool = resolved(meaning_of("flag_or_null", values.flag, default=False), "")
    counted: int = resolved(meaning_of("number_or_null", values.amount, default=0), "")
    sized: BigInt | None = resolved(meaning_of("size_or_null", values.whole_number), "")
    listed: list[str] = resolved(meaning_of("words_or_null", values.words), "")
    text_or_id: str = resolved(_text_or_id, "")
    renamed: str | None = resolved(from_key("other-key"), "")
    pair: Part | None = resolved(_pair, "")
    parts_like: list[Part] = resolved(_parts_like, "")
    total: int | None = resolved(_total, "")
    broken: str | None = resolved(_broken, "")
    tinted: Color = resolved(from_key("tint", default=Color.RED), "")
    excused: Json | None = resolved(from_key("text", ValueError), "")
    maybe: str | None = resolved(_maybe, "")
    root: "Query | None" = resolved(_root, "")
    place: str = resolved(_place, "")
    later: str | None = resolved(_later, "")
    later_needed: str = resolved(_later, "")
    later_part: Part | None = resolved(_later, "")
    guarded: str | None = strawberry.field(
        resolver=_pass_text, permission_classes=[Permitted]
    )
    loud: str | None = strawberry.field(resolver=_pass_text, extensions=[Loud()])


def _one(info: Info) -> object:
    return info.context.one


def _many(info: Info) -> object:
    return info.context.many


async def _one_later(info: Info) -> object:
    await Turn()
    return info.context.one


@strawberry.type
class Query:
    """The roots, nullable and not."""

    one: Thing | None = resolved(_one, "")
    needed: Thing = resolved(_one, "")
    one_later: Thing | None = resolved(_one_later, "")
    many: list[Thing] = resolved(_many, "")
    many_or_null: list[Thing | None] | None = resolved(_many, "")


@strawberry.type
class Mutation:
    """Its fields are executed one after another."""

    change: Thing | None = resolved(_one_later, "")


@cache
def world_schema() -> GraphQLSchema:
    """Return the schema."""
    config = StrawberryConfig(default_resolver=attribute, scalar_map=SCALARS)
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, types=[Cat, Dog], config=config
    )
    return schema._schema  # noqa: SLF001 - Strawberry has no other name
