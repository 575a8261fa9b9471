"""Converts Glance's values that are not of the type its API names. Pure.

Each function returns a value of the right type unchanged, and raises ValueError for
a value whose meaning is ambiguous.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import orjson

from gateway.glance.errors import MalformedRecord

Value = TypeVar("Value")

NUMBER_MAX, AMOUNT_MAX = 2**63 - 1, 2**31 - 1
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_FLAGS = {"true": True, "false": False}


def text_or_json(value: object) -> str | None:
    """Return text unchanged, null as None, and anything else as JSON text."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def text(value: object) -> str | None:
    """Return text, also for a number or a boolean; None for null."""
    if isinstance(value, dict | list):
        raise _uncertain(value)
    return text_or_json(value)


def flag(value: object) -> bool:
    """Return a boolean, also for its name as text, 0 and 1; null is False."""
    if isinstance(value, str) and value.lower() in _FLAGS:
        return _FLAGS[value.lower()]
    if value is None or (isinstance(value, int) and value in {0, 1}):
        return bool(value)
    raise _uncertain(value)


def whole_number(value: object) -> int | None:
    """Return an integer of 64 bits, also for its digits as text and for 1.0.

    None for null.
    """
    return None if value is None else _integer(value, NUMBER_MAX)


def amount(value: object) -> int:
    """Return an integer as `whole_number` does, of 32 bits; null is 0."""
    return 0 if value is None else _integer(value, AMOUNT_MAX)


def words(value: object) -> list[str]:
    """Return a list of text; items of other types become JSON text.

    Null is an empty list, and null items are left out.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise _uncertain(value)
    each = map(text_or_json, value)
    return [word for word in each if word is not None]


def store_ids(value: object) -> list[str]:
    """Return the ids in Glance's `stores`: comma-separated text or a list."""
    each = value.split(",") if isinstance(value, str) else words(value)
    return [store for store in each if store]


def read(
    record: Mapping[str, object], key: str, meaning: Callable[[object], Value]
) -> Value:
    """Return a converted value of a record; raises MalformedRecord."""
    try:
        return meaning(record.get(key))
    except ValueError as error:
        raise malformed(record, key) from error


def malformed(record: object, name: str) -> MalformedRecord:
    """Return the error for a value of a record that cannot be shown."""
    record_id = record.get("id") if isinstance(record, Mapping) else None
    if isinstance(record_id, str):
        message = f"Glance sent a malformed {name} for {record_id}."
        return MalformedRecord(message, record_id=record_id)
    message = f"Glance sent a malformed {name} for something without an id."
    return MalformedRecord(message)


def _integer(value: object, most: int) -> int:
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _uncertain(value)
    if -most - 1 <= value <= most and value == int(value):
        return int(value)
    raise _uncertain(value)


def _uncertain(value: object) -> ValueError:
    message = f"The meaning of a {type(value).__name__} is not certain here."
    return ValueError(message)
