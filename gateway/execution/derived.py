"""How fields read the records that are their source."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import strawberry

from gateway.glance.errors import GlanceUnavailable

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")

UNFIT = "Glance's answer lacks what this field needs, or has another type there."


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


def derived(
    function: Callable[Arguments, Value],
) -> Callable[Arguments, Value]:
    """Make a pure function of a record a resolver.

    Raises GlanceUnavailable where the record is not what the function needs.
    """

    @wraps(function)
    def resolver(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        try:
            return function(*args, **kwargs)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise GlanceUnavailable(UNFIT) from error

    return resolver


def resolved(resolver: Callable[..., object], description: str) -> Any:  # noqa: ANN401
    """Return a field of the type that its class names, with this resolver.

    The class says what clients see, the resolver what it is made from: a type
    checker can't know that the one completes to the other.
    """
    return strawberry.field(resolver=resolver, description=description)
