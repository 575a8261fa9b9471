"""Fields whose resolver is made from something else than the field's type."""

from collections.abc import Callable
from typing import Any

import strawberry


def resolved(resolver: Callable[..., object], description: str) -> Any:  # noqa: ANN401
    """Return a field of the type that its class names, with this resolver.

    The class says what clients see, the resolver what it is made from: a type
    checker can't know that the one completes to the other.
    """
    return strawberry.field(resolver=resolver, description=description)
