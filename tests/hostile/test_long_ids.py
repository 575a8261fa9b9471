"""Ids that no image can have leave nothing behind in memory."""

import gc
import tracemalloc

from tests.support.gateway import running_gateway
from tests.support.glance_double import GlanceDouble

SHOW = "query ($id: ID!) { image(id: $id) { name tasks { id } } }"
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
ID_CHARACTERS = 200_000
REQUESTS = 100
LEFT_MAX_BYTES = 5_000_000


def test_long_ids_are_not_kept(double: GlanceDouble) -> None:
    """What the cache holds of them counts into its bound; as topics they are cut."""
    with running_gateway(double.url, cache_max_bytes=1_000_000) as gateway:
        gateway.data(SHOW, token="t", id="x" * ID_CHARACTERS)
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(REQUESTS):
                image_id = str(number) * (ID_CHARACTERS // len(str(number)))
                gateway.data(SHOW, token="t", id=image_id)
                gateway.error(DELETE, token="t", id=image_id)
            gc.collect()
            left_bytes, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert double.calls == []
    assert left_bytes < LEFT_MAX_BYTES
