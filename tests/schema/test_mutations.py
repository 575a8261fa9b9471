"""Every mutation against the real Glance, and what it asked Glance."""

from typing import Any

import httpx
import pytest

from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble

CREATE = """mutation ($input: CreateImageInput!) { createImage(input: $input) {
    image { id name visibility tags minDisk hidden properties { name value } } } }"""
UPDATE = """mutation ($input: UpdateImageInput!) { updateImage(input: $input) {
    image { name diskFormat minRam protected hidden visibility tags
            properties { name value } } } }"""
ADD = "mutation ($input: ImageTagInput!) { addTag(input: $input) { image { tags } } }"
REMOVE = """mutation ($input: ImageTagInput!) {
    removeTag(input: $input) { image { tags } } }"""
DELETE = """mutation ($input: DeleteImageInput!) {
    deleteImage(input: $input) { deletedId } }"""

MANGLED_TAGS = ["été", "a/b", ".", "..", "", "line\n"]
PLAIN_TAGS = ["lts", "a b", "100%", "a?b=c&d", "#1", "%2F", "c++", "a:b,c", '"quoted"']


def pairs(properties: list[dict[str, str]]) -> dict[str, str]:
    """Return GraphQL's properties as a mapping."""
    return {one["name"]: one["value"] for one in properties}


def test_created_image_has_what_was_given(gateway: Gateway, token: str) -> None:
    """`createImage` registers attributes, tags and additional properties."""
    given = {
        "name": "größe/1",
        "visibility": "COMMUNITY",
        "tags": ["a"],
        "minDisk": 3,
        "hidden": True,
        "properties": [{"name": "os/distro ü~", "value": 'débian, "13"'}],
    }

    data = gateway.data(CREATE, token=token, input=given)

    image = data["createImage"]["image"]
    assert image == given | {"id": image["id"]}


