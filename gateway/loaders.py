"""What one request has loaded already, and what it loads together."""

import asyncio
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

        async def tasks_of_one(image_id: str) -> Sequence[TaskRecord] | GlanceError:
            try:
                return await catalog.list_image_tasks(caller, image_id)
            except GlanceError as error:
                return error

        async def tasks(ids: list[str]) -> list[Sequence[TaskRecord] | GlanceError]:
            async with asyncio.TaskGroup() as group:
                loading = [group.create_task(tasks_of_one(one)) for one in ids]
            return [task.result() for task in loading]

        self.image = DataLoader[str, ImageRecord | None](images)
        self.tasks_of_image = DataLoader[str, Sequence[TaskRecord]](tasks)
