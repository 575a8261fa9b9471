"""Executes an operation and formats its result as a response."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Protocol, TypeVar

from graphql import ExecutionResult

from gateway.context import Context
from gateway.execution.operations import Begun
from gateway.execution.turns import take_turn
from gateway.facts import Hook, tell
from gateway.glance.errors import GlanceError
from gateway.limits.large_results import LARGE_VALUES, LargeResults
from gateway.limits.result_bytes import check_result, may_be_too_long
from gateway.schema.errors import MAX_ERRORS, Formatted, presented, warning

Result = TypeVar("Result")


class Waiting(Protocol):
    """How a request awaits its work: to its end, or until its client disconnects."""

    def __call__(self, work: Coroutine[object, object, Result], /) -> Awaitable[Result]:
        """Return an awaitable of the work's result."""


async def result_of(work: Coroutine[object, object, Result]) -> Result:
    """Return the work's result."""
    return await work


def costs(context: Context, *, is_traced: bool) -> dict[str, int]:
    """Return the counters of a request, with its estimate if it is traced."""
    counts = context.counters.counts
    return {**counts, "estimate": context.counters.estimate} if is_traced else counts


async def executed(
    begin: Callable[[], Begun],
    context: Context,
    hooks: Sequence[Hook],
    waiting: Waiting = result_of,
) -> ExecutionResult:
    """Return the result; `waiting` awaits it unless it is ready.

    Raises LimitExceeded if the result is too large to send. Hooks receive the facts
    of the request, also if it fails.
    """
    counters = context.counters
    try:
        begun = begin()
        if not isinstance(begun, ExecutionResult):
            begun = await waiting(begun)
        if counters.values < LARGE_VALUES:
            await _check(begun, context)
    finally:
        tell(hooks, context.facts)
    return begun


def in_turn(
    begin: Callable[[], Begun], context: Context, large_results: LargeResults
) -> Callable[[], Begun]:
    """Return a function that begins an execution once its result has room."""
    values = context.counters.values
    if values < LARGE_VALUES:
        return begin

    async def execution() -> ExecutionResult:
        begun = begin()
        result = begun if isinstance(begun, ExecutionResult) else await begun
        await _check(result, context)
        return result

    deadline_at = context.caller.deadline_at
    return lambda: large_results.make(values, deadline_at, execution)


async def _check(result: ExecutionResult, context: Context) -> None:
    """Raise LimitExceeded for too much text, while a large result has its room."""
    counters = context.counters
    aliases = counters.measures.get("aliases", 0)
    if may_be_too_long(read_bytes=counters.read_bytes, aliases=aliases):
        for _ in check_result(result.data):
            await take_turn()


def answer_of(
    result: ExecutionResult,
    context: Context,
    *,
    is_traced: bool,
    outage: GlanceError | None = None,
    max_errors: int = MAX_ERRORS,
) -> Formatted:
    """Return the response, with counters if it is traced or some data is stale."""
    answer: Formatted = {"data": result.data}
    if result.errors:
        answer["errors"] = presented(
            result.errors, context.request_id, was_executed=True, most=max_errors
        )
    extensions: Formatted = {}
    if outage is not None:
        extensions["warnings"] = [warning(outage)]
    if is_traced or context.counters.stale:
        extensions["glance"] = costs(context, is_traced=is_traced)
    if extensions:
        answer["extensions"] = extensions
    return answer
