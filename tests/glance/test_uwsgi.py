"""A Glance on uWSGI: it closes each connection after a response, without a word."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.uwsgi_glance import UwsgiGlance, uwsgi_glance

IMAGES = 10
TIMES = 10
CLIENTS = 4
BURST = 32
CREATE = 'mutation { createImage(input: {name: "n"}) { image { id } } }'
SHOW = "query ($id: ID!) { image(id: $id) { id } }"


@pytest.fixture(scope="module")
def glance(glance_data: Path, glance_port: int) -> Iterator[UwsgiGlance]:
    """Run a second Glance on the first one's database."""
    assert glance_port
    with uwsgi_glance(glance_data) as running:
        yield running


@pytest.fixture(params=["http", "http_socket"])
def gateway(request: pytest.FixtureRequest, glance: UwsgiGlance) -> Iterator[Gateway]:
    """Run a gateway before uWSGI's router, or before a worker's socket."""
    with running_gateway(getattr(glance, request.param), cache_url="none") as running:
        yield running


def together(clients: int, times: int, ask: Callable[[int], Json]) -> Sequence[Json]:
    """Return what was answered so many times, to several clients at once."""
    with ThreadPoolExecutor(clients) as pool:
        return [*pool.map(ask, range(times))]


def test_updates_and_tags_are_carried_out_once(
    gateway: Gateway, glance: UwsgiGlance, token: str
) -> None:
    """Ten of each in one document, by several clients: none fails."""
    ids = [gateway.create(token) for _ in range(IMAGES)]

    def change(number: int) -> Json:
        name = f'"{number}"'
        changes = (
            f"u{i}: updateImage(input: {{id: {one}, name: {name}}}) {{ __typename }}"
            f" t{i}: addTag(input: {{id: {one}, tag: {name}}}) {{ __typename }}"
            for i, one in enumerate(f'"{image_id}"' for image_id in ids)
        )
        return gateway.answer(f"mutation {{ {' '.join(changes)} }}", token=token)

    answers = together(CLIENTS, TIMES, change)

    assert [answer.get("errors") for answer in answers] == [None] * TIMES
    updates = Counter(glance.served(token, "PATCH", IMAGES * TIMES))
    assert updates == {f"200 /v2/images/{one}": TIMES for one in ids}
    tags = glance.served(token, "PUT", IMAGES * TIMES)
    added = (f"204 /v2/images/{i}/tags/{n}" for i in ids for n in range(TIMES))
    assert sorted(tags) == sorted(added)


def test_tag_that_takes_two_calls_is_added(
    gateway: Gateway, glance: UwsgiGlance, token: str
) -> None:
    """It is read, then patched."""
    image_id = gateway.create(token)
    document = """mutation ($id: ID!, $tag: String!) {
        addTag(input: {id: $id, tag: $tag}) { image { tags } } }"""

    for number in range(TIMES):
        gateway.data(document, token=token, id=image_id, tag=f"é{number}")

    patched = glance.served(token, "PATCH", TIMES)
    assert patched == [f"200 /v2/images/{image_id}"] * TIMES


def test_burst_of_creations_creates_each_once(
    gateway: Gateway, glance: UwsgiGlance, token: str
) -> None:
    """Right after reads, whose connections are all being closed."""
    image_id = gateway.create(token)

    def ask(number: int) -> Json:
        if number % 2:
            return gateway.answer(SHOW, token=token, id=image_id)
        return gateway.answer(CREATE, token=token)

    answers = together(BURST, 2 * BURST, ask)

    assert [answer.get("errors") for answer in answers] == [None] * 2 * BURST
    created = glance.served(token, "POST", 1 + BURST)
    assert created == ["201 /v2/images"] * (1 + BURST)


def test_deletion_is_carried_out_once(
    gateway: Gateway, glance: UwsgiGlance, token: str
) -> None:
    """It is not repeated for nothing."""
    ids = [gateway.create(token) for _ in range(IMAGES)]
    document = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"

    for one in ids:
        gateway.data(document, token=token, id=one)

    deleted = glance.served(token, "DELETE", IMAGES)
    assert sorted(deleted) == sorted(f"204 /v2/images/{one}" for one in ids)
