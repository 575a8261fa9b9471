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
        """Wait for `notice`; `watches` are those of this worker at any time."""
        self._catalog = catalog
        self._watches = watches
        self._noticing: asyncio.Task[None] | None = None

    def notice(self) -> None:
        """Begin to notice writes; a no-op if that has begun."""
        if self._noticing is None or self._noticing.done():
            self._noticing = asyncio.create_task(self._notice())

    async def stop_noticing(self) -> None:
        """Stop noticing writes."""
        noticing, self._noticing = self._noticing, None
        if noticing is not None:
            noticing.cancel()
            await asyncio.wait([noticing])

    async def _notice(self) -> None:
        """Read one version at an interval, and those of the watches once it is new."""
        noticed = None
        while True:
            newest = await self._catalog.write_versions([ANYTHING])
            if newest not in (None, noticed) and await self._wake_all():
                noticed = newest
            await asyncio.sleep(NOTICE_SECONDS)

    async def _wake_all(self) -> bool:
        """Wake the watches of what was written; return whether that is known."""
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
