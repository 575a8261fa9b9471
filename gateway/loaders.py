"""What one request has loaded already, and what it loads together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from gateway.catalog import Catalog
from gateway.glance.errors import GlanceError
from gateway.glance.records import ImageRecord, TaskRecord
from gateway.identity import Caller

Value = TypeVar("Value")


class Loaders:
    """The loaders of one request; equal loads of a request are one.

    At most `fan_out` of their calls are under way at once. A load that fails
    raises its own GlanceError and leaves the others alone.
    """

    def __init__(self, catalog: Catalog, caller: Caller, *, fan_out: int) -> None:
        """Load what `caller` may see through `catalog`."""
        slots = asyncio.Semaphore(fan_out)

        async def images(ids: list[str]) -> list[ImageRecord | GlanceError | None]:
            return await _each(slots, lambda key: catalog.find_image(caller, key), ids)

        async def tasks(ids: list[str]) -> list[Sequence[TaskRecord] | GlanceError]:
            return await _each(
                slots, lambda key: catalog.list_image_tasks(caller, key), ids
            )

        self.image = DataLoader[str, ImageRecord | None](images)
        self.tasks_of_image = DataLoader[str, Sequence[TaskRecord]](tasks)


async def _each(
    slots: asyncio.Semaphore, load: Callable[[str], Awaitable[Value]], keys: list[str]
) -> list[Value | GlanceError]:
    """Return what each key loads, or the GlanceError that it ends with."""

    async def one(key: str) -> Value | GlanceError:
        async with slots:
            try:
                return await load(key)
            except GlanceError as error:
                return error

    async with asyncio.TaskGroup() as group:
        loading = [group.create_task(one(key)) for key in keys]
    return [task.result() for task in loading]
