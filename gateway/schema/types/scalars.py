"""The scalars that GraphQL itself does not have."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NewType

import strawberry
from graphql import GraphQLError, GraphQLInt, IntValueNode, ValueNode, print_ast
from graphql.type.scalars import parse_int_literal
from strawberry.types.scalar import ScalarDefinition

from gateway.execution.exact import exact

BigInt = NewType("BigInt", int)
Json = NewType("Json", object)

BIG_INT_MIN, BIG_INT_MAX = -(2**63), 2**63 - 1
# A sign and the digits; a literal has no zeros before them.
INT_MAX_CHARACTERS, BIG_INT_MAX_CHARACTERS = 11, 20

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_DATE_TIME_OF_GLANCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@exact(
    "type({value}) is str and {matches}({value})",
    matches=_DATE_TIME_OF_GLANCE.fullmatch,
)
def date_time_text(value: object) -> str:
    """Return Glance's own text, with `Z` added where it names no zone.

    Raises GraphQLError for anything else than a date and time.
    """
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        message = f"DateTime cannot represent value: {value!r}"
        raise GraphQLError(message)
    return match[0] if match["offset"] else match[0] + "Z"


def moment(value: object) -> str | None:
    """Return a date and time as it is, None for null; raises ValueError for others."""
    try:
        return None if value is None else date_time_text(value)
    except GraphQLError as error:
        raise ValueError(error.message) from None


def parse_date_time(value: object) -> datetime:
    """Return the time with its offset; raises GraphQLError without one."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["offset"] is None:
        message = (
            "DateTime needs an RFC 3339 date and time with an offset, such as"
            f" 2026-01-31T12:00:00Z, not {value!r}."
        )
        raise GraphQLError(message)
    try:
        return datetime.fromisoformat(match[0])
    except ValueError as error:
        message = f"DateTime cannot represent value: {value!r} ({error})"
        raise GraphQLError(message) from error


@exact(f"type({{value}}) is int and {BIG_INT_MIN} <= {{value}} <= {BIG_INT_MAX}")
def big_int(value: object) -> int:
    """Return the integer; raises GraphQLError outside of signed 64 bits."""
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and BIG_INT_MIN <= value <= BIG_INT_MAX
    ):
        return value
    message = f"BigInt cannot represent value: {value!r}"
    raise GraphQLError(message)


def big_int_literal(node: ValueNode, _variables: object = None) -> int:
    """Return a literal's integer; raises GraphQLError outside of signed 64 bits."""
    if isinstance(node, IntValueNode) and len(node.value) <= BIG_INT_MAX_CHARACTERS:
        return big_int(int(node.value))
    message = f"BigInt cannot represent value: {print_ast(node)}"
    raise GraphQLError(message, node)


def int_literal(node: ValueNode, variables: object = None) -> int:
    """Return a literal's integer, as graphql-core does for one it can convert.

    Python raises ValueError for one of 4,301 digits.
    """
    if isinstance(node, IntValueNode) and len(node.value) > INT_MAX_CHARACTERS:
        message = (
            f"Int cannot represent non 32-bit signed integer value: {print_ast(node)}"
        )
        raise GraphQLError(message, node)
    return parse_int_literal(node, variables)


GraphQLInt.coerce_input_literal = int_literal

SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "RFC 3339 date and time, always with an offset, for example"
            " `2026-01-31T12:00:00Z`."
        ),
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=date_time_text,
        parse_value=parse_date_time,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description=(
            "Signed 64-bit integer, sent as a JSON number. JavaScript"
            " represents it exactly up to 2^53 - 1 (9 PB)."
        ),
        serialize=big_int,
        parse_value=big_int,
        parse_literal=big_int_literal,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description=("Any JSON value. Used only where Glance itself has no schema."),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    ),
}
