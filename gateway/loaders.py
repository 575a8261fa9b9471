"""What one request has loaded already, and what it loads together."""

from collections.abc import Sequence
from functools import partial

from propcache.api import cached_property
from strawberry.dataloader import DataLoader

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord


class Loaders:
    """The loaders of one request, each made when first used.

    Equal loads of a request are one. A load that fails raises its own
    GlanceError and leaves the others alone. No loader refers back to this: what
    a request has made is freed with it, and not by a pass for garbage.
    """

    def __init__(self, catalog: Catalog, caller: Caller) -> None:
        """Load what `caller` may see through `catalog`."""
        self._catalog = catalog
        self._caller = caller

    @cached_property
    def image(self) -> DataLoader[str, ImageRecord | None]:
        """Return the loader of images by id, None where there is none."""
        return DataLoader(partial(self._catalog.find_images, self._caller))

    @cached_property
    def tasks_of_image(self) -> DataLoader[str, Sequence[TaskRecord]]:
        """Return the loader of an image's tasks by its id."""
        return DataLoader(partial(self._catalog.list_images_tasks, self._caller))

    @cached_property
    def store(self) -> DataLoader[str, StoreRecord | None]:
        """Return the loader of stores by id, None where there is none."""
        return DataLoader(partial(_stores, self._catalog, self._caller))


async def _stores(
    catalog: Catalog, caller: Caller, ids: Sequence[str]
) -> Sequence[StoreRecord | GlanceError | None]:
    try:
        stores = await catalog.list_stores(caller)
    except GlanceError as error:
        return [error] * len(ids)
    known = {store["id"]: store for store in stores}
    return [known.get(one) for one in ids]
