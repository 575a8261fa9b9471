"""The one door from GraphQL to Glance.

Every method raises the GlanceErrors of the calls it makes; what else it
raises is said there.
"""

from collections.abc import Mapping, Sequence

from gateway.glance.client import GlanceClient, fits_tag_route
from gateway.glance.errors import NotFound
from gateway.glance.listing import (
    ImagePage,
    ImageQuery,
    Position,
    images_after,
    next_call,
    position_of,
)
from gateway.glance.patch import Operation, image_patch
from gateway.glance.records import ImageRecord, TaskRecord
from gateway.identity import Caller


class Catalog:
    """Images and their tasks, as one caller at a time may see them."""

    def __init__(self, client: GlanceClient) -> None:
        """Ask Glance through `client`."""
        self._client = client

    async def get_image(self, caller: Caller, image_id: str) -> ImageRecord:
        """Return an image; raises NotFound."""
        return await self._client.get_image(caller, image_id)

    async def find_image(self, caller: Caller, image_id: str) -> ImageRecord | None:
        """Return an image, or None where Glance says that there is none."""
        try:
            return await self.get_image(caller, image_id)
        except NotFound:
            return None

    async def list_images(
        self, caller: Caller, query: ImageQuery, wanted: int, after: Position | None
    ) -> ImagePage:
        """Return the next images, `wanted` of them unless the list ends before.

        Pages of Glance are walked one after the other as far as needed.
        Raises InvalidArgument where Glance cannot continue this order.
        """
        images: list[ImageRecord] = []
        has_more = not query.matches_nothing
        while has_more and len(images) < wanted:
            call = next_call(query, wanted - len(images), after)
            page = await self._client.list_images(caller, query, call)
            page = images_after(call, page)
            images.extend(page.images)
            has_more = page.has_more and bool(page.images)
            after = position_of(images[-1]) if images else None
        return ImagePage(images[:wanted], has_more or len(images) > wanted)

    async def list_image_tasks(
        self, caller: Caller, image_id: str
    ) -> Sequence[TaskRecord]:
        """Return an image's tasks; raises Unsupported where Glance can't."""
        return await self._client.list_image_tasks(caller, image_id)

    async def create_image(
        self, caller: Caller, image: Mapping[str, object]
    ) -> ImageRecord:
        """Create an image and return it; raises Conflict, QuotaExceeded."""
        return await self._client.create_image(caller, image)

    async def update_image(
        self, caller: Caller, image_id: str, patch: Sequence[Operation]
    ) -> ImageRecord:
        """Patch an image and return it; raises NotFound, Conflict, QuotaExceeded."""
        return await self._client.update_image(caller, image_id, patch)

    async def delete_image(self, caller: Caller, image_id: str) -> None:
        """Delete an image; raises NotFound, Forbidden for a protected one."""
        await self._client.delete_image(caller, image_id)

    async def add_tag(
        self, caller: Caller, image_id: str, tag: str
    ) -> ImageRecord | None:
        """Add a tag, a no-op where it is there; raises NotFound, QuotaExceeded.

        Returns the image where Glance's answer holds it. A tag that the tag
        route would mangle takes two calls: a tag that somebody else changes
        between them is overwritten.
        """
        if fits_tag_route(tag):
            await self._client.add_tag(caller, image_id, tag)
            return None
        image = await self.get_image(caller, image_id)
        if tag in image["tags"]:
            return image
        return await self._set_tags(caller, image_id, [*image["tags"], tag])

    async def remove_tag(
        self, caller: Caller, image_id: str, tag: str
    ) -> ImageRecord | None:
        """Remove a tag; raises NotFound for the image and for the tag.

        Returns what `add_tag` does, under the same condition.
        """
        if fits_tag_route(tag):
            await self._client.remove_tag(caller, image_id, tag)
            return None
        image = await self.get_image(caller, image_id)
        if tag not in image["tags"]:
            message = f"Could not remove tag {tag!r} from image {image_id}: not there."
            raise NotFound(message, request_id=caller.request_id)
        tags = [kept for kept in image["tags"] if kept != tag]
        return await self._set_tags(caller, image_id, tags)

    async def _set_tags(
        self, caller: Caller, image_id: str, tags: list[str]
    ) -> ImageRecord:
        patch = image_patch({"tags": tags}, set_properties={}, remove_properties=())
        return await self._client.update_image(caller, image_id, patch)
