"""Large results of one client let others run between their parts."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.execution import turns
from gateway.execution.operations import Operations
from gateway.execution.preparation import Prepared
from gateway.glance.listing import ImagePage
from gateway.schema.costs import TABLES
from gateway.schema.root import build_schema
from tests.execution.test_images import IMAGE
from tests.limits.maxima import default_maxima

pytestmark = pytest.mark.anyio

LISTS = 30
FIELDS = " ".join(f"a{number}: images {{ nodes {{ id }} }}" for number in range(LISTS))
DOCUMENT = f"{{ {FIELDS} }}"


class Catalog:
    """Has lists that all come at once, when the last one is awaited."""

    def __init__(self) -> None:
        """Wait with them."""
        self.have_come = asyncio.Event()
        self.awaited = 0

    async def list_images(self, *_: object) -> ImagePage:
        """Return a list as soon as all come."""
        self.awaited += 1
        if self.awaited == LISTS:
            self.have_come.set()
        await self.have_come.wait()
        images: Any = [IMAGE]
        return ImagePage(images, has_more=False)


async def iterations() -> tuple[int, object]:
    """Return how often others ran while the lists were completed, and the result."""
    operations = Operations(build_schema(), TABLES, default_maxima())
    catalog = Catalog()
    prepared = operations.prepare(DOCUMENT, None, has_token=True)
    assert isinstance(prepared, Prepared)
    begun: Any = operations.execute(
        prepared, None, SimpleNamespace(catalog=catalog, caller=None)
    )
    executing = asyncio.ensure_future(begun)
    count = 0
    while not executing.done():
        count += 1
        await asyncio.sleep(0)
    return count, executing.result().data


async def test_lists_that_come_at_once_are_completed_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each iteration of the loop completes what fits into its slice."""
    monkeypatch.setattr(turns, "SLICE_SECONDS", 3600)
    at_once, expected = await iterations()
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0)
    in_turns, data = await iterations()

    assert at_once < LISTS
    assert in_turns >= LISTS
    assert data == expected
