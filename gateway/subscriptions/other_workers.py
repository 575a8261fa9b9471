"""Writes of other workers, and of replicas, noticed by their versions."""

import asyncio
from collections.abc import Mapping, Sequence

from gateway.cache.keys import ReadKey
from gateway.cache.policy import ANYTHING
from gateway.catalog import Catalog
from gateway.subscriptions.watch import Watch

# How soon a write is noticed.
NOTICE_SECONDS = 0.25
# More would keep a shared cache busy for too long.
WATCHES_AT_ONCE = 250


class OtherWorkers:
    """Wakes watches when others write what they watch."""

    def __init__(self, catalog: Catalog, watches: Mapping[ReadKey, Watch]) -> None:
        """Heed nobody yet; `watches` are those that there are, at any time."""
        self._catalog = catalog
        self._watches = watches
        self._heeding: asyncio.Task[None] | None = None

    def heed(self) -> None:
        """Begin to heed others; a no-op where that has begun."""
        if self._heeding is None or self._heeding.done():
            self._heeding = asyncio.create_task(self._heed())

    async def unheed(self) -> None:
        """Heed them no more."""
        heeding, self._heeding = self._heeding, None
        if heeding is not None:
            heeding.cancel()
            await asyncio.wait([heeding])

    async def _heed(self) -> None:
        """Look at one version now and then; at more of them when it is new."""
        noticed = None
        while True:
            newest = await self._catalog.write_versions([ANYTHING])
            if newest not in (None, noticed) and await self._wake_all():
                noticed = newest
            await asyncio.sleep(NOTICE_SECONDS)

    async def _wake_all(self) -> bool:
        """Wake whoever watches what is written, and return whether that is known."""
        watches = [*self._watches.values()]
        for start in range(0, len(watches), WATCHES_AT_ONCE):
            if not await self._wake(watches[start : start + WATCHES_AT_ONCE]):
                return False
        return True

    async def _wake(self, watches: Sequence[Watch]) -> bool:
        topics = {topic for watch in watches for topic in watch.topics}
        versions = await self._catalog.write_versions(topics)
        if versions is None:
            return False
        for watch in watches:
            watch.wake_if_written(versions)
        return True
