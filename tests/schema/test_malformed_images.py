"""One image that is not as Glance's API says leaves the rest of its page alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.recorded import recorded_json
from tests.schema.test_recorded_answers import ATTRIBUTES
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, json_reply
from tests.support.images import create_image

TOKEN = "any token will do"
ID = "malformed"
PLACE = 12
PAGE_INFO = "pageInfo { hasNextPage startCursor endCursor }"
EVERYTHING = """
    id name status statusRaw visibility visibilityRaw owner protected hidden diskFormat
    containerFormat minDisk minRam size virtualSize checksum hash { algorithm value }
    tags properties { name value } property(name: "os_distro") createdAt updatedAt self
    file schema stores { id } locations { url metadata store { id } } directUrl"""
MISSING = object()
# The field is null, with an error; or the whole image is.
ERROR, LOST = object(), object()
PATH = f"/v2/images/{ID}"


@dataclass(frozen=True)
class Row:
    """What a field shows where its key is missing, null, or of the wrong type.

    `others` are further values with what is shown for them.
    """

    key: str
    field: str
    missing: Any
    null: Any
    wrong: Any
    others: Sequence[tuple[Any, Any]] = ()


def word(key: str, field: str) -> list[Row]:
    """Return the rows of a field with a raw twin."""
    others = (("frozen", "UNKNOWN"), (["a"], "UNKNOWN"))
    raw = (("frozen", "frozen"), (["a"], '["a"]'))
    return [
        Row(key, field, "UNKNOWN", "UNKNOWN", "UNKNOWN", others),
        Row(key, f"{field}Raw", None, None, "5", raw),
    ]


def text(key: str, field: str) -> Row:
    """Return the row of an optional text."""
    return Row(key, field, None, None, "5", (("new", "new"), ({}, ERROR), ([], ERROR)))


def boolean(key: str, field: str) -> Row:
    """Return the row of a Boolean."""
    named = (("true", True), ("False", False), ("TRUE", True), (0, False), (1, True))
    none, others = (False, False), [*named, ("maybe", LOST), ([], LOST)]
    return Row(key, field, *none, LOST, others)


def amount(key: str, field: str) -> Row:
    """Return the row of an amount, which is 0 for none."""
    others: Sequence[tuple[Any, Any]] = (
        ("20", 20),
        (20.0, 20),
        ("much", LOST),
        (2**31, LOST),
        (True, LOST),
    )
    return Row(key, field, 0, 0, 5, others)


def size(key: str, field: str) -> Row:
    """Return the row of a size."""
    others: list[tuple[Any, Any]] = [("1099511627776", 2**40), (2.0, 2), (1.5, ERROR)]
    others += [("large", ERROR), ({}, ERROR), (2**63, ERROR)]
    return Row(key, field, None, None, 5, others)


def time(key: str, field: str) -> Row:
    """Return the row of a time."""
    moment = "2026-01-31T12:00:00"
    others = [("yesterday", ERROR), ({}, ERROR), (moment, moment + "Z")]
    return Row(key, field, None, None, ERROR, others)


STORES = "stores { id }"
LOCATIONS = "locations { url metadata store { id } }"
LOCATION = {"url": "file:///x", "metadata": {"store": "one"}}
SHOWN_LOCATION = {**LOCATION, "store": {"id": "one"}}
ROWS = [
    *word("status", "status"),
    *word("visibility", "visibility"),
    *(boolean("protected", "protected"), boolean("os_hidden", "hidden")),
    *(amount("min_disk", "minDisk"), amount("min_ram", "minRam")),
    *(size("size", "size"), size("virtual_size", "virtualSize")),
    *(time("created_at", "createdAt"), time("updated_at", "updatedAt")),
    *(text("name", "name"), text("owner", "owner"), text("checksum", "checksum")),
    *(text("disk_format", "diskFormat"), text("container_format", "containerFormat")),
    text("direct_url", "directUrl"),
    Row("self", "self", PATH, PATH, PATH),
    Row("file", "file", f"{PATH}/file", f"{PATH}/file", f"{PATH}/file"),
    Row(
        "schema",
        "schema",
        "/v2/schemas/image",
        "/v2/schemas/image",
        "/v2/schemas/image",
    ),
    Row(
        *("tags", "tags", [], [], LOST),
        others=(([1, None, "a", True, {}], ["1", "a", "true", "{}"]), ("a", LOST)),
    ),
    Row(
        *("stores", STORES, [], [], LOST),
        others=(
            ("one,,two", [{"id": "one"}, {"id": "two"}]),
            (["one", 2], [{"id": "one"}, {"id": "2"}]),
        ),
    ),
    Row(
        *("locations", LOCATIONS, None, None, ERROR),
        others=(
            ([LOCATION, LOCATION], [SHOWN_LOCATION, SHOWN_LOCATION]),
            (
                [{"url": "x", "metadata": None}, {"url": "y", "metadata": []}],
                [
                    {"url": "x", "metadata": {}, "store": None},
                    {"url": "y", "metadata": [], "store": None},
                ],
            ),
        ),
    ),
    Row(
        *("os_hash_algo", "hash { algorithm }", None, None, {"algorithm": "5"}),
        others=(("new", {"algorithm": "new"}), ({}, ERROR)),
    ),
    Row(
        *("os_hash_value", "hash { value }", None, None, {"value": "5"}),
        others=(([], ERROR),),
    ),
    Row(
        *("os_distro", 'property(name: "os_distro")', None, None, "5"),
        others=(
            ("text", "text"),
            (True, "true"),
            (1.5, "1.5"),
            (["a", None], '["a",null]'),
            ({"a": {}}, '{"a":{}}'),
        ),
    ),
]
CELLS = [
    pytest.param(row, value, shown, id=f"{row.field}-{number}")
    for row in ROWS
    for number, (value, shown) in enumerate(
        ((MISSING, row.missing), (None, row.null), (5, row.wrong), *row.others)
    )
]


def record(image_id: str, **changes: Any) -> dict[str, Any]:
    """Return an image, without the keys that are to be missing."""
    image = recorded_json("show-image") | {"id": image_id, "self": f"/i/{image_id}"}
    image = {**image, "stores": "one", "locations": [LOCATION], **changes}
    return {key: value for key, value in image.items() if value is not MISSING}


def page(malformed: object) -> dict[str, Any]:
    """Return a page of 25 images, of which the one in the middle is given."""
    images: list[object] = [record(f"image-{number}") for number in range(25)]
    images[PLACE] = malformed
    return {"images": images}


def answers(
    gateway: Gateway, double: GlanceDouble, malformed: object, document: str
) -> list[Any]:
    """Return the results for the page, each of another way to execute a document."""
    double.always(json_reply(page(malformed)))
    return [gateway.answer(document, token=TOKEN) for _ in range(3)]


def errors_of(result: Any) -> list[tuple[str, Any, str]]:
    """Return code, id and message of each error."""
    return [
        (one["extensions"]["code"], one["extensions"].get("id"), one["message"])
        for one in result.get("errors", [])
    ]


@pytest.mark.parametrize(("row", "value", "shown"), CELLS)
def test_malformed_value_leaves_the_other_images_alone(
    gateway: Gateway, double: GlanceDouble, row: Row, value: object, shown: object
) -> None:
    """A field shows what the value means, else an error that names the image."""
    document = f"{{ images {{ nodes {{ id {row.field} }} {PAGE_INFO} }} }}"
    (normal, *_) = answers(gateway, double, record(ID), document)
    expected = normal["data"]["images"]
    node = expected["nodes"][PLACE]
    field = next(name for name in node if name != "id")
    expected["nodes"][PLACE] = None if shown is LOST else node
    node[field] = None if shown is ERROR else shown

    for result in answers(gateway, double, record(ID, **{row.key: value}), document):
        assert result["data"]["images"] == expected
        assert all(ID in message for _, _, message in errors_of(result))
        assert [error[:2] for error in errors_of(result)] == (
            [("GLANCE_UNAVAILABLE", ID)] if shown is ERROR or shown is LOST else []
        )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.field)
def test_malformed_value_counts_where_it_is_selected_only(
    gateway: Gateway, double: GlanceDouble, row: Row
) -> None:
    """An image is shown to whoever does not select the malformed field."""
    document = "{ images { nodes { id } } }"

    for result in answers(gateway, double, record(ID, **{row.key: {}}), document):
        assert "errors" not in result
        assert result["data"]["images"]["nodes"][PLACE] == {"id": ID}


def test_properties_of_any_type_are_given(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Text is given as it is, null as null, and all else as JSON text."""
    properties: dict[str, Any] = {
        "__data_origin": None,
        "__support_kvm": True,
        "__image_size": 838860800,
        "__ratio": 0.5,
        "__list": ["a", 1, None],
        "__object": {"a": {"b": []}},
        "text": "1",
        "empty": "",
    }
    shown = [None, "true", "838860800", "0.5", '["a",1,null]', '{"a":{"b":[]}}']
    document = "{ images { nodes { properties { name value } } } }"
    plain = {name: value for name, value in record(ID).items() if name in ATTRIBUTES}

    for result in answers(gateway, double, plain | properties, document):
        assert "errors" not in result
        assert result["data"]["images"]["nodes"][PLACE]["properties"] == [
            {"name": name, "value": value}
            for name, value in zip(properties, [*shown, "1", ""], strict=True)
        ]


