"""What changed between two looks at the same images. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gateway.cache.policy import SETTLED
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord

State = Mapping[str, ImageRecord]

TIMED = "updated_at"
COPYING = "os_glance_importing_to_stores"
IN_MOTION = ("saving", "uploading", "importing")


class ChangeKind(Enum):
    """What happened to an image."""

    SNAPSHOT = "It is so at present"
    CREATED = "It was not there before"
    UPDATED = "It is not as it was"
    DELETED = "It is not there any more"


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What happened to an image, seen at `at` (RFC 3339).

    `image` is None once it is gone; `changed` are the keys of the record that
    differ; `warning` is an outage that may have hidden what came before.
    """

    kind: ChangeKind
    image_id: str
    at: str
    image: ImageRecord | None = None
    changed: tuple[str, ...] = ()
    warning: GlanceError | None = None


def changes_between(before: State, after: State, *, at: str) -> Sequence[ImageChange]:
    """Return what happened to each image, an unchanged one costing nothing."""
    return [*_seen(before, after, at), *_gone(before, after, at)]


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


def is_on_its_way(image: ImageRecord) -> bool:
    """Tell whether an image has not settled, or is being copied."""
    return image.get("status") not in SETTLED or bool(image.get(COPYING))


def is_in_motion(image: ImageRecord) -> bool:
    """Tell whether data of an image is on its way: a queued one may stay so."""
    return image.get("status") in IN_MOTION or bool(image.get(COPYING))


def changed_keys(before: ImageRecord, after: ImageRecord) -> tuple[str, ...]:
    """Return the keys whose values differ; that of its time only where alone.

    A missing value is null. The time has seconds, so it may stay the same where
    another value does not.
    """
    if before == after:
        return ()
    old: Mapping[str, object] = {**before}
    new: Mapping[str, object] = {**after}
    keys = tuple(
        key
        for key in {**new, **old}
        if _unordered(key, old.get(key)) != _unordered(key, new.get(key))
    )
    return tuple(key for key in keys if key != TIMED) or keys


def _seen(before: State, after: State, at: str) -> Iterator[ImageChange]:
    for image_id, image in after.items():
        if image_id not in before:
            yield ImageChange(ChangeKind.CREATED, image_id, at, image)
            continue
        changed = changed_keys(before[image_id], image)
        if changed:
            yield ImageChange(ChangeKind.UPDATED, image_id, at, image, changed)


def _gone(before: State, after: State, at: str) -> Iterator[ImageChange]:
    for image_id in before:
        if image_id not in after:
            yield ImageChange(ChangeKind.DELETED, image_id, at)


def _unordered(key: str, value: object) -> object:
    """Return the value without the order that Glance does not keep."""
    if key == "tags" and isinstance(value, list):
        return sorted(map(str, value))
    if key == "stores" and isinstance(value, str):
        return sorted(value.split(","))
    return value
