"""Calls whose connection is closed: which ones are repeated, and the results."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import (
    GlanceDouble,
    Received,
    Reply,
    Script,
    forwarded,
    json_reply,
)

LOST = Reply(0)
SHOW = "query ($id: ID!) { image(id: $id) { id } }"
CREATE = """mutation ($input: CreateImageInput!) {
    createImage(input: $input) { image { id name tags } } }"""
DELETE = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
RENAME = (
    'mutation ($id: ID!) { updateImage(input: {id: $id, name: "n"}) { image {id} }}'
)
ADD = """mutation ($id: ID!, $tag: String!) {
    addTag(input: {id: $id, tag: $tag}) { image { tags } } }"""
REMOVE = """mutation ($id: ID!, $tag: String!) {
    removeTag(input: {id: $id, tag: $tag}) { image { tags } } }"""


def losing(*methods: str, port: int | None = None) -> Script:
    """Return what loses the first call of a method, done by the Glance at `port`."""
    waiting = list(methods)

    def script(received: Received) -> Reply | None:
        if received.method not in waiting:
            return None
        waiting.remove(received.method)
        if port is not None:
            forwarded(received, port)
        return LOST

    return script


@pytest.fixture(params=["undone", "done"])
def fate(request: pytest.FixtureRequest, glance_port: int) -> int | None:
    """Return where a call is done before its connection is lost, if it is."""
    return glance_port if request.param == "done" else None


def methods(double: GlanceDouble) -> list[str]:
    """Return the requests, in order."""
    return [call.method for call in double.calls]


def code(error: Json) -> str:
    """Return the code of an error."""
    return str(error["extensions"]["code"])


def test_lost_deletion_is_repeated(
    gateway: Gateway, double: GlanceDouble, token: str, fate: int | None
) -> None:
    """A 404 to the repeat means that the image is deleted."""
    image_id = gateway.create(token)
    double.script = losing("DELETE", port=fate)

    data = gateway.data(DELETE, token=token, id=image_id)

    assert data == {"deleteImage": {"deletedId": image_id}}
    assert methods(double)[1:] == ["DELETE", "DELETE"]
    assert gateway.data(SHOW, token=token, id=image_id) == {"image": None}


def test_lost_removal_of_a_tag_is_repeated(
    gateway: Gateway, double: GlanceDouble, token: str, fate: int | None
) -> None:
    """A 404 to the repeat means that the tag is removed."""
    image_id = gateway.create(token, tags=["a", "b"])
    double.script = losing("DELETE", port=fate)

    data = gateway.data(REMOVE, token=token, id=image_id, tag="a")

    assert data == {"removeTag": {"image": {"tags": ["b"]}}}


def test_lost_addition_of_a_tag_is_repeated(
    gateway: Gateway, double: GlanceDouble, token: str, fate: int | None
) -> None:
    """To add a tag that is there changes nothing."""
    image_id = gateway.create(token)
    double.script = losing("PUT", port=fate)

    data = gateway.data(ADD, token=token, id=image_id, tag="a")

    assert data == {"addTag": {"image": {"tags": ["a"]}}}


@pytest.mark.parametrize("is_chosen", [False, True], ids=["our id", "chosen id"])
def test_lost_creation_is_repeated(
    gateway: Gateway,
    double: GlanceDouble,
    rest: httpx.Client,
    token: str,
    fate: int | None,
    *,
    is_chosen: bool,
) -> None:
    """The id shows whether it was done: there is one image in the end."""
    image_id = str(uuid4()) if is_chosen else None
    double.script = losing("POST", port=fate)

    image = {"id": image_id, "name": "n", "tags": ["b", "a"]}
    data = gateway.data(CREATE, token=token, input=image)

    created = data["createImage"]["image"]
    assert (created["name"], sorted(created["tags"])) == ("n", ["a", "b"])
    assert image_id in {None, created["id"]}
    listed = rest.get("/images", params={"visibility": "shared"}).json()["images"]
    assert [one["id"] for one in listed] == [created["id"]]
    read_back = ["GET"] if fate else []
    assert methods(double) == ["POST", "POST", *read_back]


def test_creation_has_an_id_of_ours(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """Another one each time."""
    created = [gateway.create(token) for _ in range(2)]

    sent = [call.json["id"] for call in double.calls if isinstance(call.json, dict)]
    assert sent == created
    assert [UUID(one).version for one in sent] == [4, 4]
    assert len({*sent}) == 2


@pytest.mark.parametrize("name", ["mine", "another"])
def test_id_that_was_taken_before_stays_a_conflict(
    gateway: Gateway, double: GlanceDouble, token: str, other_token: str, name: str
) -> None:
    """A repeat takes no image for its own that is another one."""
    owner = token if name == "mine" else other_token
    image_id = gateway.create(owner, name=name)
    double.script = losing("POST")

    error = gateway.error(CREATE, token=token, input={"id": image_id, "name": "new"})

    assert code(error) == "CONFLICT"


def test_creation_that_reaches_the_quota_itself_is_found(
    gateway: Gateway, double: GlanceDouble, token: str, glance_port: int
) -> None:
    """Its repeat is one image too many, which the id tells."""
    lost = losing("POST", port=glance_port)
    double.script = lambda received: (
        lost(received) or (Reply(413) if received.method == "POST" else None)
    )

    data = gateway.data(CREATE, token=token, input={"name": "n"})

    assert data["createImage"]["image"]["name"] == "n"


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_creation_whose_repeat_is_rejected_is_found(
    gateway: Gateway, double: GlanceDouble, token: str, glance_port: int, status: int
) -> None:
    """The first attempt has created the image, whatever rejects the second one."""
    lost = losing("POST", port=glance_port)
    double.script = lambda received: (
        lost(received) or (Reply(status) if received.method == "POST" else None)
    )

    data = gateway.data(CREATE, token=token, input={"name": "n"})

    assert data["createImage"]["image"]["name"] == "n"


def test_deletion_that_another_server_answered_is_no_success(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """Glance's 404 to the repeat says that there is no such image."""
    page, image_id = Reply(404, b"<h1>404</h1>", {"Content-Type": "text/html"}), uuid4()
    double.play(page)

    error = gateway.error(DELETE, token=token, id=str(image_id))

    assert code(error) == "NOT_FOUND"


