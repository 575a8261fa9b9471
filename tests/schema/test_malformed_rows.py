"""A malformed task or store leaves the others alone, and so does an image by id."""

from typing import Any

import pytest

from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

TOKEN = "any token will do"
TASK = {
    "id": "task",
    "type": "import",
    "status": "success",
    "created_at": "2026-01-31T12:00:00",
    "updated_at": "2026-01-31T12:00:00",
    "deleted": False,
}
TASKS = "{ image(id: 1) { name tasks { id %s } } }"
STORES = "{ stores { id description isDefault isReadOnly } }"
ID = "6caf7a3f-feb9-4fb1-afb2-993c1ef019e6"
OTHER = "66d7043a-bf24-48a4-9cd7-f4cc7403ffa9"
UNIDENTIFIED = [{"name": "x"}, {"id": None}, {"id": {}}, None, "text", 5, []]


def cases(key: str, field: str, *pairs: tuple[Any, Any]) -> list[Any]:
    """Return a field's cases: a value, and what is shown, `...` for an error."""
    return [(key, field, value, shown) for value, shown in pairs]


NO_WORDS: list[Any] = [None, 5, "new", [], {}]
UNKNOWN = [(value, "UNKNOWN") for value in NO_WORDS]
TASK_VALUES = [
    *cases("type", "type", *UNKNOWN),
    *cases("type", "typeRaw", (None, None), (5, "5"), ([], "[]")),
    *cases("status", "status", *UNKNOWN),
    *cases("status", "statusRaw", (None, None), (5, "5"), ([], "[]")),
    *cases("created_at", "createdAt", (None, None), ("x", ...)),
    *cases("updated_at", "updatedAt", (None, None), (5, ...)),
    *cases("expires_at", "expiresAt", (None, None), ({}, ...)),
    *cases("deleted_at", "deletedAt", (None, None), ("x", ...)),
    *cases("deleted", "deleted", (None, False), ("true", True)),
    *cases("message", "message", (None, None), ({"a": 1}, '{"a":1}')),
    *cases("owner", "owner", (None, None), (5, "5"), ([], ...)),
    *cases("user_id", "userId", (None, None), (5, "5"), ([], ...)),
    *cases("request_id", "requestId", (None, None), ([], ...)),
    *cases("image_id", "imageId", (None, None), ({}, ...)),
    *cases("input", "input", (None, None), ("x", "x"), ([], [])),
    *cases("result", "result", (None, None), ("x", "x"), ([], [])),
]


def play_tasks(double: GlanceDouble, task: object) -> None:
    """Let an image have three tasks, of which the second is given."""
    tasks = [TASK, task, TASK]

    def answer(request: Received) -> Reply:
        is_tasks = request.path.endswith("/tasks")
        return json_reply({"tasks": tasks} if is_tasks else recorded_json("show-image"))

    double.script = answer


@pytest.mark.parametrize(("key", "field", "value", "shown"), TASK_VALUES)
def test_malformed_value_of_a_task_leaves_the_others_alone(
    gateway: Gateway, double: GlanceDouble, key: str, field: str, value: Any, shown: Any
) -> None:
    """A field shows what the value means, else an error that names the task."""
    play_tasks(double, {**TASK, "id": "malformed", key: value})

    for _ in range(3):
        result = gateway.answer(TASKS % field, token=TOKEN)
        first, second, third = result["data"]["image"]["tasks"]
        expected = None if shown is ... else shown
        assert first == third
        assert second == {"id": "malformed", field: expected}
        ids = [error["extensions"]["id"] for error in result.get("errors", [])]
        assert ids == (["malformed"] if shown is ... else [])


