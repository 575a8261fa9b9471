"""Records: as they should be, and with anything else in them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, cast

from graphql import GraphQLError, Undefined

from tests.execution.world import Color, Turn, World


class Text(str):
    """A text that is not exactly str."""

    __slots__ = ()


class Whole(int):
    """A number that is not exactly int."""


class Fields(dict[str, object]):
    """An object that is not exactly dict."""


class Late:
    """A value that has to be awaited, as often as one likes."""

    def __init__(self, value: object) -> None:
        """Keep what is to be given."""
        self._value = value

    def __await__(self) -> Generator[None, None, object]:
        """Give the value, or raise it, in the next turn."""
        yield from Turn().__await__()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    def __repr__(self) -> str:
        """Return a text without an address."""
        return f"Late({self._value!r})"


PART: dict[str, object] = {"name": "part", "value": 3}
RECORD: dict[str, object] = {
    "id": "7",
    "text": "red",
    "number": 2**31 - 1,
    "number_or_null": -(2**31),
    "ratio": 1.5,
    "ratio_or_null": 2,
    "flag": False,
    "flag_or_null": True,
    "color": "red",
    "color_or_null": "green",
    "moment": "2026-01-31T12:00:00",
    "size": 2**40,
    "anything": {"b": [1, None], "a": 1.0},
    "words": ["a", "b"],
    "words_or_null": ["a", None],
    "numbers": [1, 2],
    "grid": [[1, None], None, []],
    "text_grid": [["a"], []],
    "colors": ["red", None],
    "part": PART,
    "parts": [PART, {"name": "other", "value": None}],
    "part_grid": [[PART, None], None],
    "named": {"kind": "Cat", "name": "Tom", "lives": 9},
    "pet": {"kind": "Dog", "name": "Rex", "tricks": ["sit"]},
    "pets": [{"kind": "Cat", "name": "Tom", "lives": 9}],
    "usually": True,
    "other-key": "other",
    "later": "late",
}

TIMES = [
    *("2026-01-31T12:00:00z", "2026-01-31t12:00:00Z", "2026-01-31T12:00:00+01:00"),
    *("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00Z\n", "2026-01-31 12:00:00Z"),
    *("2026-01-31T12:00:00\n", "2026-01-31T12:00:0\u0661Z", "2026-01-31T12:00:00."),
    *("2026-99-99T99:99:99Z", "2026-01-31T12:00Z", Text("2026-01-31T12:00:00Z")),
    *("\u0662026-01-31T12:00:00Z", "2026-01-31T12:00:00+0100", "-2026-01-31T12:00:00Z"),
]
HOSTILE: list[Any] = [
    *TIMES,
    *(-(2**63), -(2**63) - 1, Whole(2**63), float(2**40)),
    *(None, Undefined, True, False, 0, 1, -1, Whole(1), 1.0, 1.5, -0.0),
    *(2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, 10**400),
    *(float("nan"), float("inf"), Decimal("1.0"), b"bytes", "", "a", "12", "1.5"),
    *("red", "mauve", "RED", Text("red"), Color.RED, ["red"], {"red": 1}),
    *("2026-01-31T12:00:00Z", "2026-01-31", [], [None], [[]], [[None], None]),
    *(["a", 1], ["a", True, None], ("a", "b"), [Text("a")], [1, 2**31], [1.0]),
    *([["a"], "a"], [("a",)], ["red", "mauve", ["red"]], {}, Fields(RECORD)),
    *(PART, Fields(PART), {"name": None}, {"name": "x", "value": "y"}, [PART, {}]),
    *([PART, None], (PART,), [Fields(PART)], [[PART, {"name": 1}], [None]]),
    *({"kind": "Dog", "name": None, "tricks": [1]}, {"kind": "Fish", "name": "x"}),
    *([{"kind": "Cat", "name": "x", "lives": 2**31}, {"name": "x"}], [RECORD, None]),
    *(ValueError("no"), KeyError("no"), GraphQLError("no", extensions={"code": "X"})),
    *(
        [ValueError("no")],
        {"name": ValueError("no")},
        Late("x"),
        Late(ValueError("no")),
    ),
    *([Late("a")], {"name": Late("x")}, Late(PART), [PART, Late(PART)]),
]

MISSING = object()
# What is nearly right, by what the key should have.
NEAR: dict[str, list[Any]] = {
    "int": [None, True, 1.0, 0, 2**31 - 1, 2**31, -(2**31) - 1, "12", Whole(1)],
    "str": [None, 1, True, Text("red"), "", Late("x"), ValueError("no")],
    "bool": [None, 1, 0, "true", "False", "", 0.0],
    "float": [None, 1, True, "1.5", float("nan"), 10**400],
    "dict": [None, Fields(PART), {}, {"name": None}, {"name": "x", "value": 2**31}],
    "list": [None, ("a",), [None], ["a", None], [1, True], [2**31], [[1, True]], []],
}
NEAR["list"] += [[["a"], None], [[None]], [PART, None], [PART, {"value": 1}], [[{}]]]
NEAR["moment"] = [None, 1, *TIMES]
NEAR["size"] = [None, True, 1.0, 2**63, 2**63 - 1, -(2**63), -(2**63) - 1, Whole(1)]
PLACES = [*[""] * 10, "child", "child.child", "children.0", "children.1"]
PLACES += ["others.0", "others.2"]
UNLIKELY, HALF = 0.05, 0.5


def _tree() -> dict[str, Any]:
    """Return a record with records below it."""
    child = RECORD | {"child": dict(RECORD)}
    children = [dict(RECORD), dict(RECORD)]
    others = [dict(RECORD), None, dict(RECORD)]
    return RECORD | {"child": child, "children": children, "others": others}


def _at(place: str, record: Any) -> dict[str, object]:
    for step in filter(None, place.split(".")):
        record = record[int(step) if step.isdigit() else step]
    return cast("dict[str, object]", record)


@dataclass(frozen=True)
class Spoilt:
    """Something that a record has instead of what it should have."""

    place: str
    key: str
    value: object

    def spoil(self, root: object) -> None:
        """Put it where it belongs."""
        record = _at(self.place, root)
        record[self.key] = self.value
        if self.value is MISSING:
            del record[self.key]


def spoilt_world(random: Random, keys: Sequence[str]) -> World:
    """Return a world in which some of these keys lack what they should have."""
    one, other = _tree(), _tree()
    spoilt = [_any_spoilt(random, keys) for _ in range(random.choice([0, 1, 1, 2]))]
    # What is inside comes first: it may be gone after what is outside.
    for each in sorted(spoilt, key=lambda each: -len(each.place)):
        each.spoil(one)
    root = random.choice(HOSTILE) if random.random() < UNLIKELY else one
    return World(root, [other, root, other], is_allowed=random.random() < HALF)


def _any_spoilt(random: Random, keys: Sequence[str]) -> Spoilt:
    key = random.choice(keys)
    kind = key.removesuffix("_or_null")
    near = NEAR.get(kind) or NEAR.get(type(RECORD.get(kind)).__name__, HOSTILE)
    pool = random.choice([near, near, near, HOSTILE, [MISSING]])
    return Spoilt(random.choice(PLACES), key, random.choice(pool))
