"""What one worker's write changes, no worker shows as it was."""

from collections.abc import Iterator
from itertools import islice

import httpx
import pytest

from gateway.listening import free_port
from tests.support.command import piped
from tests.support.gateway import Gateway, Json

WORKERS = 2
CONNECTIONS = 500
FOREVER = "3600"
SHOW = """query ($id: ID!) {
    image(id: $id) { name }
    images(filter: {visibility: SHARED}) { nodes { name } } }"""
COLD_CALLS = 2
RENAME = """mutation ($id: ID!) {
    updateImage(input: {id: $id, name: "new"}) { __typename } }"""
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
OLD = {"image": {"name": "old"}, "images": {"nodes": [{"name": "old"}]}}
NEW = {"image": {"name": "new"}, "images": {"nodes": [{"name": "new"}]}}
GONE: Json = {"image": None, "images": {"nodes": []}}


@pytest.fixture(scope="module")
def workers(glance_port: int) -> Iterator[Gateway]:
    """Run workers that forget nothing by themselves; a connection per request."""
    port = free_port()
    glance_url = f"http://127.0.0.1:{glance_port}"
    with (
        piped(
            *("serve", "--glance-url", glance_url, "--port", str(port)),
            *("--workers", str(WORKERS)),
            GATEWAY_CACHE_TTL_IMAGES_SECONDS=FOREVER,
            GATEWAY_CACHE_TTL_TRANSIENT_IMAGE_SECONDS=FOREVER,
        ) as command,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Connection": "close", "X-Gateway-Trace": "1"},
            timeout=60,
        ) as client,
    ):
        command.until("\n")
        yield Gateway(client)


def answers(workers: Gateway, token: str, image_id: str) -> Iterator[Json]:
    """Yield what is shown until each worker has had to ask Glance for all of it."""
    cold = 0
    while cold < WORKERS:
        answer = workers.answer(SHOW, token=token, id=image_id)
        cold += answer["extensions"]["glance"]["calls"] == COLD_CALLS
        yield answer["data"]


@pytest.mark.parametrize(
    ("write", "expected"),
    [pytest.param(RENAME, NEW, id="rename"), pytest.param(DELETE, GONE, id="delete")],
)
def test_write_through_one_worker_is_seen_through_all(
    workers: Gateway, token: str, write: str, expected: Json
) -> None:
    """Whichever worker a connection reaches, it shows neither image nor list as was."""
    image_id = workers.create(token, name="old")
    for known in answers(workers, token, image_id):
        assert known == OLD

    workers.data(write, token=token, id=image_id)

    seen = [*islice(answers(workers, token, image_id), CONNECTIONS)]
    assert seen == [expected] * len(seen)
    assert len(seen) < CONNECTIONS
