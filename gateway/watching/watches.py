"""The watches of this worker: one for each identity and image, or list."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from gateway.cache.keys import ReadKey, ReadKind, read_key
from gateway.cache.policy import topics_of
from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.facts import Hook
from gateway.glance.listing import ImageQuery
from gateway.watching.mailbox import News
from gateway.watching.other_workers import OtherWorkers
from gateway.watching.subjects import ImageList, OneImage, Subject
from gateway.watching.watch import Pace, Watch

Changes = AsyncGenerator[News, None]


class TooManySubscribers(Exception):
    """There are as many in this worker as there may be."""


class Watches:
    """Who watches what; each watch lives as long as it has subscribers.

    What is given here begins when it is first read, raises what a look raises,
    and has to be closed. An outage without a last known state is among what it
    yields, as the GlanceError that it is.
    """

    def __init__(
        self,
        catalog: Catalog,
        pace: Pace,
        *,
        max_subscribers: int,
        hooks: Sequence[Hook] = (),
    ) -> None:
        """Look through `catalog`, whose writes are looked for at once.

        `hooks` are given the RefreshFacts of each look.
        """
        self._catalog = catalog
        self._pace = pace
        self._max_subscribers = max_subscribers
        self._hooks = hooks
        self._watches: dict[ReadKey, Watch] = {}
        self._subscribers = 0
        self._others = OtherWorkers(catalog, self._watches)
        catalog.listen(self._wake)

    def image(self, caller: Caller, image_id: str) -> Changes:
        """Yield an image's state, then each change, up to its deletion.

        Raises NotFound where there is none, TooManySubscribers.
        """
        key = read_key(caller.identity, ReadKind.IMAGE, image_id)
        subject = OneImage(self._catalog, image_id)
        return self._changes(key, subject, topics_of(key.scope, image_id))

    def images(self, caller: Caller, query: ImageQuery) -> Changes:
        """Yield each change of a list from now on.

        Raises InvalidArgument for a list of 1000 images, TooManySubscribers.
        """
        key = read_key(caller.identity, ReadKind.IMAGES, query)
        subject = ImageList(self._catalog, query)
        return self._changes(key, subject, topics_of(key.scope))

    async def close(self) -> None:
        """End all watches, and what is given of them."""
        watches = [*self._watches.values()]
        self._watches.clear()
        await asyncio.gather(*(watch.stop() for watch in watches))
        await self._others.unheed()

    async def _changes(
        self, key: ReadKey, subject: Subject, topics: Sequence[str]
    ) -> Changes:
        if self._subscribers >= self._max_subscribers:
            raise TooManySubscribers
        watch = self._watch(key, subject, topics)
        mailbox = watch.join()
        self._subscribers += 1
        try:
            while (change := await mailbox.take()) is not None:
                yield change
        finally:
            self._subscribers -= 1
            watch.leave(mailbox)
            if watch.is_left:
                await self._drop(watch)

    def _watch(self, key: ReadKey, subject: Subject, topics: Sequence[str]) -> Watch:
        """Return the watch that looks, begun where there is none."""
        known = self._watches.get(key)
        if known is not None and not known.has_ended:
            return known
        watch = Watch(
            self._catalog, key, subject, topics, pace=self._pace, hooks=self._hooks
        )
        self._watches[key] = watch
        self._others.heed()
        return watch

    async def _drop(self, watch: Watch) -> None:
        if self._watches.get(watch.key) is watch:
            del self._watches[watch.key]
        await watch.stop()
        if not self._watches:
            await self._others.unheed()

    def _wake(self, topics: Sequence[str]) -> None:
        for watch in self._watches.values():
            watch.wake(topics)
