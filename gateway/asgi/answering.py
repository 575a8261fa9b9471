"""One operation executed, and its answer as clients see it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Protocol, TypeVar

from graphql import ExecutionResult

from gateway.context import Context
from gateway.execution.operations import Begun
from gateway.facts import Hook, tell
from gateway.glance.errors import GlanceError
from gateway.schema.errors import Formatted, presented, warning

Result = TypeVar("Result")


class Waiting(Protocol):
    """How work of a request is waited for."""

    def __call__(self, work: Coroutine[object, object, Result], /) -> Awaitable[Result]:
        """Return what waits for the work and gives its result."""


async def result_of(work: Coroutine[object, object, Result]) -> Result:
    """Return what the work gives."""
    return await work


def costs(context: Context, *, is_traced: bool) -> dict[str, int]:
    """Return what a request has cost; with the estimate where that is asked."""
    counts = context.tally.counts
    return {**counts, "estimate": context.tally.estimate} if is_traced else counts


async def executed(
    begin: Callable[[], Begun],
    context: Context,
    hooks: Sequence[Hook],
    waiting: Waiting = result_of,
) -> ExecutionResult:
    """Return data and errors, by `waiting` where they are not there at once.

    Hooks are told what it has cost, also where it fails.
    """
    try:
        begun = begin()
        return begun if isinstance(begun, ExecutionResult) else await waiting(begun)
    finally:
        tell(hooks, context.facts)


def answer_of(
    result: ExecutionResult,
    context: Context,
    *,
    is_traced: bool,
    outage: GlanceError | None = None,
) -> Formatted:
    """Return the answer, with what it cost where that is asked or some is stale."""
    answer: Formatted = {"data": result.data}
    if result.errors:
        errors = presented(result.errors, context.request_id, was_executed=True)
        answer["errors"] = errors
    extensions: Formatted = {}
    if outage is not None:
        extensions["warnings"] = [warning(outage)]
    if is_traced or context.tally.stale:
        extensions["glance"] = costs(context, is_traced=is_traced)
    if extensions:
        answer["extensions"] = extensions
    return answer
