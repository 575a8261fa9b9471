"""What a request has made is freed with it, not by a pass for garbage."""

import gc
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
from graphql import ExecutionResult

from gateway.caller import Caller
from gateway.catalog import WantedImage
from gateway.execution.operations import Operations
from gateway.execution.preparation import Prepared
from gateway.identity import Identity
from gateway.loaders import Loaders
from gateway.schema.costs import TABLES
from gateway.schema.root import build_schema
from tests.execution.test_images import DOCUMENTS, IMAGE, TASK, context
from tests.limits.maxima import default_maxima

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("dropped_is_collected")]


@pytest.mark.parametrize("document", ["{ __typename }", *DOCUMENTS.values()])
async def test_execution_leaves_no_cycles(document: str) -> None:
    """Whether something was awaited or not."""
    operations = Operations(build_schema(), TABLES, default_maxima())
    asked = context(IMAGE, TASK)

    async def execute() -> None:
        prepared = operations.prepare(document, None, has_token=True)
        assert isinstance(prepared, Prepared)
        result = operations.execute(prepared, None, asked)
        if not isinstance(result, ExecutionResult):
            await result

    for _ in range(3):
        await execute()
    gc.collect()
    await execute()

    assert gc.collect() == 0


async def test_loaders_leave_no_cycles() -> None:
    """Each of them, once it has loaded."""

    async def no_images(wanted: list[WantedImage]) -> list[Any]:
        return [None for _ in wanted]

    async def no_tasks(_: Caller, ids: list[str]) -> list[Any]:
        return [[] for _ in ids]

    catalog: Any = SimpleNamespace(find_images=no_images, list_images_tasks=no_tasks)
    loaders = Loaders(catalog, Caller(Identity("t"), "req-1", 0))
    for loader in (loaders.image, loaders.tasks_of_image):
        await loader.load("1")
    there = ref(loader), ref(loaders)

    del loader, loaders

    assert [one() for one in there] == [None, None]
