"""How fields read the records that are their source.

A field without a resolver reads its own key. A derived field is a pure
function of the record: generated code calls it without GraphQL's machinery.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from strawberry import Parent

from gateway.glance.errors import GlanceUnavailable
from gateway.glance.values import malformed

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")

UNFIT = "Glance's answer lacks what this field needs, or has another type there."
MISFITS = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Derivation:
    """What a derived field is made from.

    `function` is of the record; where `key` is set, of what the record has
    there (`default` where it has nothing), None being the value itself. `meaning`
    is of that value, too, and returns one of the field's type as it is.
    """

    function: Callable[..., object] | None
    key: str | None = None
    default: object = None
    meaning: Callable[[object], object] | None = None


_DERIVATIONS: dict[object, Derivation] = {}


def attribute(source: object, name: str) -> object:
    """Return what a record has under `name`, None where it has nothing.

    Raises GlanceUnavailable for a source that is neither a JSON object nor a
    value of ours with that attribute.
    """
    if isinstance(source, Mapping):
        return source.get(name)
    try:
        return getattr(source, name)
    except AttributeError as error:
        raise GlanceUnavailable(UNFIT) from error


def derived(function: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
    """Make a pure function of a record a resolver.

    Raises MalformedRecord, which names the function without its underscore, where
    the record is not what the function needs.
    """
    resolver = _guarded(function, function.__name__.removeprefix("_"))
    _DERIVATIONS[resolver] = Derivation(function)
    return resolver


def reads(
    key: str, *, default: object = None
) -> Callable[[Callable[Arguments, Value]], Callable[Arguments, Value]]:
    """Make a pure function of a record a resolver that plans replace by a key.

    For what a record has under the key (`default` where it has nothing) and is of
    the field's type, the function has to return just that. Raises as `derived`.
    """

    def decorated(function: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
        resolver = _guarded(function, key)
        _DERIVATIONS[resolver] = Derivation(None, key, default)
        return resolver

    return decorated


def meaning_of(
    key: str, meaning: Callable[[object], object], *, default: object = None
) -> Callable[[Mapping[str, object]], object]:
    """Return a resolver that reads one key, and what its value means.

    `meaning` has to return a value of the field's type as it is.
    """

    @reads(key, default=default)
    def resolver(record: Parent[Mapping[str, object]]) -> object:
        return meaning(record.get(key, default))

    _DERIVATIONS[resolver] = Derivation(None, key, default, meaning)
    return resolver


def from_key(
    key: str,
    function: Callable[[object], object] | None = None,
    *,
    default: object = None,
) -> Callable[[Mapping[str, object]], object]:
    """Return a resolver that reads one key, or a pure function of its value.

    Raises MalformedRecord where the function can't have such a value.
    """

    @reads(key)
    def resolver(record: Parent[Mapping[str, object]]) -> object:
        found = record.get(key, default)
        return found if function is None else function(found)

    _DERIVATIONS[resolver] = Derivation(function, key, default)
    return resolver


def derivation_of(resolver: object) -> Derivation | None:
    """Return what `derived` or `from_key` made the resolver from, else None."""
    return _DERIVATIONS.get(resolver)


def _guarded(
    function: Callable[Arguments, Value], name: str
) -> Callable[Arguments, Value]:
    """Return the function, which raises MalformedRecord for what it can't have."""
    parent = next(iter(signature(function).parameters))

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        try:
            return function(*args, **kwargs)
        except MISFITS as error:
            record = args[0] if args else kwargs[parent]
            raise malformed(record, name) from error

    return guarded
