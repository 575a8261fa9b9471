"""Which cache entries a write invalidates, by how it ended. Pure.

A write that Glance rejects invalidates only entries of its own caller. Glance's
response to one caller says nothing about its responses to others, and callers
cannot empty each other's cache by writes that fail.
"""

from dataclasses import dataclass, replace

from gateway.cache.keys import ReadKind, read_key
from gateway.cache.policy import topics_revoked, topics_written
from gateway.glance.errors import (
    Conflict,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    Gone,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from gateway.identity import Identity


@dataclass(frozen=True, slots=True)
class Invalidation:
    """The topics that a write invalidates.

    `renewed` topics: their entries are invalid, for all identities. `doubted`
    topics: their entries are used only in an outage, as stale ones. `own` topics:
    those of the caller's own reads, which Glance has contradicted.
    """

    renewed: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


NOTHING = Invalidation()


def after_success(image_id: str) -> Invalidation:
    """Return what a write that Glance accepted invalidates."""
    return Invalidation(renewed=topics_written(image_id))


def after_open_outcome(image_id: str) -> Invalidation:
    """Return what a write that Glance may have accepted invalidates."""
    return Invalidation(doubted=topics_written(image_id))


def after_failure(
    error: GlanceError, identity: Identity, image_id: str
) -> Invalidation:
    """Return what a write that failed invalidates."""
    if not error.was_sent:
        return NOTHING
    rejected = _after_rejection(error, identity, image_id)
    if error.was_sent_before:
        return replace(rejected, doubted=topics_written(image_id))
    return rejected


def _after_rejection(
    error: GlanceError, identity: Identity, image_id: str
) -> Invalidation:
    match error:
        case Unauthenticated():
            return Invalidation(renewed=topics_revoked(identity.scope))
        case NotFound() | Conflict() | Gone():
            return Invalidation(own=_own_topics(identity, image_id))
        case TooManyRequests():
            return NOTHING
        case GlanceUnavailable() | GlanceTimeout():
            return _after_outage(error.status, image_id)
        case _:
            return NOTHING


def _after_outage(status: int | None, image_id: str) -> Invalidation:
    """Return what a write invalidates that Glance may have accepted.

    A success with an unreadable body is a success.
    """
    if status is not None and status // 100 == 2:  # noqa: PLR2004 - 2xx
        return after_success(image_id)
    return after_open_outcome(image_id)


def _own_topics(identity: Identity, image_id: str) -> tuple[str, ...]:
    """Return the topics of the identity's reads of an image, in both spellings."""
    return tuple(
        read_key(identity, kind, spelling).text
        for kind in (ReadKind.IMAGE, ReadKind.TASKS)
        for spelling in dict.fromkeys((image_id, image_id.lower()))
    )
