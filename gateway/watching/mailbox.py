"""What a subscriber has not read yet: the newest state, not a queue."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from gateway.glance.errors import GlanceError, Unauthenticated
from gateway.watching.changes import ImageChange, merged

News = ImageChange | GlanceError


class Mailbox:
    """One place for each image; changes of an image that wait there become one."""

    def __init__(self) -> None:
        """Begin empty."""
        self._changes: dict[str, ImageChange] = {}
        self._warning: GlanceError | None = None
        self._outage: GlanceError | None = None
        self._failure: BaseException | None = None
        self._has_ended = False
        self._has_news = asyncio.Event()

    def put(self, changes: Iterable[ImageChange]) -> None:
        """Keep changes until they are taken; an outage that is not is over."""
        self._outage = None
        for change in changes:
            earlier = self._changes.pop(change.image_id, None)
            news = change if earlier is None else merged(earlier, change)
            if news is not None:
                self._changes[news.image_id] = news
        self._has_news.set()

    def warn(self, outage: GlanceError) -> None:
        """Mark the next change that is taken."""
        self._warning = outage

    def fail(self, outage: GlanceError) -> None:
        """Let nothing be taken but the outage, once, until there is more."""
        self._outage = outage
        self._has_news.set()

    def end(self, failure: BaseException | None) -> None:
        """Let nothing follow what is here, but the failure; once.

        Of a rejected token nothing is shown that waits here.
        """
        if self._has_ended:
            return
        if isinstance(failure, Unauthenticated):
            self._changes.clear()
        self._has_ended, self._failure = True, failure
        self._has_news.set()

    async def take(self) -> News | None:
        """Return the oldest change, or an outage, as soon as there is one.

        None at the end; raises the failure that ended it.
        """
        while not self._changes:
            if self._outage is not None:
                outage, self._outage = self._outage, None
                # It is raised for every subscriber, and each raise adds to it.
                return outage.with_traceback(None)
            if self._failure is not None:
                raise self._failure
            if self._has_ended:
                return None
            self._has_news.clear()
            await self._has_news.wait()
        change = self._changes.pop(next(iter(self._changes)))
        warning, self._warning = self._warning, None
        return change if warning is None else replace(change, warning=warning)