def test_null_on_create_is_left_to_glance(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A null attribute is not sent, so that Glance's default holds."""
    given = {"name": None, "minDisk": None, "visibility": None, "tags": None}

    data = gateway.data(CREATE, token=token, input=given)

    image_id = data["createImage"]["image"]["id"]
    assert double.calls[0].json == {"id": image_id}


def test_update_touches_only_what_is_given(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """The patch has one operation for each change and nothing else."""
    image_id = gateway.create(token, name="before", minRam=64, tags=["kept"])
    double.reset()

    data = gateway.data(UPDATE, token=token, input={"id": image_id, "name": "after"})

    assert data["updateImage"]["image"]["name"] == "after"
    assert data["updateImage"]["image"]["minRam"] == 64
    assert [(call.method, call.json) for call in double.calls] == [
        ("PATCH", [{"op": "replace", "path": "/name", "value": "after"}])
    ]


def test_update_changes_every_attribute(gateway: Gateway, token: str) -> None:
    """What can be given is what Glance has afterwards."""
    image_id = gateway.create(token, name="before")
    changes: dict[str, Any] = {
        "name": "after",
        "diskFormat": "raw",
        "minRam": 128,
        "protected": False,
        "hidden": True,
        "visibility": "PRIVATE",
        "tags": ["été", "a/b"],
    }

    data = gateway.data(UPDATE, token=token, input={"id": image_id, **changes})

    image = data["updateImage"]["image"]
    assert sorted(image.pop("tags")) == sorted(changes.pop("tags"))
    assert image == changes | {"properties": []}


@pytest.mark.parametrize("name", ["os_distro", "größe", "a/b", "~1", "a~b/c~0", ""])
def test_property_of_any_name_is_set_replaced_and_removed(
    gateway: Gateway, token: str, name: str
) -> None:
    """Property names are escaped as RFC 6901 wants."""
    image_id = gateway.create(token)
    seen = []

    for value in ("new", "replaced"):
        change = {"id": image_id, "setProperties": [{"name": name, "value": value}]}
        seen.append(gateway.data(UPDATE, token=token, input=change))
    removal = {"id": image_id, "removeProperties": [name]}
    seen.append(gateway.data(UPDATE, token=token, input=removal))

    shown = [pairs(data["updateImage"]["image"]["properties"]) for data in seen]
    assert shown == [{name: "new"}, {name: "replaced"}, {}]


def test_null_clears_what_can_be_cleared(gateway: Gateway, token: str) -> None:
    """Name, formats and tags can be cleared by null."""
    image_id = gateway.create(token, name="n", diskFormat="raw", tags=["a"])
    cleared = {"id": image_id, "name": None, "diskFormat": None, "tags": None}

    data = gateway.data(UPDATE, token=token, input=cleared)

    image = data["updateImage"]["image"]
    assert (image["name"], image["diskFormat"], image["tags"]) == (None, None, [])


BAD_CHANGES = [
    pytest.param({"minDisk": None}, "input.minDisk", id="null of a number"),
    pytest.param({"hidden": None}, "input.hidden", id="null of a flag"),
    pytest.param({"visibility": "UNKNOWN"}, "input.visibility", id="unknown word"),
    pytest.param(
        {"setProperties": [{"name": "status", "value": "active"}]},
        "input.setProperties",
        id="attribute as property",
    ),
    pytest.param(
        {"setProperties": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
        "input.setProperties",
        id="property twice",
    ),
    pytest.param(
        {"setProperties": [{"name": " a", "value": "1"}]},
        "input.setProperties",
        id="white space that Glance strips",
    ),
    pytest.param(
        {"setProperties": [{"name": "a", "value": "1"}], "removeProperties": ["a"]},
        "input.removeProperties",
        id="set and removed",
    ),
]


@pytest.mark.parametrize(("change", "argument"), BAD_CHANGES)
def test_change_that_makes_no_sense_names_its_argument(
    gateway: Gateway, double: GlanceDouble, change: dict[str, Any], argument: str
) -> None:
    """Nothing is sent where the gateway knows that it can't be right."""
    error = gateway.error(UPDATE, token="any", input={"id": "1", **change})

    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert error["message"].startswith(argument)
    assert double.calls == []


def test_attribute_as_property_is_refused_on_create(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """`properties` can't smuggle in an attribute."""
    given = {"properties": [{"name": "owner", "value": "somebody"}]}

    error = gateway.error(CREATE, token="any", input=given)

    assert error["extensions"]["argument"] == "input.properties"
    assert double.calls == []


def test_update_without_changes_sends_nothing_but_shows_the_image(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """No change is no PATCH."""
    image_id = gateway.create(token, name="same")
    double.reset()

    data = gateway.data(UPDATE, token=token, input={"id": image_id})

    assert data["updateImage"]["image"]["name"] == "same"
    assert double.asked == [f"GET /v2/images/{image_id}"]


def test_failed_update_changes_nothing(gateway: Gateway, token: str) -> None:
    """Glance applies all of a patch or nothing."""
    image_id = gateway.create(token, name="before")
    change = {"id": image_id, "name": "after", "removeProperties": ["missing"]}

    error = gateway.error(UPDATE, token=token, input=change)

    assert error["extensions"]["code"] == "CONFLICT"
    document = "query ($id: ID!) { image(id: $id) { name } }"
    assert gateway.data(document, token=token, id=image_id)["image"]["name"] == "before"


def test_deleted_image_is_gone(gateway: Gateway, token: str) -> None:
    """`deleteImage` answers with the id of what is no longer there."""
    image_id = gateway.create(token)

    data = gateway.data(DELETE, token=token, input={"id": image_id})

    assert data == {"deleteImage": {"deletedId": image_id}}
    document = "query ($id: ID!) { image(id: $id) { id } }"
    assert gateway.data(document, token=token, id=image_id) == {"image": None}


@pytest.mark.parametrize("tag", PLAIN_TAGS + MANGLED_TAGS)
def test_any_tag_is_added_and_removed(gateway: Gateway, token: str, tag: str) -> None:
    """Tags arrive as they are, whatever Glance's tag route makes of them."""
    image_id = gateway.create(token, tags=["kept"])
    named = {"id": image_id, "tag": tag}

    added = gateway.data(ADD, token=token, input=named)
    removed = gateway.data(REMOVE, token=token, input=named)

    assert sorted(added["addTag"]["image"]["tags"]) == sorted(["kept", tag])
    assert removed["removeTag"]["image"]["tags"] == ["kept"]


@pytest.mark.parametrize("tag", ["plain", "été"])
def test_tag_added_twice_is_there_once(gateway: Gateway, token: str, tag: str) -> None:
    """Adding a tag that is there changes nothing."""
    image_id = gateway.create(token, tags=[tag])

    data = gateway.data(ADD, token=token, input={"id": image_id, "tag": tag})

    assert data["addTag"]["image"]["tags"] == [tag]


@pytest.mark.parametrize("tag", ["plain", "été"])
def test_removing_a_missing_tag_says_so(gateway: Gateway, token: str, tag: str) -> None:
    """A tag that is not there is NOT_FOUND, on either route."""
    image_id = gateway.create(token)

    error = gateway.error(REMOVE, token=token, input={"id": image_id, "tag": tag})

    assert error["extensions"]["code"] == "NOT_FOUND"
    assert image_id in error["message"]
    assert repr(tag) in error["message"]


def test_image_is_asked_for_again_only_where_it_is_selected(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A tag's answer holds no image: only a selection costs the second call."""
    image_id = gateway.create(token)
    double.reset()

    document = """mutation ($input: ImageTagInput!) {
        quiet: addTag(input: $input) { __typename }
        shown: addTag(input: $input) { image { tags } } }"""
    gateway.data(document, token=token, input={"id": image_id, "tag": "t"})

    path = f"/v2/images/{image_id}"
    put = f"PUT {path}/tags/t"
    assert double.asked == [put, put, f"GET {path}"]


def test_mutations_run_in_order_and_one_failure_stops_no_other(
    gateway: Gateway, token: str
) -> None:
    """A mutation that fails is null with an error; the next ones still run."""
    image_id = gateway.create(token)

    document = """mutation ($id: ID!) {
        first: addTag(input: {id: $id, tag: "1"}) { __typename }
        second: addTag(input: {id: "nothing", tag: "2"}) { __typename }
        third: addTag(input: {id: $id, tag: "3"}) { image { tags } } }"""
    answer = gateway.answer(document, token=token, id=image_id)

    assert answer["data"]["first"] is not None
    assert answer["data"]["second"] is None
    assert sorted(answer["data"]["third"]["image"]["tags"]) == ["1", "3"]
    assert [error["path"] for error in answer["errors"]] == [["second"]]


def test_image_can_be_made_public_by_an_administrator_alone(
    gateway: Gateway, rest: httpx.Client, token: str, admin_token: str
) -> None:
    """Glance's policies decide, by the token's roles."""
    image_id = gateway.create(token)
    publish = {"id": image_id, "visibility": "PUBLIC"}

    refused = gateway.error(UPDATE, token=token, input=publish)
    gateway.data(UPDATE, token=admin_token, input=publish)

    assert refused["extensions"]["code"] == "FORBIDDEN"
    assert rest.get(f"/images/{image_id}").json()["visibility"] == "public"
    gateway.data(DELETE, token=admin_token, input={"id": image_id})
