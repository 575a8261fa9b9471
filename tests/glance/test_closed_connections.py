"""Kept connections that Glance has closed."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.support.gateway import Json, running_gateway
from tests.support.glance_double import GlanceDouble
from tests.support.raw_glance import RawConnection, raw_glance, response

BURST = 16
SHOW = "query ($id: ID!) { image(id: $id) { id } }"
RENAME = """mutation ($id: ID!) {
    updateImage(input: {id: $id, name: "n"}) { image { id } } }"""
ADD = """mutation ($id: ID!, $tag: String!) {
    addTag(input: {id: $id, tag: $tag}) { __typename } }"""


def test_read_is_repeated_on_a_new_connection() -> None:
    """Whatever others are in the pool: they may have been closed, too."""
    both = threading.Barrier(2)
    image_or_list = {"id": "1", "images": []}

    def serve(connection: RawConnection) -> None:
        """Respond to one request, and close at the next one."""
        if (request := connection.request()) is not None:
            if request.token == "both":
                both.wait(10)
            connection.send(response(image_or_list, request.request_id))
            connection.request()

    with (
        raw_glance(serve) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
    ):
        gateway.data(SHOW, token="t", id="1")
        gateway.data("{ image(id: 1) { id } images { nodes { id } } }", token="both")
        data = [gateway.data(SHOW, token="t", id="1") for _ in range(2)]

    assert data == [{"image": {"id": "1"}}] * 2
    # One proved that ids are echoed, two were kept, two were for the repeats.
    assert glance.connections == 5


def test_reads_share_connections(double: GlanceDouble, token: str) -> None:
    """Each write has one of its own, which takes nothing from them."""
    with running_gateway(double.url, cache_url="none") as gateway:
        image_id = gateway.create(token)
        for number in range(10):
            gateway.data(SHOW, token=token, id=image_id)
            gateway.data(ADD, token=token, id=image_id, tag=str(number))

    assert len(double.calls) == 21
    assert double.connections == 12


def test_burst_on_closed_connections_succeeds() -> None:
    """Glance closes all kept connections as they are used again."""
    are_pooled = threading.Barrier(BURST)

    def serve(connection: RawConnection) -> None:
        """Respond to one request, and close at the next one."""
        if (request := connection.request()) is not None:
            if "pool" in request.target:
                are_pooled.wait(10)
            image = {"id": request.target.rpartition("/")[2]}
            connection.send(response(image, request.request_id))
            connection.request()

    with (
        raw_glance(serve) as glance,
        running_gateway(glance.url, cache_url="none") as gateway,
        ThreadPoolExecutor(2 * BURST) as pool,
    ):

        def ask(document: str, number: int, kind: str) -> Json:
            image_id = f"{kind}{number}"
            return gateway.answer(document, token=f"t{number}", id=image_id)

        # Each token is accepted once, then all of them read at once.
        for number in range(BURST):
            ask(SHOW, number, "first")
        pooled = [pool.submit(ask, SHOW, i, "pool") for i in range(BURST)]
        assert not any("errors" in one.result() for one in pooled)
        asked = len(glance.requests)
        burst = [
            pool.submit(ask, document, number, "burst")
            for number in range(BURST)
            for document in (SHOW, RENAME)
        ]
        answers = [one.result() for one in burst]

    assert [answer.get("errors") for answer in answers] == [None] * 2 * BURST
    written = [one.target for one in glance.requests[asked:] if one.method == "PATCH"]
    assert sorted(written) == sorted(f"/v2/images/burst{i}" for i in range(BURST))
