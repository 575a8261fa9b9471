"""Cancels work when its client disconnects."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import TypeVar

from starlette.types import Receive

from gateway.asgi.graphql.request import ClientLeft

Result = TypeVar("Result")


async def while_connected(
    receive: Receive, work: Coroutine[object, object, Result]
) -> Result:
    """Return the work's result; raises ClientLeft when the client disconnects.

    On a disconnect or a cancellation, the work is cancelled and has ended before
    this function ends. The request's body must have been read. Source of
    the order of steps: asyncio.timeout, which ends a block by time.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - coroutines run in tasks
    has_left = False

    async def leave() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        task.cancel()

    watching = asyncio.create_task(leave())
    try:
        try:
            return await work
        finally:
            watching.cancel()
            await asyncio.wait([watching])
    except asyncio.CancelledError:
        if not has_left or task.uncancel():
            raise
        raise ClientLeft from None


async def all_of(
    works: Iterable[Coroutine[object, object, Result]],
) -> Sequence[Result]:
    """Run works concurrently and return their results; they must not raise.

    When cancelled, it ends after all of them have ended. It uses no TaskGroup, whose
    exceptions would keep all objects of their frames in memory.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    return [task.result() for task in tasks]
