"""One watch: polls Glance, and sends changes to its subscribers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.cache.keys import ReadKey
from gateway.cache.policy import topics_revoked
from gateway.caller import Caller, Directive, new_request_id
from gateway.catalog import Catalog
from gateway.facts import Hook, RefreshFacts, tell
from gateway.glance.errors import (
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    InvalidArgument,
    NotFound,
)
from gateway.subscriptions.changes import State, changes_between, snapshots
from gateway.subscriptions.event_queue import EventQueue
from gateway.subscriptions.fingerprints import Fingerprints, fingerprints
from gateway.subscriptions.subjects import Subject

# One watch takes a fifth of Glance's time at most.
REST_PER_POLL = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to poll; `timeout_seconds` is the longest time for one poll."""

    seconds: float
    transient_seconds: float
    timeout_seconds: float

    def rest_seconds(self, *, is_transient: bool, poll_seconds: float) -> float:
        """Return how long to wait after a poll."""
        seconds = self.transient_seconds if is_transient else self.seconds
        return max(seconds, REST_PER_POLL * poll_seconds)


class Watch:
    """A task that polls until it is stopped, and the queues of its subscribers.

    A poll reads from Glance, not from the cache, and its result is cached for other
    reads.
    """

    def __init__(
        self,
        catalog: Catalog,
        key: ReadKey,
        subject: Subject,
        topics: Sequence[str],
        *,
        pace: Pace,
        hooks: Sequence[Hook],
    ) -> None:
        """Begin to poll; a write that invalidates one of the topics causes a poll."""
        self.key = key
        self.topics = frozenset(topics)
        self._revoking = frozenset(topics_revoked(key.scope))
        self._catalog = catalog
        self._subject = subject
        self._pace = pace
        self._hooks = hooks
        self._event_queues: dict[EventQueue, None] = {}
        self._new_queues: set[EventQueue] = set()
        self._fingerprints: Fingerprints | None = None
        self._kept: State = {}
        self._is_transient = False
        self._is_outdated = False
        self._is_revoked = False
        self._write_versions: Mapping[str, bytes] | None = {}
        self._outage: GlanceError | None = None
        self._poll_seconds = 0.0
        self._is_due = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._stopped)

    @property
    def has_no_subscribers(self) -> bool:
        """Return whether the last subscriber has unsubscribed."""
        return not self._event_queues

    @property
    def has_ended(self) -> bool:
        """Return whether it polls no longer."""
        return self._task.done()

    def join(self) -> EventQueue:
        """Return the queue of a new subscriber, which begins with the current state.

        After a write the state comes with the next poll. In an outage it is the last
        known state, or the outage itself.
        """
        event_queue = EventQueue(self._is_due.set)
        self._event_queues[event_queue] = None
        if self._outage is not None:
            self._warn({event_queue}, self._outage)
        elif self._fingerprints is None or self._is_outdated:
            self._new_queues.add(event_queue)
        else:
            self._send_snapshots({event_queue})
        return event_queue

    def leave(self, event_queue: EventQueue) -> None:
        """Remove the queue of a subscriber."""
        del self._event_queues[event_queue]
        self._new_queues.discard(event_queue)

    def wake(self, topics: Sequence[str]) -> None:
        """Poll at once if a write has invalidated one of the topics."""
        if not self.topics.isdisjoint(topics):
            self._is_outdated = True
            self._is_due.set()
        if not self._revoking.isdisjoint(topics):
            self._is_revoked = True

    def wake_if_written(self, write_versions: Mapping[str, bytes]) -> None:
        """Poll at once if these versions differ from those before the last poll.

        Also if those are unknown, because a shared cache was unavailable.
        """
        known = self._write_versions
        if known is None:
            self.wake([*self.topics])
            return
        self.wake([one for one in known if write_versions.get(one) != known[one]])

    async def stop(self) -> None:
        """Stop polling, and end all subscriptions."""
        self._task.cancel()
        await asyncio.wait([self._task])
        # In Python 3.11 a task refers to its exception, whose frames refer to the
        # task and to this watch: a cycle.
        with suppress(asyncio.CancelledError):
            self._task.exception()

    async def _run(self) -> None:
        try:
            while True:
                self._is_due.clear()
                await self._poll()
                await self._rest()
        except NotFound as error:
            if self._fingerprints is None:
                self._end(error.with_traceback(None))
                return
            for event_queue in self._new_queues:
                event_queue.end(error)
            await self._publish({})
        except (GlanceError, InvalidArgument) as failure:
            # Its traceback would keep this watch and its records in memory.
            self._end(failure.with_traceback(None))

    async def _poll(self) -> None:
        """Poll once; an outage is reported once, and does not end the watch."""
        self._write_versions = await self._catalog.write_versions(self.topics)
        clock = asyncio.get_running_loop().time
        began_at = clock()
        deadline_at = began_at + self._pace.timeout_seconds
        # Later, what has changed is invalidated once it is found.
        directive = Directive.NO_CACHE if self._fingerprints is None else Directive.POLL
        caller = Caller(self.key.identity, new_request_id(), deadline_at, directive)
        try:
            state = await self._subject.poll(caller)
        except (GlanceUnavailable, GlanceTimeout) as outage:
            self._poll_seconds = 0.0
            self._begin_outage(outage.with_traceback(None))
        else:
            self._poll_seconds = clock() - began_at
            await self._publish(state)
        finally:
            scope, calls = self.key.scope, caller.counters.calls
            tell(self._hooks, lambda: RefreshFacts(scope, calls))

    async def _publish(self, state: State) -> None:
        """Send what has changed, and invalidate its cache entries."""
        known = self._fingerprints
        found = fingerprints(state.values(), known or {})
        before = found if known is None else known
        changes = changes_between(before, found, state, at=_now())
        if changes:
            await self._catalog.outdate([change.image_id for change in changes])
        for event_queue in self._event_queues.keys() - self._new_queues:
            event_queue.put(changes, state)
        self._fingerprints, self._outage = found, None
        self._kept = self._subject.kept(state)
        self._is_transient = self._subject.will_change_soon(state)
        self._send_snapshots({*self._new_queues})
        self._is_outdated = self._is_due.is_set()
        self._is_revoked = self._is_revoked and self._is_due.is_set()

    def _begin_outage(self, outage: GlanceError) -> None:
        """Notify all subscribers of an outage that begins."""
        if self._outage is None:
            self._outage = outage
            self._warn({*self._event_queues}, outage)

    def _warn(self, event_queues: set[EventQueue], outage: GlanceError) -> None:
        """Notify subscribers of an outage, with the last known state if there is one.

        After Glance has rejected the token, that state is not sent.
        """
        if self._fingerprints is None or self._is_revoked:
            self._new_queues |= event_queues
            for event_queue in event_queues:
                event_queue.fail(outage)
            return
        for event_queue in event_queues:
            event_queue.warn(outage)
        self._send_snapshots(event_queues)

    def _send_snapshots(self, event_queues: set[EventQueue]) -> None:
        state = snapshots(self._kept, at=_now())
        for event_queue in event_queues:
            event_queue.put(state, self._kept)
        self._new_queues -= event_queues

    async def _rest(self) -> None:
        """Wait until the next poll is due, or a write causes one."""
        seconds = self._pace.rest_seconds(
            is_transient=self._is_transient, poll_seconds=self._poll_seconds
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_due.wait()

    def _stopped(self, task: asyncio.Task[None]) -> None:
        self._end(None if task.cancelled() else task.exception())

    def _end(self, failure: BaseException | None) -> None:
        for event_queue in self._event_queues:
            event_queue.end(failure)


def _now() -> str:
    now = datetime.now(UTC).replace(tzinfo=None)
    return f"{now.isoformat(timespec='milliseconds')}Z"
