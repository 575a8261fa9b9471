"""Images and tasks of our own schema are answered as by graphql-core."""

import asyncio
from types import SimpleNamespace

import pytest
from graphql import parse

from gateway.glance.listing import ImagePage
from gateway.schema.root import build_schema
from tests.execution.comparison import Case, Comparison
from tests.execution.hostile import HOSTILE

# graphql-core itself drops what it has not begun when something beside it fails.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.usefixtures("dropped_is_collected"),
]

TASK: dict[str, object] = {
    "id": "t1",
    "type": "import",
    "status": "newer",
    "input": {"b": [1], "a": None},
    "created_at": "2026-01-31T12:00:00",
    "updated_at": "2026-01-31T12:00:00",
}
IMAGE: dict[str, object] = {
    "id": "i1",
    "name": None,
    "status": "active",
    "visibility": "newer",
    "owner": "p1",
    "protected": False,
    "min_disk": 1,
    "min_ram": 0,
    "size": 2**40,
    "os_hash_algo": "sha512",
    "os_hash_value": "ab",
    "tags": ["a", "b"],
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00",
    "self": "/v2/images/i1",
    "file": "/v2/images/i1/file",
    "schema": "/v2/schemas/image",
    "stores": "one,two",
    "locations": [{"url": "file:///x", "metadata": {"store": "one"}}],
    "hw_disk_bus": "scsi",
    "os_distro": "debian",
}
PLAIN = """id name status statusRaw visibility visibilityRaw owner protected hidden
    diskFormat containerFormat minDisk minRam size virtualSize checksum tags createdAt
    updatedAt self file schema directUrl hash { algorithm value }
    properties { name value } some: properties(prefix: "hw_") { name }
    none: properties(names: []) { name } property(name: "os_distro")
    locations { url metadata } stores { id } kind: __typename"""
TASKS = """tasks { id type typeRaw status statusRaw imageId owner userId requestId input
    result message expiresAt createdAt updatedAt deletedAt deleted }"""
DOCUMENTS = {
    "image": f'{{ image(id: "i1") {{ {PLAIN} }} }}',
    "image with its tasks": f'{{ image(id: "i1") {{ id {TASKS} name }} }}',
    "page": f"{{ images {{ nodes {{ {PLAIN} }} edges {{ cursor node {{ id }} }} }} }}",
    "page with tasks": f"{{ images {{ nodes {{ id {TASKS} status }} }} }}",
    "stores of a page": """{ images { nodes { tags stores { id description isDefault }
        locations { store { id isReadOnly } } } pageInfo { endCursor } } }""",
}


class Loader:
    """Gives the same for every key."""

    def __init__(self, value: object) -> None:
        """Keep what is to be given."""
        self._value = value

    async def load(self, _: object) -> object:
        """Give it."""
        return self._value


class Catalog:
    """Has one page of images."""

    def __init__(self, images: list[dict[str, object]]) -> None:
        """Keep the images."""
        self._images = images

    async def list_images(self, *_: object) -> ImagePage:
        """Return the page."""
        return ImagePage(self._images, has_more=False)  # type: ignore[arg-type] # Glance may send anything


def context(image: dict[str, object], task: dict[str, object]) -> object:
    """Return what resolvers find everything in."""
    store = {"id": "one", "description": "First.", "default": "true"}
    return SimpleNamespace(
        caller=None,
        catalog=Catalog([IMAGE, image, IMAGE]),
        loaders=SimpleNamespace(
            image=Loader(image),
            tasks_of_image=Loader([TASK, task]),
            store=Loader(store),
        ),
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_images_of_any_kind_are_answered_as_by_graphql_core(name: str) -> None:
    """Each key of an image and of a task in turn has what it should not."""
    comparison = Comparison(build_schema()._schema)  # noqa: SLF001
    document = parse(DOCUMENTS[name])

    async def ask() -> None:
        for number, value in enumerate([*HOSTILE, *HOSTILE, *HOSTILE]):
            keys = list(IMAGE), list(TASK)
            key, of_task = (names[number % len(names)] for names in keys)
            given = context({**IMAGE, key: value}, {**TASK, of_task: value})
            await comparison.compare(Case(document, given))

    asyncio.run(ask())

    assert comparison.cases == 3 * len(HOSTILE)
    assert comparison.plans.projected > 0
