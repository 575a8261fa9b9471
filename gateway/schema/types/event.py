"""What happened to an image, as a subscription tells it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry
from strawberry import ID, Parent

from gateway.glance.records import IMAGE_ATTRIBUTES, ImageRecord
from gateway.schema.names import field_name
from gateway.schema.types.enums import ImageEventKind
from gateway.schema.types.image import Image
from gateway.schema.types.resolved import resolved
from gateway.watching.changes import ImageChange

# The fields that are made of several keys of Glance's, or of another one.
_FIELDS = {"os_hash_algo": "hash", "os_hash_value": "hash"}


def _kind(change: Parent[ImageChange]) -> ImageEventKind:
    return ImageEventKind[change.kind.name]


def _id(change: Parent[ImageChange]) -> str:
    return change.image_id


def _image(change: Parent[ImageChange]) -> ImageRecord | None:
    return change.image


def _changed(change: Parent[ImageChange]) -> Sequence[str]:
    return sorted({_name(key) for key in change.changed})


def _name(key: str) -> str:
    """Return the field that shows the key; a property is its own name."""
    if key not in IMAGE_ATTRIBUTES:
        return key
    return _FIELDS.get(key) or field_name(key)


@strawberry.type(description="What happened to an image.")
class ImageEvent:
    """An event of a subscription; its source is an ImageChange."""

    kind: ImageEventKind = resolved(_kind, "What happened.")
    id: ID = resolved(_id, "The image.")
    image: Image | None = resolved(
        _image, "The image as it is now; null once it is gone."
    )
    changed: list[str] = resolved(
        _changed,
        (
            "What differs since the last event of this image, where it is `UPDATED`:"
            " names of `Image`'s fields and, of additional properties, their own."
            " `updatedAt` is named only where nothing else differs; raw twins are not."
            " Empty where it had left a list and is back before that was told."
        ),
    )
    at: datetime = strawberry.field(description="When the gateway saw it.")
