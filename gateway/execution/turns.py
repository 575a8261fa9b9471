"""Splits long work into slices, between which the event loop runs other work."""

import asyncio
import time

SLICE_SECONDS = 0.01


class _Slice:
    """The slice of a loop's current iteration; `loop` is None where none began."""

    loop: asyncio.AbstractEventLoop | None = None
    began_at = 0.0

    def end(self) -> None:
        """End the slice: the next work begins a new one."""
        self.loop = None


_slice = _Slice()


def is_time_up() -> bool:
    """Return whether the current iteration of the loop has used up its slice."""
    loop = asyncio.get_running_loop()
    if _slice.loop is loop:
        return time.perf_counter() - _slice.began_at > SLICE_SECONDS
    _slice.loop, _slice.began_at = loop, time.perf_counter()
    loop.call_soon(_slice.end)
    return False


async def next_turn() -> None:
    """Wait for an iteration of the loop whose slice is not used up."""
    while is_time_up():  # noqa: ASYNC110 - there is no event of an iteration
        await asyncio.sleep(0)


async def take_turn() -> None:
    """Wait for the next turn where this iteration of the loop has no time left."""
    if is_time_up():
        await next_turn()
