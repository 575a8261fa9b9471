"""Limits how many operations of one connection are executed at once."""

import asyncio
from types import TracebackType
from typing import Self


class Turns:
    """A semaphore that lets in at most one operation per iteration of the event loop.

    Preparing a document blocks the loop for a while. So the loop serves other clients
    between the documents of a client that sends many at once.
    """

    def __init__(self, at_once: int) -> None:
        """Let in at most `at_once` operations at once."""
        self._places = asyncio.Semaphore(at_once)
        self._entrance = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Wait for a turn."""
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
        """Free the turn for another operation."""
        self._places.release()
