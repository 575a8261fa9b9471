"""Several images by id in one request: fewer calls, the same answers."""

from itertools import product
from typing import Any

import httpx
import pytest

from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

ADMIN = "root:admin:admin,manager,member,reader"
FIELDS = """id name status visibility owner hidden tags size checksum protected
    createdAt updatedAt stores { id } directUrl locations { url metadata }
    properties { name value } self file schema diskFormat minDisk"""
CELLS = [
    (visibility, member_status, is_hidden)
    for visibility, is_hidden in product(
        ["public", "community", "shared", "private"], [False, True]
    )
    for member_status in (
        ["none", "pending", "accepted", "rejected"]
        if visibility == "shared"
        else ["none"]
    )
]


def many(ids: list[str]) -> str:
    """Return a query for each of the images, under an alias of its own."""
    parts = [f'i{n}: image(id: "{one}") {{ {FIELDS} }}' for n, one in enumerate(ids)]
    return "{ %s }" % " ".join(parts)


@pytest.fixture(scope="module")
def cells(glance_port: int) -> list[str]:
    """Return an image for every visibility, member status and hiddenness."""
    url = f"http://127.0.0.1:{glance_port}/v2"
    with httpx.Client(base_url=url) as glance:
        return [_cell(glance, *cell) for cell in CELLS]


def _cell(
    glance: httpx.Client,
    visibility: str,
    member_status: str,
    is_hidden: bool,  # noqa: FBT001 - one coordinate of the cell
) -> str:
    owner = {"X-Auth-Token": "olga:cell-owner:member,reader"}
    creator = {"X-Auth-Token": ADMIN} if visibility == "public" else owner
    image = {"visibility": visibility, "os_hidden": is_hidden, "tags": ["a", "b"]}
    created = glance.post("/images", json=image, headers=creator)
    image_id = str(created.json()["id"])
    if member_status != "none":
        path, member = f"/images/{image_id}/members", {"member": "cell-member"}
        glance.post(path, json=member, headers=owner).raise_for_status()
        glance.put(
            f"{path}/cell-member",
            json={"status": member_status},
            headers={"X-Auth-Token": "max:cell-member:member,reader"},
        ).raise_for_status()
    return image_id


CALLERS = {
    "owner": "olga:cell-owner:member,reader",
    "member": "max:cell-member:member,reader",
    "stranger": "sam:cell-stranger:member,reader",
    "reader": "rita:cell-owner:reader",
    "admin": ADMIN,
}


@pytest.mark.parametrize("caller", CALLERS)
def test_batched_images_are_what_single_reads_show(
    gateway: Gateway, double: GlanceDouble, cells: list[str], caller: str
) -> None:
    """Cell by cell of who may see what, batching changes nothing."""
    token = CALLERS[caller]
    single = [gateway.data(many([one]), token=token)["i0"] for one in cells]
    double.reset()

    batched = gateway.data(many(cells), token=token)

    assert [sorted_tags(batched[f"i{n}"]) for n in range(len(cells))] == [
        sorted_tags(image) for image in single
    ]
    listed, *alone = double.calls
    assert listed.path == "/v2/images"
    unlisted = [
        one
        for one, image in zip(cells, single, strict=True)
        if image is None or image["hidden"]
    ]
    assert sorted(call.path for call in alone) == sorted(
        f"/v2/images/{one}" for one in unlisted
    )


def sorted_tags(image: Any) -> Any:
    """Return the image with its tags in an order of ours; Glance has none."""
    return image and image | {"tags": sorted(image["tags"])}


def test_one_image_is_read_alone(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A list of one saves nothing."""
    image_id = gateway.create(token)
    double.reset()

    gateway.data(many([image_id, image_id]), token=token)

    assert double.asked == [f"GET /v2/images/{image_id}"]


def test_ids_are_asked_for_in_calls_of_bounded_length(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Fifty ids fit into any server's longest URL."""
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(120)]
    double.script = _listing

    data = gateway.data(
        "{ %s }"
        % " ".join(f'i{n}: image(id: "{one}") {{ id }}' for n, one in enumerate(ids)),
        token="t",
    )

    assert [image["id"] for image in data.values()] == ids
    assert len(double.calls) == 3
    assert max(len(call.target) for call in double.calls) < 4096


@pytest.mark.parametrize("status", [400, 403])
def test_cloud_that_refuses_lists_is_asked_image_by_image(
    gateway: Gateway, double: GlanceDouble, status: int
) -> None:
    """Who may not list may still read what it knows."""
    double.script = lambda received: (
        Reply(status) if received.path == "/v2/images" else _single(received)
    )
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(2)]

    data = gateway.data(many_ids(ids), token="t")

    assert [image["id"] for image in data.values()] == ids


def test_id_that_no_list_can_carry_is_read_alone(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Only UUIDs are listed."""
    ids = ["a,b", "00000000-0000-4000-8000-000000000001", 'c"d']
    double.script = lambda received: (
        _listing(received) if received.path == "/v2/images" else Reply(404)
    )

    data = gateway.data(many_ids(ids[:2]), token="t")

    assert [image and image["id"] for image in data.values()] == [None, ids[1]]


def many_ids(ids: list[str]) -> str:
    """Return a query for the ids of the images."""
    parts = [f'i{n}: image(id: "{one}") {{ id }}' for n, one in enumerate(ids)]
    return "{ %s }" % " ".join(parts)


def _listing(received: Received) -> Reply:
    asked = dict(received.query)["id"].removeprefix("eq:").removeprefix("in:")
    return json_reply({"images": [{"id": one.strip('"')} for one in asked.split(",")]})


def _single(received: Received) -> Reply:
    return json_reply({"id": received.path.rpartition("/")[2]})
