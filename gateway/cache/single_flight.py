"""Equal work at the same time is done once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")
Work = Callable[[], Coroutine[object, object, Result]]


class _Flight(Generic[Result]):
    def __init__(self, task: asyncio.Task[Result]) -> None:
        self.task = task
        self.waiters = 0


class SingleFlight(Generic[Result]):
    """Work under way, by key; nothing is kept of what has ended."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._flights: dict[Hashable, _Flight[Result]] = {}

    def has(self, key: Hashable) -> bool:
        """Return whether work of this key is under way."""
        return key in self._flights

    async def run(self, key: Hashable, work: Work[Result]) -> Result:
        """Return what the work of this key gives, joining it where it runs.

        An error reaches all who wait. One who leaves (is cancelled) leaves the
        work running for the others; the last one ends it, and waits for that.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.create_task(work()))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                await self._end(key, flight)

    async def close(self) -> None:
        """End all work that is under way."""
        for key, flight in [*self._flights.items()]:
            await self._end(key, flight)

    async def _end(self, key: Hashable, flight: _Flight[Result]) -> None:
        self._landed(key, flight)
        flight.task.cancel()
        await asyncio.wait([flight.task])

    def _landed(self, key: Hashable, flight: _Flight[Result]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