@pytest.mark.parametrize("status", [401, 403, 409, 429])
def test_repeat_that_is_rejected_leaves_the_outcome_open(
    gateway: Gateway, double: GlanceDouble, token: str, status: int
) -> None:
    """The first attempt may have added the tag."""
    image_id = gateway.create(token)
    double.play(LOST, Reply(status))

    error = gateway.error(ADD, token=token, id=image_id, tag="a")

    assert error["message"].endswith("It was sent, and its outcome is open.")


def test_creation_of_another_image_has_an_open_outcome(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A response with another id belongs to another request."""
    image = json_reply({"id": str(uuid4()), "name": "foreign"}, status=201)
    double.play(image, image)

    error = gateway.error(CREATE, token=token, input={"name": "n"})

    assert code(error) == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")


def test_creation_that_cannot_be_read_back_has_an_open_outcome(
    gateway: Gateway, double: GlanceDouble, token: str, glance_port: int
) -> None:
    """It is there, or it is not."""
    lost = losing("POST", port=glance_port)
    double.script = lambda received: (
        lost(received) or (Reply(503) if received.method == "GET" else None)
    )

    error = gateway.error(CREATE, token=token, input={"name": "n"})

    assert code(error) == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")


def test_creation_lost_twice_has_an_open_outcome(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """It is repeated once, with the same id."""
    double.script = losing("POST", "POST")

    error = gateway.error(CREATE, token=token, input={"name": "n"})

    assert code(error) == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")
    first, second = double.calls
    assert first.body == second.body
    ids = [call.headers["x-openstack-request-id"] for call in double.calls]
    assert len({*ids}) == 2


def test_lost_update_is_not_repeated(
    gateway: Gateway, double: GlanceDouble, token: str, fate: int | None
) -> None:
    """A patch that was sent may have been applied."""
    image_id = gateway.create(token)
    double.script = losing("PATCH", port=fate)

    error = gateway.error(RENAME, token=token, id=image_id)

    assert code(error) == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")
    assert methods(double)[1:] == ["PATCH"]


@pytest.mark.parametrize("document", [DELETE, REMOVE], ids=["image", "tag"])
def test_deletion_of_nothing_is_not_found(
    gateway: Gateway, double: GlanceDouble, token: str, document: str
) -> None:
    """The first 404 is no success."""
    tag = {"tag": "t"} if document == REMOVE else {}

    error = gateway.error(document, token=token, id=str(uuid4()), **tag)

    assert code(error) == "NOT_FOUND"
    assert methods(double) == ["DELETE"]


@pytest.mark.parametrize("status", [401, 404, 413, 429])
def test_write_that_may_have_been_done_leaves_nothing_fresh(
    double: GlanceDouble, project: str, token: str, status: int
) -> None:
    """Nor for others, whatever the repeat is answered."""
    other = f"carol:{project}:member,reader"
    show = "query ($id: ID!) { image(id: $id) { tags } }"
    with running_gateway(double.url, cache_ttl_transient_image_seconds=60) as gateway:
        image_id = gateway.create(token)
        assert gateway.data(show, token=other, id=image_id) == {"image": {"tags": []}}
        lost = losing("PUT", port=double.upstream_port)
        double.script = lambda received: (
            lost(received) or (Reply(status) if received.method == "PUT" else None)
        )

        gateway.error(ADD, token=token, id=image_id, tag="a")

        assert gateway.data(show, token=other, id=image_id)["image"]["tags"] == ["a"]


@contextmanager
def glance_that_goes_away() -> Iterator[str]:
    """Yield the address of a Glance that reads one request and is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65536)
                listening.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_repeat_that_is_not_sent_leaves_the_outcome_open() -> None:
    """The first attempt was sent."""
    with glance_that_goes_away() as url, running_gateway(url) as gateway:
        error = gateway.error(DELETE, token="t", id="1")

    assert code(error) == "GLANCE_UNAVAILABLE"
    assert error["message"].endswith("It was sent, and its outcome is open.")
