"""Answers of an older cloud come out right, field by field."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.recorded import recorded, recorded_json
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Reply, json_reply

TOKEN = "any token will do"
JSON = {"Content-Type": "application/json"}
ATTRIBUTES = {
    "id",
    "name",
    "visibility",
    "size",
    "virtual_size",
    "status",
    "checksum",
    "protected",
    "min_ram",
    "min_disk",
    "owner",
    "disk_format",
    "container_format",
    "os_hidden",
    "os_hash_algo",
    "os_hash_value",
    "created_at",
    "updated_at",
    "tags",
    "self",
    "file",
    "schema",
}
FIELDS = """
    id name status statusRaw visibility visibilityRaw owner protected hidden
    diskFormat containerFormat minDisk minRam size virtualSize checksum
    hash { algorithm value } tags properties { name value } createdAt updatedAt
    self file schema stores { id } locations { url } directUrl
"""


def expected(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields above show of a record."""
    has_hash = record["os_hash_value"] is not None
    digest = {"algorithm": record["os_hash_algo"], "value": record["os_hash_value"]}
    return {
        "id": record["id"],
        "name": record["name"],
        "status": record["status"].upper(),
        "statusRaw": record["status"],
        "visibility": record["visibility"].upper(),
        "visibilityRaw": record["visibility"],
        "owner": record["owner"],
        "protected": record["protected"],
        "hidden": record["os_hidden"],
        "diskFormat": record["disk_format"],
        "containerFormat": record["container_format"],
        "minDisk": record["min_disk"],
        "minRam": record["min_ram"],
        "size": record["size"],
        "virtualSize": record["virtual_size"],
        "checksum": record["checksum"],
        "hash": digest if has_hash else None,
        "tags": record["tags"],
        "properties": [
            {"name": name, "value": value}
            for name, value in record.items()
            if name not in ATTRIBUTES
        ],
        "createdAt": record["created_at"],
        "updatedAt": record["updated_at"],
        "self": record["self"],
        "file": record["file"],
        "schema": record["schema"],
        "stores": [],
        "locations": None,
        "directUrl": None,
    }


def test_shown_image_comes_out_field_by_field(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Every attribute of a shown image has its field."""
    double.always(Reply(body=recorded("show-image"), headers=JSON))

    record = recorded_json("show-image")
    document = "query ($id: ID!) { image(id: $id) { %s } }" % FIELDS
    data = gateway.data(document, token=TOKEN, id=record["id"])

    assert data["image"] == expected(record)


def test_listed_images_come_out_field_by_field(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Every attribute of a listed image has its field, formats null and all."""
    double.always(Reply(body=recorded("list-images"), headers=JSON))

    data = gateway.data("{ images { nodes { %s } } }" % FIELDS, token=TOKEN)

    records = recorded_json("list-images")["images"]
    assert data["images"]["nodes"] == [expected(record) for record in records]


def test_image_without_tasks_has_an_empty_list(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """No tasks is a list without entries, not null."""
    double.play(
        Reply(body=recorded("show-image"), headers=JSON),
        Reply(body=recorded("image-tasks"), headers=JSON),
    )

    data = gateway.data("{ image(id: 1) { tasks { id } } }", token=TOKEN)

    assert data == {"image": {"tasks": []}}


@pytest.mark.parametrize(
    ("document", "answer", "status"),
    [
        pytest.param(
            """mutation ($id: ID) {
                createImage(input: {id: $id, name: "x"}) { image { %s } } }""",
            "create-image",
            201,
            id="create",
        ),
        pytest.param(
            """mutation ($id: ID!) {
                updateImage(input: {id: $id, name: "x"}) { image { %s } } }""",
            "update-image",
            200,
            id="update",
        ),
    ],
)
def test_changed_image_comes_out_field_by_field(
    gateway: Gateway, double: GlanceDouble, document: str, answer: str, status: int
) -> None:
    """The image in a mutation's answer is the one that Glance answered with."""
    double.always(Reply(status, recorded(answer), JSON))

    record = recorded_json(answer)
    data = gateway.data(document % FIELDS, token=TOKEN, id=record["id"])

    (payload,) = data.values()
    assert payload["image"] == expected(record)


def test_image_without_name_has_name_null(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A missing name and a null one are both null."""
    record = recorded_json("show-image")
    del record["name"]
    double.always(json_reply(record))

    data = gateway.data("{ image(id: 1) { name } }", token=TOKEN)

    assert data == {"image": {"name": None}}


def test_words_newer_than_the_schema_are_unknown_beside_their_raw_twin(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A new status or visibility does not break the answer and is not lost."""
    newer = {"status": "frozen", "visibility": "federated"}
    double.always(json_reply(recorded_json("show-image") | newer))

    fields = "status statusRaw visibility visibilityRaw"
    data = gateway.data("{ image(id: 1) { %s } }" % fields, token=TOKEN)

    assert data["image"] == {
        "status": "UNKNOWN",
        "statusRaw": "frozen",
        "visibility": "UNKNOWN",
        "visibilityRaw": "federated",
    }


def test_glance_without_hidden_images_has_none(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A Glance older than os_hidden and the hashes hides nothing, hashes nothing."""
    record = recorded_json("show-image")
    for newer in ("os_hidden", "os_hash_algo", "os_hash_value"):
        del record[newer]
    double.always(json_reply(record))

    data = gateway.data("{ image(id: 1) { hidden hash { value } } }", token=TOKEN)

    assert data == {"image": {"hidden": False, "hash": None}}


PROPERTIES = [
    pytest.param('(prefix: "owner_spec")', 3, id="prefix"),
    pytest.param('(names: ["hw_rng_model", "nothing"])', 1, id="names"),
    pytest.param('(names: ["hw_rng_model"], prefix: "owner")', 0, id="both"),
    pytest.param("(names: [])", 0, id="no names"),
    pytest.param("(names: null, prefix: null)", 4, id="nulls"),
]


@pytest.mark.parametrize(("arguments", "count"), PROPERTIES)
def test_properties_can_be_chosen(
    gateway: Gateway, double: GlanceDouble, arguments: str, count: int
) -> None:
    """`names` and `prefix` each narrow the additional properties down."""
    double.always(Reply(body=recorded("show-image"), headers=JSON))

    document = "{ image(id: 1) { properties%s { name } } }" % arguments
    data = gateway.data(document, token=TOKEN)

    assert len(data["image"]["properties"]) == count


@pytest.mark.parametrize(
    ("name", "value"),
    [("hw_rng_model", "virtio"), ("nothing", None), ("status", None)],
)
def test_property_is_one_additional_property(
    gateway: Gateway, double: GlanceDouble, name: str, value: str | None
) -> None:
    """`property` shows an additional property, and no attribute."""
    double.always(Reply(body=recorded("show-image"), headers=JSON))

    document = "query ($name: String!) { image(id: 1) { property(name: $name) } }"
    data = gateway.data(document, token=TOKEN, name=name)

    assert data == {"image": {"property": value}}