def test_malformed_value_of_a_needed_field_is_an_error_at_its_task(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The other tasks are there."""
    play_tasks(double, {**TASK, "id": "malformed", "deleted": "maybe"})

    result = gateway.answer(TASKS % "deleted", token=TOKEN)

    shown = {"id": "task", "deleted": False}
    assert result["data"]["image"]["tasks"] == [shown, None, shown]
    (error,) = result["errors"]
    assert error["message"] == "Glance sent a malformed deleted for malformed."


@pytest.mark.parametrize("task", UNIDENTIFIED)
def test_task_without_id_is_an_error_in_its_place(
    gateway: Gateway, double: GlanceDouble, task: object
) -> None:
    """It names the image; the other tasks are there."""
    play_tasks(double, task)

    result = gateway.answer(TASKS % "", token=TOKEN)

    assert result["data"]["image"]["tasks"] == [{"id": "task"}, None, {"id": "task"}]
    (error,) = result["errors"]
    assert error["path"] == ["image", "tasks", 1]
    assert error["extensions"]["id"] == "1"
    assert error["message"].endswith(" of image 1 that has no id.")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        pytest.param({"default": True}, {"isDefault": True}, id="boolean"),
        pytest.param({"default": "False"}, {"isDefault": False}, id="capital"),
        pytest.param({"read-only": None}, {"isReadOnly": False}, id="null"),
        pytest.param({"read-only": []}, {"isReadOnly": None}, id="list"),
        pytest.param({"description": 5}, {"description": "5"}, id="number"),
        pytest.param({"description": {}}, {"description": None}, id="object"),
    ],
)
def test_malformed_value_of_a_store_leaves_the_others_alone(
    gateway: Gateway, double: GlanceDouble, changes: Any, shown: Any
) -> None:
    """A field shows what the value means, else an error that names the store."""
    stores = [{"id": "a", "default": "true"}, {"id": "b", **changes}]
    double.always(json_reply({"stores": stores}))

    result = gateway.answer(STORES, token=TOKEN)

    none = {"description": None, "isDefault": False, "isReadOnly": False}
    first, second = result["data"]["stores"]
    assert first == {"id": "a", **none, "isDefault": True}
    assert second == {"id": "b", **none, **shown}
    ids = [error["extensions"]["id"] for error in result.get("errors", [])]
    is_lost = None in shown.values()
    assert ids == (["b"] if is_lost else [])


@pytest.mark.parametrize("store", UNIDENTIFIED)
def test_store_without_id_is_an_error_in_its_place(
    gateway: Gateway, double: GlanceDouble, store: object
) -> None:
    """The other stores are there, and described."""
    double.always(json_reply({"stores": [store, {"id": "a", "description": "A."}]}))

    result = gateway.answer("{ stores { id description } }", token=TOKEN)

    assert result["data"]["stores"] == [None, {"id": "a", "description": "A."}]
    (error,) = result["errors"]
    assert error["path"] == ["stores", 0]


@pytest.mark.parametrize("row", UNIDENTIFIED)
def test_images_read_together_pass_what_has_no_id(
    gateway: Gateway, double: GlanceDouble, row: object
) -> None:
    """An image that the list does not show is read alone."""
    image = recorded_json("show-image")

    def answer(request: Received) -> Reply:
        listed = [image | {"id": ID}, row]
        return json_reply({"images": listed} if "?" in request.target else image)

    double.script = answer
    document = """query ($id: ID!, $other: ID!) {
        a: image(id: $id) { id } b: image(id: $other) { id } }"""

    data = gateway.data(document, token=TOKEN, id=ID, other=OTHER)

    assert data == {"a": {"id": ID}, "b": {"id": OTHER}}
    assert double.reads_of(OTHER) == len(double.calls) - 1 == 1


@pytest.mark.parametrize("status", [None, 5, [], {}, "frozen"])
def test_cached_page_shows_a_malformed_image_as_before(
    double: GlanceDouble, status: object
) -> None:
    """What is cached is what Glance sent, without an id, too."""
    odd = recorded_json("show-image") | {"status": status, "os_hidden": "true"}
    rows = [odd, {"name": "no id"}, recorded_json("show-image")]
    double.always(json_reply({"images": rows}))
    document = "{ images { nodes { id status hidden } } }"

    with running_gateway(double.url, cache_url="memory://") as gateway:
        results = [gateway.answer(document, token=TOKEN)["data"] for _ in range(3)]

    shown = {"id": ID, "status": "UNKNOWN", "hidden": True}
    plain = {"id": ID, "status": "ACTIVE", "hidden": False}
    assert results == [{"images": {"nodes": [shown, None, plain]}}] * 3
    assert len(double.calls) == 1


def test_payload_shows_an_image_with_a_null_property(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A mutation that has succeeded says so."""
    changes = {"os_distro": None, "os_hidden": "true", "created_at": None}
    double.always(json_reply(recorded_json("show-image") | changes))
    fields = 'hidden createdAt property(name: "os_distro") status'
    document = """mutation ($id: ID!) {
        updateImage(input: {id: $id, name: "x"}) { image { %s } } }"""

    data = gateway.data(document % fields, token=TOKEN, id=ID)

    assert data["updateImage"]["image"] == {
        "hidden": True,
        "createdAt": None,
        "property": None,
        "status": "ACTIVE",
    }
