"""What changed between two polls of the same images. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gateway.cache.policy import FINAL
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord
from gateway.subscriptions.fingerprints import Fingerprints, changed_keys

State = Mapping[str, ImageRecord]

COPYING = "os_glance_importing_to_stores"
RECEIVING_DATA = ("saving", "uploading", "importing")
DELETED = ("deleted", "pending_delete")


class ChangeKind(Enum):
    """What happened to an image."""

    SNAPSHOT = "It is so at present"
    CREATED = "It was not there before"
    UPDATED = "It is not as it was"
    DELETED = "It is not there any more"


@dataclass(frozen=True, slots=True)
class ImageChange:
    """A change of an image, noticed at `at` (RFC 3339).

    `image` is None for a deleted image, and where an event queue holds no record of it;
    `changed` are the keys of the record that differ; `warning` is an outage in which
    earlier changes may have been missed.
    """

    kind: ChangeKind
    image_id: str
    at: str
    image: ImageRecord | None = None
    changed: tuple[str, ...] = ()
    warning: GlanceError | None = None


def changes_between(
    before: Fingerprints, after: Fingerprints, state: State, *, at: str
) -> Sequence[ImageChange]:
    """Return each image's change; `after` and `state` are of the same images."""
    gone = [
        ImageChange(ChangeKind.DELETED, image_id, at)
        for image_id in before
        if image_id not in after
    ]
    return [*_seen(before, after, state, at), *gone]


def snapshots(state: State, *, at: str) -> Sequence[ImageChange]:
    """Return how each image is."""
    return [
        ImageChange(ChangeKind.SNAPSHOT, image_id, at, image)
        for image_id, image in state.items()
    ]


def merged(earlier: ImageChange, later: ImageChange) -> ImageChange | None:
    """Return one change for two of an image, None where they cancel out.

    Who has not heard of the earlier one hears of the newest state alone; to them
    one that went and is back was never gone, and is not as it was.
    """
    if later.kind is ChangeKind.DELETED:
        return None if earlier.kind is ChangeKind.CREATED else later
    if earlier.kind is ChangeKind.DELETED:
        return replace(later, kind=ChangeKind.UPDATED)
    union = tuple(dict.fromkeys(earlier.changed + later.changed))
    changed = union if earlier.kind is ChangeKind.UPDATED else ()
    return replace(later, kind=earlier.kind, changed=changed)


def without_image(change: ImageChange) -> ImageChange:
    """Return the change without the record."""
    return change if change.image is None else replace(change, image=None)


def lacks_image(change: ImageChange) -> bool:
    """Return whether the record has to be polled before the change is sent."""
    return change.image is None and change.kind is not ChangeKind.DELETED


def is_transient(image: ImageRecord) -> bool:
    """Return whether an image has not settled, or is being copied."""
    return image.get("status") not in FINAL or bool(image.get(COPYING))


def is_receiving_data(image: ImageRecord) -> bool:
    """Return whether data of an image is on its way: a queued one may stay so."""
    return image.get("status") in RECEIVING_DATA or bool(image.get(COPYING))


def is_being_deleted(image: ImageRecord) -> bool:
    """Return whether an image is about to be gone.

    Glance sets its status first, and shows it for a moment with that.
    """
    return image.get("status") in DELETED


def _seen(
    before: Fingerprints, after: Fingerprints, state: State, at: str
) -> Iterator[ImageChange]:
    for image_id, image in state.items():
        if image_id not in before:
            yield ImageChange(ChangeKind.CREATED, image_id, at, image)
            continue
        changed = changed_keys(before[image_id], after[image_id])
        if changed:
            yield ImageChange(ChangeKind.UPDATED, image_id, at, image, changed)
