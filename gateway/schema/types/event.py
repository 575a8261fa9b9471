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
from gateway.subscriptions.changes import ImageChange

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


@strawberry.type(description="An event of a subscription: what happened to an image.")
class ImageEvent:
    """An event of a subscription; its source is an ImageChange."""

    kind: ImageEventKind = resolved(_kind, "What happened to the image.")
    id: ID = resolved(_id, "The image's id.")
    image: Image | None = resolved(
        _image, ("The image in its present state. Null if `kind` is `DELETED`.")
    )
    changed: list[str] = resolved(
        _changed,
        (
            "If `kind` is `UPDATED`: what has changed since the last"
            " event of this image, as names of `Image`'s fields and of"
            " additional properties. `updatedAt` is listed only if nothing"
            " else has changed; `statusRaw` and `visibilityRaw` are never"
            " listed. Empty if the image left the list and came back"
            " before a `DELETED` event was sent. Empty for all other"
            " kinds."
        ),
    )
    at: datetime = strawberry.field(description="When the gateway noticed it.")
