"""Values that a scalar gives back as they are, told by a test in generated code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Serialize = TypeVar("Serialize", bound=Callable[[object], object])


@dataclass(frozen=True, slots=True)
class Exactness:
    """A Python expression with `{value}`, and `{name}` for each of the names."""

    test: str
    names: Mapping[str, object]


_EXACT: dict[object, Exactness] = {}


def exact(test: str, **names: object) -> Callable[[Serialize], Serialize]:
    """Say of a scalar's `serialize` when it gives its argument back.

    The test must hold for no value that it would change or refuse; it may fail
    for others.
    """

    def registered(serialize: Serialize) -> Serialize:
        _EXACT[serialize] = Exactness(test, names)
        return serialize

    return registered


def exactness_of(serialize: object) -> Exactness | None:
    """Return what was said of the function, None where nothing was."""
    return _EXACT.get(serialize)
