"""What one request has loaded already, and what it loads together."""

import asyncio
from collections.abc import Sequence
from functools import partial

from propcache.api import cached_property
from strawberry.dataloader import DataLoader

from gateway.caller import Budget, Caller
from gateway.catalog import Catalog, WantedImage
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord

Stores = Sequence[StoreRecord]


class Loaders:
    """The loaders of one request, each made when first used.

    Equal loads of a request are one. A load that fails raises its own
    GlanceError and leaves the others alone. No loader refers back to this: what
    a request has made is freed with it, and not by a pass for garbage.
    """

    def __init__(
        self, catalog: Catalog, caller: Caller, together: "Together | None" = None
    ) -> None:
        """Load what `caller` may see, together with the requests it came with."""
        self._catalog = catalog
        self._caller = caller
        self._together = together

    @cached_property
    def image(self) -> DataLoader[str, ImageRecord | None]:
        """Return the loader of images by id, None where there is none."""
        if self._together is None:
            return DataLoader(partial(_images, self._catalog, self._caller))
        images = self._together.images
        return DataLoader(partial(_images_together, images, self._caller))

    @cached_property
    def tasks_of_image(self) -> DataLoader[str, Sequence[TaskRecord] | None]:
        """Return the loader of an image's tasks by its id, None if it is gone."""
        return DataLoader(partial(self._catalog.list_images_tasks, self._caller))

    @cached_property
    def store(self) -> DataLoader[str, StoreRecord | None]:
        """Return the loader of stores by id, None where there is none."""
        return DataLoader(partial(_stores, self.stores))

    @cached_property
    def stores(self) -> "DataLoader[None, Stores]":
        """Return the loader of all stores, which are read once in a request."""
        return DataLoader(partial(_all_stores, self._catalog, self._caller))


class Together:
    """What the requests of one list share: time, calls, and loads of images.

    Each still loads on its own account, and sees what it would see alone.
    """

    def __init__(self, catalog: Catalog, deadline_at: float, budget: Budget) -> None:
        """End the time at `deadline_at`, by the running loop's clock."""
        self.deadline_at = deadline_at
        self.budget = budget
        self.images: DataLoader[WantedImage, ImageRecord | None] = DataLoader(
            catalog.find_images, cache=False
        )


async def _images(
    catalog: Catalog, caller: Caller, ids: Sequence[str]
) -> Sequence[ImageRecord | GlanceError | None]:
    return await catalog.find_images([(caller, image_id) for image_id in ids])


async def _images_together(
    images: DataLoader[WantedImage, ImageRecord | None],
    caller: Caller,
    ids: Sequence[str],
) -> Sequence[ImageRecord | BaseException | None]:
    loads = [images.load((caller, image_id)) for image_id in ids]
    return await asyncio.gather(*loads, return_exceptions=True)


async def _stores(
    loader: "DataLoader[None, Stores]", ids: Sequence[str]
) -> Sequence[StoreRecord | GlanceError | None]:
    try:
        stores = await loader.load(None)
    except GlanceError as error:
        return [error] * len(ids)
    known = {store["id"]: store for store in stores if "id" in store}
    return [known.get(one) for one in ids]


async def _all_stores(
    catalog: Catalog, caller: Caller, _: Sequence[None]
) -> Sequence[Stores | GlanceError]:
    try:
        return [await catalog.list_stores(caller)]
    except GlanceError as error:
        return [error]
