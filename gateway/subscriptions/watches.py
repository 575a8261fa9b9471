"""The watches of this worker: one for each identity and image, or list."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from gateway.cache.keys import ReadKey, ReadKind, read_key
from gateway.cache.policy import topics_of
from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.facts import Hook
from gateway.glance.listing import ImageQuery
from gateway.limits.exceeded import LimitExceeded, tell_rejection
from gateway.limits.subscriptions import OpenSubscriptions, SubscriptionLimits
from gateway.subscriptions.event_queue import Event
from gateway.subscriptions.other_workers import OtherWorkers
from gateway.subscriptions.subjects import ImageList, OneImage, Subject
from gateway.subscriptions.watch import Pace, Watch

Changes = AsyncGenerator[Event, None]


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
        limits: SubscriptionLimits,
        hooks: Sequence[Hook] = (),
    ) -> None:
        """Poll through `catalog`, at once after each of its writes.

        `hooks` are given the RefreshFacts of each poll, and the RejectionFacts of
        each subscription that a limit rejects.
        """
        self._catalog = catalog
        self._pace = pace
        self._hooks = hooks
        self._watches: dict[ReadKey, Watch] = {}
        self._open = OpenSubscriptions(limits)
        self._others = OtherWorkers(catalog, self._watches)
        catalog.listen(self._wake)

    def image(self, caller: Caller, image_id: str) -> Changes:
        """Yield an image's state, then each change, up to its deletion.

        Raises NotFound where there is none, LimitExceeded.
        """
        key = read_key(caller.identity, ReadKind.IMAGE, image_id)
        subject = OneImage(self._catalog, image_id)
        return self._changes(caller, key, subject, topics_of(key.scope, image_id))

    def images(self, caller: Caller, query: ImageQuery) -> Changes:
        """Yield each change of a list from now on; equal filters share one watch.

        Raises InvalidArgument for a list of 1000 images, LimitExceeded.
        """
        same = replace(query, filters=tuple(sorted({*query.filters})))
        key = read_key(caller.identity, ReadKind.IMAGES, same)
        subject = ImageList(self._catalog, same)
        return self._changes(caller, key, subject, topics_of(key.scope))

    async def close(self) -> None:
        """End all watches, and what is given of them."""
        watches = [*self._watches.values()]
        self._watches.clear()
        await asyncio.gather(*(watch.stop() for watch in watches))
        await self._others.stop_noticing()

    async def _changes(
        self, caller: Caller, key: ReadKey, subject: Subject, topics: Sequence[str]
    ) -> Changes:
        with self._telling_rejections(caller):
            watch = self._joined(key, subject, topics)
        event_queue = watch.join()
        try:
            while (change := await event_queue.take()) is not None:
                yield change
        finally:
            self._open.close(key.scope)
            watch.leave(event_queue)
            if watch.has_no_subscribers:
                await self._drop(watch)

    @contextmanager
    def _telling_rejections(self, caller: Caller) -> Iterator[None]:
        """Give hooks the facts of a limit that rejects the subscription."""
        try:
            yield
        except LimitExceeded as rejection:
            scope = caller.identity.scope
            tell_rejection(self._hooks, rejection, scope, caller.request_id)
            raise

    def _joined(self, key: ReadKey, subject: Subject, topics: Sequence[str]) -> Watch:
        """Count a subscription and return its watch; raises LimitExceeded."""
        self._open.open(key.scope)
        try:
            return self._watch(key, subject, topics)
        except LimitExceeded:
            self._open.close(key.scope)
            raise

    def _watch(self, key: ReadKey, subject: Subject, topics: Sequence[str]) -> Watch:
        """Return the watch that looks, begun where there is none."""
        known = self._watches.get(key)
        if known is not None and not known.has_ended:
            return known
        if known is None and key.kind is ReadKind.IMAGES:
            self._open.open_list(key.scope)
        watch = Watch(
            self._catalog, key, subject, topics, pace=self._pace, hooks=self._hooks
        )
        self._watches[key] = watch
        self._others.notice()
        return watch

    async def _drop(self, watch: Watch) -> None:
        if self._watches.get(watch.key) is watch:
            del self._watches[watch.key]
            if watch.key.kind is ReadKind.IMAGES:
                self._open.close_list(watch.key.scope)
        await watch.stop()
        if not self._watches:
            await self._others.stop_noticing()

    def _wake(self, topics: Sequence[str]) -> None:
        for watch in self._watches.values():
            watch.wake(topics)