WITHOUT_ID = [
    pytest.param(record("x", id=MISSING), id="missing"),
    pytest.param(record("x", id=None), id="null"),
    pytest.param(record("x", id=""), id="empty"),
    pytest.param(record("x", id=["x"]), id="list"),
    pytest.param(record("x", id=True), id="boolean"),
    pytest.param(None, id="null row"),
    pytest.param("text", id="text row"),
    pytest.param([], id="list row"),
]


@pytest.mark.parametrize("fields", ["id", "name", pytest.param(EVERYTHING, id="all")])
@pytest.mark.parametrize("row", WITHOUT_ID)
def test_image_without_id_is_an_error_in_its_place(
    gateway: Gateway, double: GlanceDouble, row: Any, fields: str
) -> None:
    """It is null in nodes and edges, and one error for each tells so."""
    document = f"""{{ images {{ nodes {{ {fields} }}
        edges {{ cursor node {{ {fields} }} }} {PAGE_INFO} }} }}"""
    (normal, *_) = answers(gateway, double, record(ID), document)
    expected = normal["data"]["images"]
    expected["nodes"][PLACE] = expected["edges"][PLACE]["node"] = None

    for result in answers(gateway, double, row, document):
        shown = result["data"]["images"]
        shown["edges"][PLACE]["cursor"] = expected["edges"][PLACE]["cursor"]
        assert shown == expected
        named = " named 'cirros-0.5.2-x86_64-disk'" if isinstance(row, dict) else ""
        message = f"Glance sent an image{named} that has no id."
        assert errors_of(result) == [("GLANCE_UNAVAILABLE", None, message)] * 2


