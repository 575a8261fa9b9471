"""What one request has loaded already, and what it loads together."""

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from gateway.caller import Caller
from gateway.catalog import Catalog
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, TaskRecord


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

        self.image = DataLoader[str, ImageRecord | None](images)
        self.tasks_of_image = DataLoader[str, Sequence[TaskRecord]](tasks)
