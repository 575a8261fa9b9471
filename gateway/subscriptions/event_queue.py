"""What a subscriber has not read yet: the newest state, not a queue."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import NoReturn

from gateway.glance.errors import GlanceError, Unauthenticated
from gateway.subscriptions.changes import (
    ImageChange,
    State,
    lacks_image,
    merged,
    without_image,
)

# The records of a list of 900 images take 2.4 MB.
MAX_RECORDS = 100

Event = ImageChange | GlanceError


class EventQueue:
    """The unread changes of one subscriber, merged into one for each image.

    The first MAX_RECORDS changes hold their image's record. Later ones get it from
    a poll, which `poll` requests when the subscriber reaches them.
    """

    def __init__(self, poll: Callable[[], None]) -> None:
        """Begin empty."""
        self._poll = poll
        self._changes: dict[str, ImageChange] = {}
        self._warning: GlanceError | None = None
        self._outage: GlanceError | None = None
        self._failure: BaseException | None = None
        self._has_ended = False
        self._has_event = asyncio.Event()

    def put(self, changes: Iterable[ImageChange], state: State) -> None:
        """Keep changes until they are taken; an outage that was not taken is over.

        `state` is the state after the changes.
        """
        self._outage = None
        for change in changes:
            earlier = self._changes.pop(change.image_id, None)
            event = change if earlier is None else merged(earlier, change)
            if event is not None:
                self._changes[event.image_id] = event
        self._hold_records(state)
        self._has_event.set()

    def warn(self, outage: GlanceError) -> None:
        """Mark the next change that is taken."""
        self._warning = outage

    def fail(self, outage: GlanceError) -> None:
        """Let nothing be taken but the outage, once, until there is more."""
        self._outage = outage
        self._has_event.set()

    def end(self, failure: BaseException | None) -> None:
        """End after the unread changes, with the failure if there is one.

        A rejected token ends it at once. A no-op where it has ended already.
        """
        if self._has_ended:
            return
        if isinstance(failure, Unauthenticated):
            self._changes.clear()
        self._has_ended, self._failure = True, failure
        self._has_event.set()

    async def take(self) -> Event | None:
        """Return the oldest change, or an outage, as soon as there is one.

        None at the end; raises the failure that ended it.
        """
        while (change := self._next()) is None:
            if self._outage is not None:
                outage, self._outage = self._outage, None
                # Each subscriber raises it, which extends its traceback.
                return outage.with_traceback(None)
            if self._failure is not None:
                self._raise(self._failure)
            if self._has_ended:
                return None
            if self._changes:
                self._poll()
            self._has_event.clear()
            await self._has_event.wait()
        del self._changes[change.image_id]
        warning, self._warning = self._warning, None
        return change if warning is None else replace(change, warning=warning)

    def _raise(self, failure: BaseException) -> NoReturn:
        """Raise the failure without a reference cycle through its frames."""
        self._failure = None
        try:
            raise failure
        finally:
            del failure

    def _next(self) -> ImageChange | None:
        """Return the oldest change, None if there is none or it lacks its record."""
        change = next(iter(self._changes.values()), None)
        return None if change is None or lacks_image(change) else change

    def _hold_records(self, state: State) -> None:
        """Add their records to the first changes, and remove those of the others."""
        for change in islice(self._changes.values(), MAX_RECORDS):
            record = state.get(change.image_id)
            if record is not None and lacks_image(change):
                self._changes[change.image_id] = replace(change, image=record)
        for change in islice([*self._changes.values()], MAX_RECORDS, None):
            self._changes[change.image_id] = without_image(change)
