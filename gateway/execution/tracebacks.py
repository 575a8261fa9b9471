"""Drops the tracebacks of errors, which keep a request's objects in memory."""

from collections.abc import Iterable


def drop_tracebacks(errors: Iterable[BaseException]) -> None:
    """Drop the tracebacks of errors and of their causes.

    An executor refers to its errors, whose frames refer to the executor: without
    this, only the garbage collector would free the objects of a request.
    """
    found = list(errors)
    seen: set[int] = set()
    while found:
        error = found.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = None
        others = error.__cause__, error.__context__, _original(error)
        found += [other for other in others if other is not None]


def _original(error: BaseException) -> BaseException | None:
    """Return the exception that a GraphQLError wraps."""
    original = getattr(error, "original_error", None)
    return original if isinstance(original, BaseException) else None
