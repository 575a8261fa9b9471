"""Declares the costs of fields. Pure.

A schema's table of costs names each field that can call Glance. Costs are counted
with marks, which are names with counts. Each field passes its marks to its parent
field, up to the operation. The total of the operation's marks is its maximum number
of calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

Marks = Mapping[str, int]
Values = Mapping[str, object]


class Circumstances(msgspec.Struct, frozen=True):
    """The inputs of a cost besides the operation and its variables.

    `page_images` is how many images a page of Glance holds. `is_listed` is True for
    a request of a batch.
    """

    page_images: int
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The cost of a field that adds one mark for its parents to count."""

    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """The cost of a field that computes new marks from those below it.

    `marks` receives the values of `arguments` as the client sent them, the marks
    below the field, and the circumstances.
    """

    marks: Callable[[Values, Marks, Circumstances], Marks]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of fields by type and field, and the total of marks.

    `other` is the cost of a field without a row, None if it is free.
    """

    fields: Mapping[tuple[str, str], Mark | Source]
    total: Callable[[Marks, Circumstances], int]
    other: Mark | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """The costs of a schema's fields, in calls to Glance and in result values."""

    calls: Costs
    values: Costs


def whole_number(value: object) -> int | None:
    """Return the integer that GraphQL reads a value as, None for other values."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None
