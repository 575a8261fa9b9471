"""What a write makes of the cache, by how it ended. Pure.

Nobody can invalidate what others have cached by writes that fail: what Glance
tells one caller of an image says nothing of what it tells another one.
"""

from dataclasses import dataclass
from http import HTTPStatus

from gateway.cache.keys import ReadKind, read_key
from gateway.cache.policy import topics_revoked, topics_written
from gateway.glance.errors import (
    Conflict,
    GlanceError,
    GlanceTimeout,
    GlanceUnavailable,
    Gone,
    NotFound,
    Unauthenticated,
)
from gateway.identity import Identity


@dataclass(frozen=True, slots=True)
class Invalidation:
    """What is true no longer, and what is shown as stale in an outage alone.

    `own` are topics of the caller's reads that Glance has contradicted.
    """

    renewed: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


NOTHING = Invalidation()


def after_success(image_id: str) -> Invalidation:
    """Return what a write that Glance accepted invalidates, for everybody."""
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
    match error:
        case Unauthenticated():
            return Invalidation(renewed=topics_revoked(identity.scope))
        case NotFound() | Conflict() | Gone():
            return Invalidation(own=_own_topics(identity, image_id))
        case GlanceUnavailable() | GlanceTimeout():
            return _after_no_answer(error.status, image_id)
        case _:
            return NOTHING


def _after_no_answer(status: int | None, image_id: str) -> Invalidation:
    """Return what a write invalidates that Glance has not clearly rejected.

    A success that cannot be read is one; 429 is an answer of what stands before
    Glance (RFC 6585, section 4).
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NOTHING
    if status is not None and status // 100 == 2:  # noqa: PLR2004 - 2xx
        return after_success(image_id)
    return after_open_outcome(image_id)


def _own_topics(identity: Identity, image_id: str) -> tuple[str, ...]:
    """Return the topics of the identity's reads of an image, however it is spelt."""
    return tuple(
        read_key(identity, kind, spelling).text
        for kind in (ReadKind.IMAGE, ReadKind.TASKS)
        for spelling in dict.fromkeys((image_id, image_id.lower()))
    )
