"""What the gateway sends, operation by operation, as it is on the wire."""

import threading
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pytest

from gateway.asgi.request_id import request_id
from gateway.glance.transport import base_url
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Reply, json_reply

TOKEN = "alice:proj-a:member,reader"
PATCH = "application/openstack-images-v2.1-json-patch"
IMAGE = {"id": "1", "tags": ["a"]}

OPERATIONS = [
    pytest.param(
        "{ image(id: 1) { id } }", "GET", urlsplit("/v2/images/1"), None, id="image"
    ),
    pytest.param(
        '{ images(first: 2, filter: {tags: ["a", "b"], name: {eq: "x:y"}},'
        " orderBy: [{field: NAME, direction: ASC}, {field: SIZE}]) { nodes { id } } }",
        "GET",
        urlsplit("/v2/images?name=eq:x:y&tag=a&tag=b&sort=name:asc,size:desc&limit=3"),
        None,
        id="images",
    ),
    pytest.param(
        'mutation { createImage(input: {id: 1, name: "n", minRam: 1,'
        " visibility: PRIVATE,"
        ' properties: [{name: "os", value: "bsd"}]}) { image { id } } }',
        "POST",
        urlsplit("/v2/images"),
        {"id": "1", "name": "n", "min_ram": 1, "visibility": "private", "os": "bsd"},
        id="createImage",
    ),
    pytest.param(
        "mutation { updateImage(input: {id: 1, hidden: true, name: null,"
        ' setProperties: [{name: "a/b~c", value: "v"}], removeProperties: ["old"]})'
        " { image { id } } }",
        "PATCH",
        urlsplit("/v2/images/1"),
        [
            {"op": "replace", "path": "/name", "value": None},
            {"op": "replace", "path": "/os_hidden", "value": True},
            {"op": "add", "path": "/a~1b~0c", "value": "v"},
            {"op": "remove", "path": "/old"},
        ],
        id="updateImage",
    ),
    pytest.param(
        "mutation { deleteImage(input: {id: 1}) { deletedId } }",
        "DELETE",
        urlsplit("/v2/images/1"),
        None,
        id="deleteImage",
    ),
    pytest.param(
        'mutation { addTag(input: {id: 1, tag: "a b?"}) { __typename } }',
        "PUT",
        urlsplit("/v2/images/1/tags/a%20b%3F"),
        None,
        id="addTag",
    ),
    pytest.param(
        'mutation { removeTag(input: {id: 1, tag: "a&b"}) { __typename } }',
        "DELETE",
        urlsplit("/v2/images/1/tags/a%26b"),
        None,
        id="removeTag",
    ),
]


@pytest.mark.parametrize(("document", "method", "target", "body"), OPERATIONS)
def test_operation_is_one_call(
    gateway: Gateway,
    double: GlanceDouble,
    document: str,
    method: str,
    target: SplitResult,
    body: object,
) -> None:
    """Method, path, query, headers and body are these and no others."""
    image = json_reply({"images": []} if "images(" in document else IMAGE)
    success = {"POST": json_reply(IMAGE, 201), "PUT": Reply(204), "DELETE": Reply(204)}
    double.always(success.get(method, image))

    gateway.data(document, token=TOKEN)

    (call,) = double.calls
    assert (call.method, unquote(call.path)) == (method, unquote(target.path))
    assert call.query == parse_qsl(target.query)
    assert (call.json if call.body else None) == body
    media_type = PATCH if method == "PATCH" else "application/json"
    assert {**call.headers, "host": "", "content-length": "", "connection": ""} == {
        "host": "",
        "connection": "",
        "accept": "*/*",
        "user-agent": "glance-gateway",
        "accept-encoding": "identity",
        "x-auth-token": TOKEN,
        "x-openstack-request-id": call.headers["x-openstack-request-id"],
        "content-length": "",
    } | ({} if body is None else {"content-type": media_type})


