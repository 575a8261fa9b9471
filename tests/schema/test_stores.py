"""The cloud's stores and Glance's JSON schemas."""

from http import HTTPStatus

import httpx

from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Reply
from tests.support.imports import imported_image

STORES = "{ stores { id description isDefault isReadOnly } }"
OF_IMAGE = """query ($id: ID!) { image(id: $id) {
    stores { id description isDefault isReadOnly } } }"""
SCHEMA = "query ($of: JsonSchemaName!) { jsonSchema(of: $of) }"


def test_stores_come_out_as_the_operator_named_them(
    gateway: Gateway, rest: httpx.Client, token: str
) -> None:
    """Flags are words in Glance's answer, and Boolean here."""
    rows = rest.get("/info/stores").json()["stores"]

    stores = gateway.data(STORES, token=token)["stores"]

    assert stores == [
        {
            "id": row["id"],
            "description": row.get("description"),
            "isDefault": row.get("default") == "true",
            "isReadOnly": row.get("read-only") == "true",
        }
        for row in rows
    ]
    assert [store["isDefault"] for store in stores] == [True, False]


def test_cloud_with_a_single_store_has_no_list_of_stores(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Glance answers 404 there."""
    double.play(Reply(HTTPStatus.NOT_FOUND))

    assert gateway.data(STORES, token="t") == {"stores": []}


def test_images_stores_are_described_by_one_call(
    gateway: Gateway, double: GlanceDouble, rest: httpx.Client, token: str
) -> None:
    """An image knows its stores' ids; the rest is asked for once a request."""
    image_id = imported_image(rest)
    listed = gateway.data(STORES, token=token)["stores"]
    double.reset()

    stores = gateway.data(OF_IMAGE, token=token, id=image_id)["image"]["stores"]

    assert stores == [store for store in listed if store["id"] == "fast"]
    assert double.asked == [f"GET /v2/images/{image_id}", "GET /v2/info/stores"]


def test_stores_that_cannot_be_described_leave_the_image_whole(
    gateway: Gateway, double: GlanceDouble, rest: httpx.Client, token: str
) -> None:
    """What costs a call of its own fails alone."""
    image_id = imported_image(rest)
    double.script = lambda received: (
        Reply(503) if received.path.endswith("/stores") else None
    )
    document = """query ($id: ID!) {
        image(id: $id) { id stores { id description } } }"""

    answer = gateway.answer(document, token=token, id=image_id)

    stores = [{"id": "fast", "description": None}]
    assert answer["data"]["image"] == {"id": image_id, "stores": stores}
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["GLANCE_UNAVAILABLE"]


def test_json_schema_comes_out_unchanged(
    gateway: Gateway, rest: httpx.Client, token: str
) -> None:
    """Each name is a route of Glance's."""
    names = {"IMAGE": "image", "METADEF_NAMESPACES": "metadefs/namespaces"}

    shown = {
        name: gateway.data(SCHEMA, token=token, of=name)["jsonSchema"] for name in names
    }

    assert shown == {
        name: rest.get(f"/schemas/{route}").json() for name, route in names.items()
    }


def test_every_json_schema_name_is_a_route_of_glance(
    gateway: Gateway, token: str
) -> None:
    """None of the names is a mistake."""
    document = '{ __type(name: "JsonSchemaName") { enumValues { name } } }'
    values = gateway.data(document, token=None)["__type"]["enumValues"]

    for value in values:
        shown = gateway.data(SCHEMA, token=token, of=value["name"])["jsonSchema"]
        assert "properties" in shown


def test_json_schema_that_a_cloud_lacks_is_unsupported(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Older clouds do not have them all."""
    double.play(Reply(HTTPStatus.NOT_FOUND))

    error = gateway.error(SCHEMA, token="t", of="METADEF_TAG")

    assert error["extensions"]["code"] == "UNSUPPORTED_BY_CLOUD"


def test_stores_and_schemas_are_remembered(double: GlanceDouble, token: str) -> None:
    """Operators change them seldom, and writes of images never do."""
    with running_gateway(double.url) as gateway:
        for _ in range(2):
            gateway.data(STORES, token=token)
            gateway.data(SCHEMA, token=token, of="IMAGE")
            gateway.create(token)

    reads = [one for one in double.asked if one.startswith("GET")]
    assert reads == ["GET /v2/info/stores", "GET /v2/schemas/image"]
