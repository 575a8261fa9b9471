"""Tasks below images: every attribute, one call each, failing alone."""

import threading

import httpx
import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.images import create_image
from tests.support.imports import imported_image

TASKS = """query ($id: ID!) { image(id: $id) { tasks {
    id type typeRaw status statusRaw imageId owner userId requestId input result
    message expiresAt createdAt updatedAt deletedAt deleted } } }"""
PAGE = "query ($first: Int!) { images(first: $first) { nodes { id tasks { id } } } }"


def test_task_comes_out_attribute_by_attribute(
    gateway: Gateway, rest: httpx.Client, token: str
) -> None:
    """Every attribute has its field; times without a zone are UTC."""
    image_id = imported_image(rest)
    (row,) = rest.get(f"/images/{image_id}/tasks").json()["tasks"]

    data = gateway.data(TASKS, token=token, id=image_id)

    assert data["image"]["tasks"] == [
        {
            "id": row["id"],
            "type": "API_IMAGE_IMPORT",
            "typeRaw": "api_image_import",
            "status": "SUCCESS",
            "statusRaw": "success",
            "imageId": image_id,
            "owner": row["owner"],
            "userId": "alice",
            "requestId": row["request_id"],
            "input": row["input"],
            "result": row["result"],
            "message": row["message"],
            "expiresAt": row["expires_at"] + "Z",
            "createdAt": row["created_at"] + "Z",
            "updatedAt": row["updated_at"] + "Z",
            "deletedAt": None,
            "deleted": False,
        }
    ]


def test_tasks_cost_one_call_for_each_image(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A page with tasks is a list and one call for each image on it."""
    ids = {gateway.create(token) for _ in range(3)}
    double.reset()

    document = "{ images(filter: {visibility: SHARED}) { nodes { tasks { id } } } }"
    gateway.data(document, token=token)

    listed, *tasks = double.asked
    assert listed.startswith("GET /v2/images?")
    assert sorted(tasks) == sorted(f"GET /v2/images/{one}/tasks" for one in ids)


def test_image_asked_for_twice_in_one_query_is_fetched_once(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """Equal loads of one request are one call."""
    image_id = gateway.create(token)
    double.reset()

    document = """query ($id: ID!) {
        one: image(id: $id) { id tasks { id } }
        two: image(id: $id) { name tasks { id } } }"""
    gateway.data(document, token=token, id=image_id)

    path = f"GET /v2/images/{image_id}"
    assert double.asked == [path, f"{path}/tasks"]


def test_tasks_of_a_page_are_loaded_at_once_but_within_a_bound(
    double: GlanceDouble,
) -> None:
    """As many calls as the setting says are under way, and never more."""
    under_way = _Meter(expected=3)
    double.script = under_way.reply

    with running_gateway(double.url, glance_calls_per_identity=3) as gateway:
        gateway.data(PAGE, token="any", first=9)

    assert under_way.most == 3


def test_failed_tasks_null_themselves_and_no_image(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """What costs a call of its own fails alone."""
    broken = "/v2/images/00000000-0000-0000-0000-000000000001/tasks"
    images = [{"id": f"00000000-0000-0000-0000-{number:012}"} for number in range(3)]

    def script(received: Received) -> Reply:
        if received.path == broken:
            return Reply(503)
        if received.path.endswith("/tasks"):
            return json_reply({"tasks": []})
        return json_reply({"images": images})

    double.script = script
    answer = gateway.answer(PAGE, token="any", first=3)

    tasks = [node["tasks"] for node in answer["data"]["images"]["nodes"]]
    assert tasks == [[], None, []]
    (error,) = answer["errors"]
    assert error["path"] == ["images", "nodes", 1, "tasks"]
    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_cloud_without_the_route_says_so(
    double: GlanceDouble,
) -> None:
    """A Glance that is too old for tasks is UNSUPPORTED_BY_CLOUD, tasks null."""
    page = (
        "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
        "  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />\n"
        "\n\n\n </body>\n</html>"
    )
    html = {"Content-Type": "text/html; charset=UTF-8"}
    image = json_reply({"id": "1", "name": "old"})
    double.play(image, Reply(404, page.encode(), html), image)

    document = "{ image(id: 1) { name tasks { id } } }"
    with running_gateway(double.url) as gateway:
        answer = gateway.answer(document, token="any")

    assert answer["data"] == {"image": {"name": "old", "tasks": None}}
    assert answer["errors"][0]["extensions"]["code"] == "UNSUPPORTED_BY_CLOUD"


@pytest.mark.parametrize("strips_ids", [False, True])
def test_tasks_of_an_image_deleted_meanwhile_are_null(
    double: GlanceDouble, rest: httpx.Client, token: str, *, strips_ids: bool
) -> None:
    """The cloud supports tasks: nothing else of the page is in error."""
    gone, kept = create_image(rest), create_image(rest)
    double.strips_ids = strips_ids

    def script(received: Received) -> None:
        if received.path == f"/v2/images/{gone}/tasks":
            rest.delete(f"/images/{gone}").raise_for_status()

    double.script = script
    with running_gateway(double.url) as gateway:
        document = (
            "{ images(filter: {visibility: SHARED}) { nodes { id tasks { id } } } }"
        )
        data = gateway.data(document, token=token)

    tasks = {node["id"]: node["tasks"] for node in data["images"]["nodes"]}
    assert tasks == {gone: None, kept: []}


def test_cloud_without_tasks_says_so_for_each_image(
    double: GlanceDouble,
) -> None:
    """That costs no other call than those for tasks."""
    images = [{"id": f"00000000-0000-0000-0000-{number:012}"} for number in range(25)]

    def script(received: Received) -> Reply:
        if received.path.endswith("/tasks"):
            return Reply(404)
        return json_reply({"images": images})

    double.script = script
    with running_gateway(double.url) as gateway:
        answer = gateway.answer(PAGE, token="any", first=25)

    codes = [error["extensions"]["code"] for error in answer["errors"][:-1]]
    assert set(codes) == {"UNSUPPORTED_BY_CLOUD"}
    lists = [one for one in double.asked if not one.endswith("/tasks")]
    assert len(lists) == 1


class _Meter:
    """Answers tasks only once `expected` calls for them are under way."""

    def __init__(self, expected: int) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(expected, timeout=10)

    def reply(self, received: Received) -> Reply:
        if not received.path.endswith("/tasks"):
            return json_reply({"images": [{"id": str(n)} for n in range(9)]})
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._together.wait()
        with self._lock:
            self._now -= 1
        return json_reply({"tasks": []})
