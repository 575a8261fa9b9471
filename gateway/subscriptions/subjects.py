"""What can be watched: one image, or a list."""

from typing import Protocol

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import InvalidArgument, NotFound
from gateway.glance.listing import PAGE_MAX_IMAGES, ImageQuery
from gateway.subscriptions.changes import (
    State,
    is_being_deleted,
    is_in_motion,
    is_on_its_way,
)


class Subject(Protocol):
    """What is looked at again and again."""

    async def look(self, caller: Caller) -> State:
        """Return the images that there are; raises GlanceErrors, InvalidArgument.

        NotFound means that there is nothing, and will not be again.
        """

    def kept(self, state: State) -> State:
        """Return the images that a new subscriber is sent first."""

    def is_moving(self, state: State) -> bool:
        """Return whether it will change soon."""


class OneImage:
    """An image until it is gone."""

    def __init__(self, catalog: Catalog, image_id: str) -> None:
        """Look at the image through `catalog`."""
        self._catalog = catalog
        self._image_id = image_id

    async def look(self, caller: Caller) -> State:
        """Return the image; raises NotFound where there is none, or none any more."""
        image = await self._catalog.get_image(caller, self._image_id)
        if is_being_deleted(image):
            message = f"Image {self._image_id} is being deleted."
            raise NotFound(message, request_id=caller.request_id)
        return {self._image_id: image}

    def kept(self, state: State) -> State:
        """Return the image."""
        return state

    def is_moving(self, state: State) -> bool:
        """Return whether it is on its way."""
        return any(map(is_on_its_way, state.values()))


class ImageList:
    """The images that match a query, fewer than 1000."""

    def __init__(self, catalog: Catalog, query: ImageQuery) -> None:
        """Look at the list through `catalog`."""
        self._catalog = catalog
        self._query = query

    async def look(self, caller: Caller) -> State:
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

    def is_moving(self, state: State) -> bool:
        """Return whether data of any image is on its way."""
        return any(map(is_in_motion, state.values()))
