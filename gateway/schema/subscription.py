"""The subscriptions."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from gateway.context import Info
from gateway.schema.inputs import ImageFilter, image_query
from gateway.schema.query import ImageId
from gateway.schema.types.event import ImageEvent
from gateway.subscriptions.watches import Changes

Watched = Annotated[
    ImageFilter | None,
    strawberry.argument(description="Which images to watch: fewer than 1000."),
]


@strawberry.type(
    description=(
        "Changes of images, found by polling Glance. All subscribers"
        " with one token share one poll. A slow client receives the"
        " newest state, not each step. A subscription ends with an"
        " error when Glance rejects the token. It survives an outage"
        " of Glance, of which it notifies the client once: in"
        " `extensions.warnings` of the next event, or in `errors` if"
        " no state is known yet."
    )
)
class Subscription:
    """A table of contents."""

    @strawberry.subscription(
        graphql_type=ImageEvent,
        description=(
            "Changes of one image. First its present state (`SNAPSHOT`),"
            " then an event for each change, and at last `DELETED`, when"
            " it is deleted or the token can no longer see it. `NOT_FOUND`"
            " if there is no such image. By default Glance is polled with"
            " one call every five seconds, and every second while the"
            " image is queued or receives data. Changes made through this"
            " gateway are noticed at once. In an outage the last known"
            " state is sent again."
        ),
    )
    async def image_changed(self, info: Info, id: ImageId) -> Changes:  # noqa: A002
        """Return the image's changes."""
        return info.context.watches.image(info.context.caller, id)

    @strawberry.subscription(
        graphql_type=ImageEvent,
        description=(
            "Changes in a list of images from now on: images that are new"
            " in it, change, or leave it. The whole list is polled, with"
            " one call to Glance for each of its pages: every five seconds"
            " by default, every second while one of its images receives"
            " data, and less often if that takes long. A list may have"
            " fewer than 1000 images: a longer one is `BAD_USER_INPUT`,"
            " also if it grows to that later."
        ),
    )
    async def images_changed(self, info: Info, filter: Watched = UNSET) -> Changes:  # noqa: A002
        """Return the list's changes."""
        query = image_query(filter or None, ())
        return info.context.watches.images(info.context.caller, query)
