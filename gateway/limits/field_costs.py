"""How the cost of a field is declared. Pure.

A schema's table of costs names each field that can call Glance. What such a
field costs is told by marks: names with counts, which a field leaves for those
above it, up to the operation, whose marks say how many calls it needs at most.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

Marks = Mapping[str, int]
Values = Mapping[str, object]


class Circumstances(msgspec.Struct, frozen=True):
    """What a cost depends on beside the operation and its variables.

    `page_images` is how many images a page of Glance holds; `is_listed` tells
    that the request came in a list of requests.
    """

    page_images: int
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The cost of a field that leaves one mark, for a field above it to count."""

    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """The cost of a field that leaves other marks than those below it.

    `marks` is given the values of `arguments`, as the client sent them, the marks
    below the field, and the circumstances.
    """

    marks: Callable[[Values, Marks, Circumstances], Marks]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of fields by type and field, and what all marks sum up to.

    `other` is the cost of a field without a row, None where it costs nothing.
    """

    fields: Mapping[tuple[str, str], Mark | Source]
    total: Callable[[Marks, Circumstances], int]
    other: Mark | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """What the fields of a schema cost: in calls to Glance, in values of the result."""

    calls: Costs
    values: Costs


def whole_number(value: object) -> int | None:
    """Return the integer that GraphQL takes a value for, None where it takes none."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None