def test_number_for_an_id_is_its_text(gateway: Gateway, double: GlanceDouble) -> None:
    """An image with such an id is shown, and read by its id."""
    document = "{ images { nodes { id name } } }"

    results = answers(gateway, double, record("x", id=7), document)
    double.play(json_reply(record("x", id=7)))
    alone = gateway.data('{ image(id: "7") { id } }', token=TOKEN)

    for result in results:
        assert result["data"]["images"]["nodes"][PLACE]["id"] == "7"
    assert alone == {"image": {"id": "7"}}


def test_null_that_a_real_glance_stores_is_null(
    gateway: Gateway, rest: httpx.Client, token: str
) -> None:
    """Glance's own schema-image.json lets a property be null."""
    created = rest.post("/images", json={"name": "x", "kernel_id": None})
    create_image(rest, name="other")
    fields = 'name properties { name value } property(name: "kernel_id")'
    document = (
        "query ($filter: ImageFilter) { images(filter: $filter) { nodes { %s } } }"
    )

    data = gateway.data(document % fields, token=token, filter={"visibility": "SHARED"})

    assert created.json()["kernel_id"] is None
    assert data["images"]["nodes"] == [
        {"name": "other", "properties": [], "property": None},
        {
            "name": "x",
            "properties": [{"name": "kernel_id", "value": None}],
            "property": None,
        },
    ]


def test_project_that_accepted_an_image_with_a_null_lists_its_own(
    gateway: Gateway, rest: httpx.Client, other_token: str
) -> None:
    """Sharing an image does not empty the list of another project."""
    member = other_token.split(":")[1]
    image_id = create_image(rest, name="shared", visibility="shared", kernel_id=None)
    rest.post(f"/images/{image_id}/members", json={"member": member}).raise_for_status()
    gateway.create(other_token, name="own")
    path, own = f"/images/{image_id}/members/{member}", {"X-Auth-Token": other_token}
    rest.put(path, headers=own, json={"status": "accepted"}).raise_for_status()
    document = """{ images(filter: {visibility: SHARED}) {
        nodes { name property(name: "kernel_id") properties { name value } } } }"""

    data = gateway.data(document, token=other_token)

    null = {"name": "kernel_id", "value": None}
    assert data["images"]["nodes"] == [
        {"name": "own", "property": None, "properties": []},
        {"name": "shared", "property": None, "properties": [null]},
    ]
