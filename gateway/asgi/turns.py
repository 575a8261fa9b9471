"""How many operations of one connection are executed at once."""

import asyncio
from types import TracebackType
from typing import Self


class Turns:
    """A context that few enter at once, and no two in one turn of the event loop.

    Preparing a document keeps others waiting for a while; a client that sends
    many at once has others served in between.
    """

    def __init__(self, at_once: int) -> None:
        """Let so many in at once."""
        self._places = asyncio.Semaphore(at_once)
        self._entrance = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Wait for a place."""
        await self._places.acquire()
        try:
            async with self._entrance:
                await asyncio.sleep(0)
        except BaseException:
            self._places.release()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the place to another one."""
        self._places.release()
