"""What a client can subscribe to: one image, or a list."""

from typing import Protocol

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import InvalidArgument, NotFound
from gateway.glance.listing import PAGE_MAX_IMAGES, ImageQuery
from gateway.subscriptions.changes import (
    State,
    is_being_deleted,
    is_receiving_data,
    is_transient,
)


class Subject(Protocol):
    """What is polled."""

    async def poll(self, caller: Caller) -> State:
        """Return the images that there are; raises GlanceErrors, InvalidArgument.

        NotFound means that there is nothing, and will not be again.
        """

    def kept(self, state: State) -> State:
        """Return the images that a new subscriber is sent first."""

    def will_change_soon(self, state: State) -> bool:
        """Return whether it will change soon."""


class OneImage:
    """An image until it is gone."""

    def __init__(self, catalog: Catalog, image_id: str) -> None:
        """Poll the image through `catalog`."""
        self._catalog = catalog
        self._image_id = image_id

    async def poll(self, caller: Caller) -> State:
        """Return the image; raises NotFound where there is none, or none any more."""
        image = await self._catalog.get_image(caller, self._image_id)
        if is_being_deleted(image):
            message = f"Image {self._image_id} is being deleted."
            raise NotFound(message, request_id=caller.request_id)
        return {self._image_id: image}

    def kept(self, state: State) -> State:
        """Return the image."""
        return state

    def will_change_soon(self, state: State) -> bool:
        """Return whether its status is transient."""
        return any(map(is_transient, state.values()))


class ImageList:
    """The images that match a query, fewer than 1000."""

    def __init__(self, catalog: Catalog, query: ImageQuery) -> None:
        """Poll the list through `catalog`."""
        self._catalog = catalog
        self._query = query

    async def poll(self, caller: Caller) -> State:
        """Return the images that have ids; raises InvalidArgument for too many."""
        page = await self._catalog.list_images(
            caller, self._query, PAGE_MAX_IMAGES, None
        )
        if page.has_more:
            reason = f"matches {PAGE_MAX_IMAGES} images or more: watch fewer"
            raise InvalidArgument("filter", reason)
        return {
            image["id"]: image
            for image in page.images
            if "id" in image and not is_being_deleted(image)
        }

    def kept(self, state: State) -> State:
        """Return no images: the records of a list take megabytes."""
        del state
        return {}

    def will_change_soon(self, state: State) -> bool:
        """Return whether any image is receiving data."""
        return any(map(is_receiving_data, state.values()))