def test_tasks_are_one_call(gateway: Gateway, double: GlanceDouble) -> None:
    """Tasks come from the image's own route."""
    double.play(json_reply(IMAGE), json_reply({"tasks": []}))

    gateway.data("{ image(id: 1) { tasks { id } } }", token=TOKEN)

    assert double.asked == ["GET /v2/images/1", "GET /v2/images/1/tasks"]


def test_mangled_tag_is_read_and_patched(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A tag that the tag route can't carry goes by PATCH, with all the others."""
    double.play(json_reply(IMAGE), json_reply(IMAGE))

    document = 'mutation { addTag(input: {id: 1, tag: "é/"}) { image { id } } }'
    gateway.data(document, token=TOKEN)

    assert double.asked == ["GET /v2/images/1", "PATCH /v2/images/1"]
    assert double.calls[1].json == [
        {"op": "replace", "path": "/tags", "value": ["a", "é/"]}
    ]


HOSTILE_IDS = [
    "a?b",
    "a#b",
    "a b",
    "%2e%2e",
    "a%2Ftasks",
    "é",
    "a;b",
    "a\\..\\b",
    "a:b",
]


@pytest.mark.parametrize("image_id", HOSTILE_IDS)
def test_hostile_id_reaches_glance_as_data(
    gateway: Gateway, double: GlanceDouble, token: str, image_id: str
) -> None:
    """An id stays one segment of its path, and names no image."""
    document = "query ($id: ID!) { image(id: $id) { id } }"
    data = gateway.data(document, token=token, id=image_id)

    (call,) = double.calls
    assert call.query == []
    assert call.path.removeprefix("/v2/images/").count("/") == 0
    assert unquote(call.path) == f"/v2/images/{image_id}"
    assert data == {"image": None}


ROUTE_IDS = ["../../v2/tasks", "a/tasks", "a/tags/b", "a/", ".", "..", ""]
BY_ID = [
    "query ($id: ID!) { image(id: $id) { id } }",
    "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }",
    'mutation ($id: ID!) { addTag(input: {id: $id, tag: "t"}) { image { id } } }',
    'mutation ($id: ID!) { removeTag(input: {id: $id, tag: "é"}) { image { id } } }',
    'mutation ($id: ID!) { updateImage(input: {id: $id, name: "n"}) { __typename } }',
]


@pytest.mark.parametrize("image_id", ROUTE_IDS)
@pytest.mark.parametrize("document", BY_ID)
def test_id_that_could_become_a_route_is_never_sent(
    gateway: Gateway, double: GlanceDouble, token: str, document: str, image_id: str
) -> None:
    """Servers decode `%2F` and resolve dots before they route: no such id leaves."""
    answer = gateway.answer(document, token=token, id=image_id)

    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes == ([] if document.startswith("query") else ["NOT_FOUND"])
    assert double.calls == []


FORGED = {
    "X-Roles": "admin",
    "X-User-Id": "root",
    "X-Project-Id": "other",
    "X-Tenant-Id": "other",
    "X-Identity-Status": "Confirmed",
    "X-Service-Roles": "service",
    "X-Service-Token": "service",
    "X-Is-Admin-Project": "true",
    "X-Image-Meta-Property": "x",
    "Cookie": "session=1",
    "Forwarded": "for=1.2.3.4",
}


def test_no_header_of_the_client_travels_on_but_its_token(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Glance trusts headers that say who somebody is: none are passed on."""
    double.always(json_reply(IMAGE))

    headers = FORGED | {"X-Auth-Token": TOKEN}
    gateway.post("{ image(id: 1) { id } }", headers=headers)

    sent = {name.lower() for name in double.calls[0].headers}
    assert sent.isdisjoint(name.lower() for name in FORGED)


def test_service_token_travels_on_where_the_setting_says_so(
    double: GlanceDouble,
) -> None:
    """`X-Service-Token` is forwarded only when configured."""
    double.always(json_reply(IMAGE))

    headers = {"X-Auth-Token": TOKEN, "X-Service-Token": "service"}
    with running_gateway(double.url, forward_service_token=True) as gateway:
        gateway.post("{ image(id: 1) { id } }", headers=headers)

    assert double.calls[0].headers["x-service-token"] == "service"


def test_cookie_of_one_response_reaches_no_other_request(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A balancer's session cookie for one token is not sent with another."""
    cookie = {"Set-Cookie": "session=alice; Path=/"}
    double.always(Reply(body=json_reply(IMAGE).body, headers=cookie))

    for token in ("alice", "bob"):
        gateway.data("{ image(id: 1) { id } }", token=token)

    assert ["cookie" in call.headers for call in double.calls] == [False, False]


def test_redirect_is_not_followed(gateway: Gateway, double: GlanceDouble) -> None:
    """A token goes to Glance's address and nowhere else."""
    double.always(Reply(302, headers={"Location": f"{double.url}/elsewhere"}))

    error = gateway.error("{ image(id: 1) { id } }", token=TOKEN)

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert double.asked == ["GET /v2/images/1"]


@pytest.mark.parametrize(
    "address",
    [
        "http://ip/image",
        "http://ip/image/",
        "http://ip/image/v2",
        "http://ip/image/v2/",
    ],
)
def test_address_is_taken_in_every_spelling(address: str) -> None:
    """A prefix stays; a slash and `/v2` at the end make no difference."""
    assert base_url(address) == "http://ip/image"


@pytest.mark.parametrize("suffix", ["", "/", "/v2", "/v2/"])
def test_glance_behind_a_prefix_is_listed_page_by_page(
    glance_port: int, token: str, suffix: str
) -> None:
    """Links of Glance's lose the prefix; they are never followed."""
    with running_gateway(f"http://127.0.0.1:{glance_port}/image{suffix}") as gateway:
        ids = [gateway.create(token) for _ in range(3)]
        document = """query ($after: String) { images(
            first: 1, after: $after, filter: {visibility: SHARED}) {
            nodes { id } pageInfo { endCursor } } }"""
        listed: list[Any] = []
        after = None
        for _ in ids:
            page = gateway.data(document, token=token, after=after)["images"]
            listed += page["nodes"]
            after = page["pageInfo"]["endCursor"]

    assert [node["id"] for node in listed] == ids[::-1]


def test_upstream_call_ends_when_the_client_leaves(double: GlanceDouble) -> None:
    """Nobody waits for an answer that nobody will read."""
    asked, ended, answering = (threading.Event() for _ in range(3))

    def script(_: object) -> Reply:
        asked.set()
        return Reply(body=b"x" * 10_000_000, until=answering)

    double.script = script
    with running_gateway(double.url, hooks=[lambda _: ended.set()]) as gateway:
        gateway.ask_and_leave("{ image(id: 1) { id } }", token="t", once=asked)
        assert ended.wait(10)
        answering.set()

        assert double.has_lost_client.wait(10)


@pytest.mark.parametrize("asked", ["req-1", "req-" + "x" * 60])
def test_acceptable_request_id_is_kept(asked: str) -> None:
    """Up to 64 characters, as Glance takes them."""
    assert request_id(asked) == asked


def test_recorded_list_is_walked_by_marker(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """The next page is asked for by marker, not by the link that Glance sends."""
    answer = recorded_json("list-images")
    first, second, *_ = answer["images"]
    linked = {"next": "http://elsewhere/v2/images?marker=x"}
    double.play(
        json_reply({"images": [first], **linked}), json_reply({"images": [second]})
    )

    data = gateway.data("{ images(first: 1) { nodes { id } } }", token=TOKEN)

    assert [node["id"] for node in data["images"]["nodes"]] == [first["id"]]
    assert [call.query for call in double.calls] == [
        [("limit", "2")],
        [("limit", "1"), ("marker", first["id"])],
    ]
