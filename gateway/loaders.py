"""What one request has loaded already, and what it loads together."""

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, StoreRecord, TaskRecord


class Loaders:
    """The loaders of one request; equal loads of a request are one.

    A load that fails raises its own GlanceError and leaves the others alone.
    """

    def __init__(self, catalog: Catalog, caller: Caller) -> None:
        """Load what `caller` may see through `catalog`."""

        async def images(ids: list[str]) -> Sequence[ImageRecord | GlanceError | None]:
            return await catalog.find_images(caller, ids)

        async def tasks(ids: list[str]) -> Sequence[Sequence[TaskRecord] | GlanceError]:
            return await catalog.list_images_tasks(caller, ids)

        async def stores(ids: list[str]) -> Sequence[StoreRecord | GlanceError | None]:
            try:
                known = {one["id"]: one for one in await catalog.list_stores(caller)}
            except GlanceError as error:
                return [error] * len(ids)
            return [known.get(one) for one in ids]

        self.image = DataLoader[str, ImageRecord | None](images)
        self.store = DataLoader[str, StoreRecord | None](stores)
        self.tasks_of_image = DataLoader[str, Sequence[TaskRecord]](tasks)
