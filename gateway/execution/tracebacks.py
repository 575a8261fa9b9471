"""Errors that were told, without what they hold on to."""

from collections.abc import Iterable


def drop_tracebacks(errors: Iterable[BaseException]) -> None:
    """Let go of the frames that errors, and their causes, have passed through.

    An executor keeps its errors, and their frames keep it: until a pass for
    garbage nothing of the request would be freed.
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
    """Return what a GraphQLError was made of."""
    original = getattr(error, "original_error", None)
    return original if isinstance(original, BaseException) else None
