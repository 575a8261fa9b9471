"""What one request has loaded already, and what it loads together."""

from collections.abc import Sequence

from propcache.api import cached_property
from strawberry.dataloader import DataLoader

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord


class Loaders:
    """The loaders of one request, each made when first used.

    Equal loads of a request are one. A load that fails raises its own
    GlanceError and leaves the others alone.
    """

    def __init__(self, catalog: Catalog, caller: Caller) -> None:
        """Load what `caller` may see through `catalog`."""
        self._catalog = catalog
        self._caller = caller

    @cached_property
    def image(self) -> DataLoader[str, ImageRecord | None]:
        """Return the loader of images by id, None where there is none."""
        return DataLoader(self._images)

    @cached_property
    def tasks_of_image(self) -> DataLoader[str, Sequence[TaskRecord]]:
        """Return the loader of an image's tasks by its id."""
        return DataLoader(self._tasks)

    @cached_property
    def store(self) -> DataLoader[str, StoreRecord | None]:
        """Return the loader of stores by id, None where there is none."""
        return DataLoader(self._stores)

    async def _images(
        self, ids: list[str]
    ) -> Sequence[ImageRecord | GlanceError | None]:
        return await self._catalog.find_images(self._caller, ids)

    async def _tasks(
        self, ids: list[str]
    ) -> Sequence[Sequence[TaskRecord] | GlanceError]:
        return await self._catalog.list_images_tasks(self._caller, ids)

    async def _stores(
        self, ids: list[str]
    ) -> Sequence[StoreRecord | GlanceError | None]:
        try:
            stores = await self._catalog.list_stores(self._caller)
        except GlanceError as error:
            return [error] * len(ids)
        known = {store["id"]: store for store in stores}
        return [known.get(one) for one in ids]
