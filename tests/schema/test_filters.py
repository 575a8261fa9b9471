"""Which images a filter finds, and what Glance is asked for it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.glance.listing import Parameter
from tests.support.gateway import Gateway, Json
from tests.support.glance_double import GlanceDouble, json_reply
from tests.support.images import create_image, date_images, glance_rest

NAMES = """query ($filter: ImageFilter) {
    images(filter: $filter) { nodes { name } } }"""

NO_IMAGES = json_reply({"images": []})

PROJECT, OTHER = f"project-{uuid4()}", f"project-{uuid4()}"
TOKEN, OTHER_TOKEN = f"alice:{PROJECT}:member,reader", f"bob:{OTHER}:member,reader"
ADMIN_TOKEN = "root:admin:admin,manager,member,reader"

CIRROS, DEBIAN, MISSING = sorted(str(uuid4()) for _ in range(3))
SHA512 = hashlib.sha512(b"cirros").hexdigest()
MD5 = hashlib.md5(b"cirros", usedforsecurity=False).hexdigest()

# Registered on 1, 2, 3, ... January 2026 and changed a month later, at noon.
IMAGES: Mapping[str, dict[str, Json]] = {
    "cirros": {
        "id": CIRROS,
        "data": b"cirros",
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": 1,
        "min_ram": 64,
        "tags": ["linux", "test"],
        "os_distro": "cirros",
        "hw_disk_bus": "virtio",
    },
    "debian": {
        "id": DEBIAN,
        "data": b"twelve bytes",
        "disk_format": "raw",
        "container_format": "ovf",
        "protected": True,
        "min_disk": 10,
        "min_ram": 512,
        "tags": ["linux"],
        "os_distro": "debian",
        "hw_disk_bus": "virtio",
    },
    "installer": {"visibility": "private", "disk_format": "iso", "min_disk": 20},
    "layer": {"visibility": "community", "container_format": "docker"},
    "base": {"visibility": "public"},
    "outdated": {"os_hidden": True},
}
SHOWN = ["base", "cirros", "debian", "installer", "layer"]


@dataclass(frozen=True)
class Case:
    """A filter, what Glance is asked for it, and the names of what matches.

    What matches is the project's, unless the filter names another owner.
    """

    filter: Mapping[str, Json]
    parameters: Sequence[Parameter]
    names: Sequence[str]


CASES: Mapping[str, Case] = {
    "name eq": Case({"name": {"eq": "cirros"}}, [("name", "eq:cirros")], ["cirros"]),
    "name in": Case(
        {"name": {"in": ["base", "debian", "none"]}},
        [("name", 'in:"base","debian","none"')],
        ["base", "debian"],
    ),
    "id": Case({"id": [CIRROS]}, [("id", f"eq:{CIRROS}")], ["cirros"]),
    "several ids": Case(
        {"id": [CIRROS, DEBIAN, MISSING]},
        [("id", f'in:"{CIRROS}","{DEBIAN}","{MISSING}"')],
        ["cirros", "debian"],
    ),
    "status": Case(
        {"status": ["ACTIVE"]}, [("status", "eq:active")], ["cirros", "debian"]
    ),
    "several statuses": Case(
        {"status": ["QUEUED", "KILLED"]},
        [("status", 'in:"killed","queued"')],
        ["base", "installer", "layer"],
    ),
    "disk format": Case(
        {"diskFormat": ["iso"]},
        [("disk_format", "eq:iso")],
        ["installer"],
    ),
    "several disk formats": Case(
        {"diskFormat": ["iso", "raw"]},
        [("disk_format", 'in:"iso","raw"')],
        ["cirros", "debian", "installer"],
    ),
    "container format": Case(
        {"containerFormat": ["docker"]},
        [("container_format", "eq:docker")],
        ["layer"],
    ),
    "several container formats": Case(
        {"containerFormat": ["ovf", "bare"]},
        [("container_format", 'in:"bare","ovf"')],
        ["cirros", "debian"],
    ),
    "public": Case({"visibility": "PUBLIC"}, [("visibility", "public")], ["base"]),
    "community": Case(
        {"visibility": "COMMUNITY"},
        [("visibility", "community")],
        ["layer"],
    ),
    "shared": Case(
        {"visibility": "SHARED"},
        [("visibility", "shared")],
        ["cirros", "debian"],
    ),
    "private": Case(
        {"visibility": "PRIVATE"}, [("visibility", "private")], ["installer"]
    ),
    "all": Case({"visibility": "ALL"}, [("visibility", "all")], SHOWN),
    "owner": Case({"owner": OTHER}, [("owner", OTHER)], ["accepted"]),
    "member pending": Case(
        {"memberStatus": "PENDING", "owner": OTHER},
        [("member_status", "pending"), ("owner", OTHER)],
        ["pending"],
    ),
    "member accepted": Case(
        {"memberStatus": "ACCEPTED", "owner": OTHER},
        [("member_status", "accepted"), ("owner", OTHER)],
        ["accepted"],
    ),
    "member rejected": Case(
        {"memberStatus": "REJECTED", "owner": OTHER},
        [("member_status", "rejected"), ("owner", OTHER)],
        ["rejected"],
    ),
    "member whatever": Case(
        {"memberStatus": "ALL", "owner": OTHER},
        [("member_status", "all"), ("owner", OTHER)],
        ["accepted", "pending", "rejected"],
    ),
    "hidden": Case({"hidden": True}, [("os_hidden", "true")], ["outdated"]),
    "not hidden": Case({"hidden": False}, [("os_hidden", "false")], SHOWN),
    "protected": Case({"protected": True}, [("protected", "true")], ["debian"]),
    "not protected": Case(
        {"protected": False},
        [("protected", "false")],
        ["base", "cirros", "installer", "layer"],
    ),
    "tag": Case({"tags": ["linux"]}, [("tag", "linux")], ["cirros", "debian"]),
    "several tags": Case(
        {"tags": ["linux", "test"]},
        [("tag", "linux"), ("tag", "test")],
        ["cirros"],
    ),
    "no tags": Case({"tags": []}, [], SHOWN),
    "size from": Case({"size": {"min": 12}}, [("size_min", "12")], ["debian"]),
    "size to": Case({"size": {"max": 11}}, [("size_max", "11")], ["cirros"]),
    "size": Case(
        {"size": {"min": 6, "max": 12}},
        [("size_min", "6"), ("size_max", "12")],
        ["cirros", "debian"],
    ),
    "size beyond 32 bits": Case(
        {"size": {"max": 2**40}},
        [("size_max", "1099511627776")],
        ["cirros", "debian"],
    ),
    "no size": Case({"size": {}}, [], SHOWN),
    "disk": Case(
        {"minDisk": {"min": 1, "max": 10}},
        [("min_disk_min", "1"), ("min_disk_max", "10")],
        ["cirros", "debian"],
    ),
    "memory": Case(
        {"minRam": {"min": 65, "max": 512}},
        [("min_ram_min", "65"), ("min_ram_max", "512")],
        ["debian"],
    ),
    "creation": Case(
        {"createdAt": {"lt": "2026-01-02T12:00:00Z"}},
        [("created_at", "lt:2026-01-02T12:00:00Z")],
        ["cirros"],
    ),
    "change": Case(
        {"updatedAt": {"gte": "2026-02-05T12:00:00Z"}},
        [("updated_at", "gte:2026-02-05T12:00:00Z")],
        ["base"],
    ),
    "time with an offset": Case(
        {"createdAt": {"lte": "2026-01-02T00:00:00+12:00"}},
        [("created_at", "lte:2026-01-01T12:00:00Z")],
        ["cirros"],
    ),
    "time with a fraction": Case(
        {"createdAt": {"gt": "2026-01-05T11:59:59.999999Z"}},
        [("created_at", "gt:2026-01-05T11:59:59.999999Z")],
        ["base"],
    ),
    "digest": Case({"hashValue": SHA512}, [("os_hash_value", SHA512)], ["cirros"]),
    "checksum": Case({"checksum": MD5}, [("checksum", MD5)], ["cirros"]),
    "property": Case(
        {"properties": [{"name": "os_distro", "value": "debian"}]},
        [("os_distro", "debian")],
        ["debian"],
    ),
    "several properties": Case(
        {
            "properties": [
                {"name": "hw_disk_bus", "value": "virtio"},
                {"name": "os_distro", "value": "cirros"},
            ]
        },
        [("hw_disk_bus", "virtio"), ("os_distro", "cirros")],
        ["cirros"],
    ),
    "no properties": Case({"properties": []}, [], SHOWN),
    "several conditions": Case(
        {"tags": ["linux"], "protected": False, "status": ["ACTIVE"]},
        [("status", "eq:active"), ("protected", "false"), ("tag", "linux")],
        ["cirros"],
    ),
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

# What each operator finds, seen from the third day.
OPERATORS: Mapping[str, Sequence[str]] = {
    "eq": ["installer"],
    "neq": ["base", "cirros", "debian", "layer"],
    "gt": ["base", "layer"],
    "gte": ["base", "installer", "layer"],
    "lt": ["cirros", "debian"],
    "lte": ["cirros", "debian", "installer"],
}


@pytest.fixture(scope="module")
def images(glance_port: int, glance_data: Path) -> None:
    """Register the images of PROJECT, each on its day."""
    with glance_rest(glance_port, ADMIN_TOKEN) as rest:
        ids = [
            create_image(rest, name=name, owner=PROJECT, **image)
            for name, image in IMAGES.items()
        ]
    dates = [
        (f"2026-01-0{day} 12:00:00.000000", f"2026-02-0{day} 12:00:00.000000", image_id)
        for day, image_id in enumerate(ids, start=1)
    ]
    date_images(glance_data, dates)


@pytest.fixture(scope="module")
def shared_images(glance_port: int) -> None:
    """Share images of OTHER with PROJECT, which answers as they are named."""
    with (
        glance_rest(glance_port, OTHER_TOKEN) as theirs,
        glance_rest(glance_port, TOKEN) as own,
    ):
        for status in ("pending", "accepted", "rejected"):
            members = f"/images/{create_image(theirs, name=status)}/members"
            theirs.post(members, json={"member": PROJECT}).raise_for_status()
            answer = own.put(f"{members}/{PROJECT}", json={"status": status})
            answer.raise_for_status()


@pytest.mark.usefixtures("images", "shared_images")
@each_case
def test_filter_finds_exactly_the_images_that_match(
    gateway: Gateway, case: Case
) -> None:
    """A filter leaves out what does not match, and nothing else."""
    wanted = {"owner": PROJECT, **case.filter}

    names = names_found(gateway, wanted)

    assert names == case.names


@each_case
def test_filter_is_asked_of_glance(
    gateway: Gateway, double: GlanceDouble, case: Case
) -> None:
    """Glance filters: it is asked once, with its own parameters."""
    double.play(NO_IMAGES)

    names_found(gateway, case.filter)

    asked = [*case.parameters, ("limit", "26")]
    assert [call.query for call in double.calls] == [asked]


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(("field", "month"), [("createdAt", 1), ("updatedAt", 2)])
@pytest.mark.parametrize(("operator", "names"), OPERATORS.items(), ids=OPERATORS.keys())
def test_operator_of_a_time_finds_its_side_of_the_bound(
    gateway: Gateway, field: str, month: int, operator: str, names: Sequence[str]
) -> None:
    """Times are compared with the stored time as the operator says."""
    bound = {operator: f"2026-0{month}-03T12:00:00Z"}

    found = names_found(gateway, {"owner": PROJECT, field: bound})

    assert found == names


@pytest.mark.parametrize(
    ("field", "parameter"), [("createdAt", "created_at"), ("updatedAt", "updated_at")]
)
@pytest.mark.parametrize("operator", OPERATORS)
def test_operator_of_a_time_is_glance_s_own(
    gateway: Gateway, double: GlanceDouble, field: str, parameter: str, operator: str
) -> None:
    """Glance is asked with the operator as the client wrote it."""
    double.play(NO_IMAGES)

    names_found(gateway, {field: {operator: "2026-01-31T12:00:00Z"}})

    asked = [(parameter, f"{operator}:2026-01-31T12:00:00Z"), ("limit", "26")]
    assert double.calls[0].query == asked


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        {},
        {field: None for case in CASES.values() for field in case.filter},
        {"size": {"min": None, "max": None}},
    ],
    ids=["no filter", "no condition", "null conditions", "null bounds"],
)
def test_filter_that_is_null_is_a_filter_not_given(
    gateway: Gateway, double: GlanceDouble, wanted: Json
) -> None:
    """What is null leaves no image out."""
    double.play(NO_IMAGES)

    names_found(gateway, wanted)

    assert [call.query for call in double.calls] == [[("limit", "26")]]


@pytest.mark.usefixtures("images")
def test_filter_may_name_as_many_ids_as_a_page_has_images(gateway: Gateway) -> None:
    """1000 ids fit into Glance's URL."""
    ids = [CIRROS, *(str(uuid4()) for _ in range(998)), DEBIAN]

    names = names_found(gateway, {"id": ids})

    assert names == ["cirros", "debian"]


def names_found(gateway: Gateway, wanted: Json) -> list[str]:
    """Return the sorted names of the images that a filter finds."""
    found = gateway.data(NAMES, token=TOKEN, filter=wanted)
    return sorted(node["name"] for node in found["images"]["nodes"])
