"""The subscriptions."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from gateway.context import Info
from gateway.schema.inputs import ImageFilter, image_query
from gateway.schema.query import ImageId
from gateway.schema.types.event import ImageEvent
from gateway.watching.watches import Changes

Watched = Annotated[
    ImageFilter | None,
    strawberry.argument(description="Which images: fewer than 1000."),
]


@strawberry.type(
    description=(
        "What can be watched. However many subscribers a token has for the same, Glance"
        " is asked once each time. Who reads slowly is told the newest state, not each"
        " step. A subscription ends with an error when the token stops working; while"
        " Glance is away it goes on, and says so once: in `extensions.warnings` of what"
        " is told next, or, where nothing is known yet, in `errors`."
    )
)
class Subscription:
    """A table of contents."""

    @strawberry.subscription(
        graphql_type=ImageEvent,
        description=(
            "An image: first its present state, then each change, at last its deletion"
            " (or that the token sees it no more), which is the end. `NOT_FOUND` where"
            " there is none. One call to Glance each time, every second while the image"
            " is on its way, else every five; what is changed through this gateway is"
            " told at once. In an outage its last known state is told again, or an"
            " error where there is none, and it goes on."
        ),
    )
    async def image_changed(self, info: Info, id: ImageId) -> Changes:  # noqa: A002
        """Return the image's changes."""
        return info.context.watches.image(info.context.caller, id)

    @strawberry.subscription(
        graphql_type=ImageEvent,
        description=(
            "A list of images, from now on: which appear in it, change and go. The"
            " whole list is read each time, with one call to Glance for each of its"
            " pages: as often as for `imageChanged`, a queued image counting as"
            " settled, and less where it takes long. A list of 1000 images or more is"
            " `BAD_USER_INPUT`, also once it has become one."
        ),
    )
    async def images_changed(self, info: Info, filter: Watched = UNSET) -> Changes:  # noqa: A002
        """Return the list's changes."""
        query = image_query(filter or None, ())
        return info.context.watches.images(info.context.caller, query)
