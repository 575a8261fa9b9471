"""Servers that are not Glance: what they say of images is never believed."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply
from tests.support.raw_glance import RawRequest, answering, raw_glance, response
from tests.support.websocket import SECONDS, socket, subscription

LIST = "{ images { nodes { id } } }"
SHOW = "{ image(id: 1) { id } }"
STORES = "{ stores { id } }"
READS = {
    "show": SHOW,
    "list": LIST,
    "stores": STORES,
    "schema": "{ jsonSchema(of: IMAGE) }",
}
WRITES = {
    "create": 'mutation { createImage(input: {name: "x"}) { __typename } }',
    "update": 'mutation { updateImage(input: {id: 1, name: "x"}) { __typename } }',
    "delete": "mutation { deleteImage(input: {id: 1}) { __typename } }",
    "add tag": 'mutation { addTag(input: {id: 1, tag: "t"}) { __typename } }',
    "remove tag": 'mutation { removeTag(input: {id: 1, tag: "t"}) { __typename } }',
}
OPEN = "It was sent, and its outcome is open."

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain"}
NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1>"
    "</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
APACHE = (
    b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
    b"<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n"
    b"<p>The requested URL was not found on this server.</p>\n</body></html>\n"
)
HAPROXY = (
    b"<html><body><h1>404 Not Found</h1>\nThe requested URL was not found.\n"
    b"</body></html>\n"
)
WEBOB_200 = (
    b"<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
    b"  <h1>404 Not Found</h1>\n  No image found<br /><br />\n </body>\n</html>"
)


def nginx(status: str) -> bytes:
    """Return a page of nginx's own."""
    return response(
        NGINX.format(status).encode(), None, status=int(status[:3]), headers=HTML
    )


def page(status: int, body: object, headers: dict[str, str] | None = None) -> bytes:
    """Return a response without a request id."""
    return response(body, None, status=status, headers=headers)


PAGES = {
    "nginx 404": nginx("404 Not Found"),
    "nginx 405": nginx("405 Not Allowed"),
    "nginx 410": nginx("410 Gone"),
    "nginx 409": nginx("409 Conflict"),
    "Apache 404": page(404, APACHE, HTML),
    "HAProxy 404": page(404, HAPROXY, HTML),
    "ingress-nginx 404": page(404, b"default backend - 404", TEXT),
    "Traefik 404": page(404, b"404 page not found\n", TEXT),
    "Envoy 404": page(404, b""),
    "Kong 404": page(404, {"message": "no Route matched with those values"}),
    "Spring 404": page(404, {"status": 404, "error": "Not Found", "path": "/v2/x"}),
    "JSON text 404": page(404, ["message", "code", "title"]),
    "page of another status": page(410, WEBOB_200, HTML),
    "maintenance": page(200, b"<html><body>Back soon</body></html>", HTML),
    "maintenance without a body": page(200, b""),
    "accepted": page(202, {}),
    "no text": page(200, {}),
    "list": page(200, []),
    "text": page(200, "OK"),
    "health": page(200, {"status": "UP"}),
}


class OtherServer:
    """A server that is not Glance, and a gateway that takes it for Glance.

    With `was_glance` it is Glance that responds to the first request.
    """

    def __init__(self, *, was_glance: bool) -> None:
        """Respond with nothing yet."""
        self.gateway: Gateway
        self.page = b""
        self._is_glance = was_glance

    @contextmanager
    def running(self) -> Iterator["OtherServer"]:
        """Run both."""
        with (
            raw_glance(answering(self._response)) as glance,
            running_gateway(glance.url) as self.gateway,
        ):
            if self._is_glance:
                self.gateway.data(LIST, token="other")
                self._is_glance = False
            yield self

    def _response(self, request: RawRequest) -> bytes:
        if self._is_glance:
            return response({"images": []}, request.request_id)
        return self.page


@pytest.fixture(scope="module", params=[False, True], ids=["never", "once"])
def other(request: pytest.FixtureRequest) -> Iterator[OtherServer]:
    """Run a server that has never been Glance, or was it once."""
    with OtherServer(was_glance=request.param).running() as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
def test_page_of_another_server_does_not_change_an_image(
    other: OtherServer, name: str
) -> None:
    """Nothing is missing, done, taken or unsupported: Glance is unavailable."""
    other.page = PAGES[name]

    errors = {
        operation: other.gateway.error(document, token="t")
        for operation, document in (READS | WRITES).items()
    }

    codes = {one["extensions"]["code"] for one in errors.values()}
    assert codes == {"GLANCE_UNAVAILABLE"}
    ends = {one: errors[one]["message"].endswith(OPEN) for one in errors}
    assert ends == dict.fromkeys(READS, False) | dict.fromkeys(WRITES, True)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ingress-nginx 404", "a 404 page that is not Glance's"),
        ("nginx 405", "a 405 page that is not Glance's"),
        ("Kong 404", "a 404 response that is not Glance's"),
        ("maintenance", "a 200 page that is not Glance's"),
    ],
)
def test_error_describes_the_response_of_another_server(
    other: OtherServer, name: str, found: str
) -> None:
    """Its status, and that it is not Glance's."""
    other.page = PAGES[name]

    error = other.gateway.error(SHOW, token="t")

    assert error["message"] == f"Could not get image 1: the response is {found}."
    assert error["extensions"]["status"] is None


def test_pages_that_are_not_glances_do_not_flood_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line in a minute describes the responses of another server."""
    other = OtherServer(was_glance=True)
    other.page = PAGES["ingress-nginx 404"]

    with other.running():
        for number in range(20):
            token = f"token-{number}"
            other.gateway.error(SHOW, token=token)

    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    pages = [one for one in warnings if "mixes up" not in one.getMessage()]
    (line,) = [one.getMessage() for one in pages]
    assert "the response is a 404 page that is not Glance's" in line
    assert len(warnings) <= 2


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206])
@pytest.mark.parametrize("has_id", [True, False])
def test_success_of_another_kind_is_no_success_of_a_read(
    gateway: Gateway, double: GlanceDouble, status: int, *, has_id: bool
) -> None:
    """Glance sends 200; other servers send other statuses."""
    body = b"" if status == 204 else b'{"id": "1", "images": [], "stores": []}'
    double.always(Reply(status, body, has_id=has_id))

    codes = [
        gateway.error(document, token="t")["extensions"]["code"]
        for document in READS.values()
    ]

    assert codes == ["GLANCE_UNAVAILABLE"] * len(READS)


@pytest.mark.parametrize("has_id", [True, False])
@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("create", [200, 202, 204]),
        ("update", [201, 202, 204]),
        ("delete", [200, 201, 202]),
        ("add tag", [200, 201, 202]),
        ("remove tag", [200, 201, 202]),
    ],
)
def test_success_of_another_kind_is_no_success_of_a_write(
    gateway: Gateway,
    double: GlanceDouble,
    operation: str,
    statuses: list[int],
    *,
    has_id: bool,
) -> None:
    """Glance sends 201 for a new image, 200 for a changed one, else 204."""
    for status in statuses:
        body = b"" if status == 204 else b'{"id": "1"}'
        double.always(Reply(status, body, has_id=has_id))

        error = gateway.error(WRITES[operation], token="t")

        assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
        assert error["message"].endswith(OPEN)


@pytest.mark.parametrize("reply", [json_reply([]), json_reply({}), json_reply("x")])
def test_glances_json_of_the_wrong_kind_is_glance_unavailable(
    gateway: Gateway, double: GlanceDouble, reply: Reply
) -> None:
    """A request id makes no image of what is none."""
    double.always(reply)

    codes = [
        gateway.error(document, token="t")["extensions"]["code"]
        for document in READS.values()
    ]

    assert codes == ["GLANCE_UNAVAILABLE"] * len(READS)


def test_web_server_in_glances_place_is_glance_unavailable(tmp_path: Path) -> None:
    """Its 404s are no empty cloud, and its 501s are no missing route."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of connections that the gateway closes early."""

    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    with running_gateway(f"http://127.0.0.1:{server.server_port}") as gateway:
        codes = {
            gateway.error(document, token="t")["extensions"]["code"]
            for document in (READS | WRITES).values()
        }
    server.shutdown()
    server.server_close()
    thread.join()

    assert codes == {"GLANCE_UNAVAILABLE"}


@pytest.mark.parametrize("name", ["ingress-nginx 404", "maintenance", "no text"])
@pytest.mark.parametrize("strips_ids", [False, True])
def test_page_that_is_not_glances_is_not_cached(
    double: GlanceDouble, rest_image: str, token: str, name: str, *, strips_ids: bool
) -> None:
    """The next read calls Glance itself, and its response is shown."""
    double.strips_ids = strips_ids
    status = int(PAGES[name].split(b" ")[1])
    body = PAGES[name].partition(b"\r\n\r\n")[2]
    show = "query ($id: ID!) { image(id: $id) { id } }"

    with running_gateway(double.url) as gateway:
        gateway.data("{ images { nodes { name } } }", token=token)
        double.always(Reply(status, body, has_id=False))
        gateway.error(show, token=token, id=rest_image)
        gateway.error(STORES, token=token)
        double.script = lambda _: None
        image = gateway.data(show, token=token, id=rest_image)
        stores = gateway.data(STORES, token=token)

    assert image == {"image": {"id": rest_image}}
    assert [one["id"] for one in stores["stores"]] == ["fast", "slow"]


@pytest.mark.parametrize("strips_ids", [False, True])
def test_page_of_another_server_sends_no_deleted_event(
    double: GlanceDouble, rest_image: str, token: str, *, strips_ids: bool
) -> None:
    """An ingress' 404 is an outage; the image is there when it is over."""
    double.strips_ids = strips_ids
    document = "subscription ($id: ID!) { imageChanged(id: $id) { kind } }"
    rename = """mutation ($id: ID!) {
        updateImage(input: {id: $id, name: "new"}) { __typename } }"""

    with ExitStack() as stack:
        gateway = stack.enter_context(often_polling(double))
        opened = stack.enter_context(socket(gateway))
        opened.init(**{"X-Auth-Token": token})
        for name in range(20):
            opened.subscribe(document, name=str(name), id=rest_image)
        first = [opened.event() for _ in range(20)]
        double.always(Reply(404, b"default backend - 404", TEXT, has_id=False))
        warned = [opened.answer() for _ in range(20)]
        double.script = lambda _: None
        gateway.data(rename, token=token, id=rest_image)
        changed = [opened.event() for _ in range(20)]

    assert first == [{"kind": "SNAPSHOT"}] * 20
    assert changed == [{"kind": "UPDATED"}] * 20
    assert {code_of_warning(one) for one in warned} == {"GLANCE_UNAVAILABLE"}


@pytest.mark.usefixtures("rest_image")
def test_page_of_another_server_sends_no_deleted_events_of_a_list(
    double: GlanceDouble, token: str
) -> None:
    """A maintenance page is no empty list."""
    document = "subscription { imagesChanged { kind } }"
    polls: SimpleQueue[str] = SimpleQueue()
    maintenance = Reply(200, b"<html>Back soon", HTML, has_id=False)

    def play(reply: Reply | None) -> None:
        def script(received: Received) -> Reply | None:
            polls.put(received.method)
            return reply

        double.script = script
        for _ in range(4):
            polls.get(timeout=SECONDS)

    with (
        often_polling(double) as gateway,
        subscription(gateway, token, document) as events,
    ):
        play(None)
        play(maintenance)
        double.script = lambda _: None
        gateway.create(token)
        answer = events.answer()

    assert answer["data"] == {"imagesChanged": {"kind": "CREATED"}}
    assert code_of_warning(answer) == "GLANCE_UNAVAILABLE"


def test_glance_behind_a_proxy_that_strips_ids_is_accepted(
    double: GlanceDouble, token: str
) -> None:
    """Its statuses, its JSON and the form of its error pages are marks enough."""
    double.strips_ids = True
    show = "query ($id: ID!) { image(id: $id) { id } }"
    delete = "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }"
    tag = """mutation ($id: ID!) { addTag(input: {id: $id, tag: "t"}) {
        image { tags } } }"""
    untag = """mutation ($id: ID!) { removeTag(input: {id: $id, tag: "t"}) {
        image { tags } } }"""
    create = "mutation ($id: ID!) { createImage(input: {id: $id}) { image { id } } }"

    with running_gateway(double.url) as gateway:
        image_id = gateway.create(token)
        ask = partial(gateway.data, token=token, id=image_id)
        fail = partial(gateway.error, token=token, id=image_id)
        done = [ask(tag), ask(untag)]
        refused = [fail(untag), fail(create)]
        ask(delete)
        shown = ask(show)
        refused += [fail(delete), fail(tag)]

    assert done == [
        {"addTag": {"image": {"tags": ["t"]}}},
        {"removeTag": {"image": {"tags": []}}},
    ]
    assert shown == {"image": None}
    codes = [error["extensions"]["code"] for error in refused]
    assert codes == ["NOT_FOUND", "CONFLICT", "NOT_FOUND", "NOT_FOUND"]


@contextmanager
def often_polling(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that polls Glance often for subscribers."""
    with running_gateway(
        double.url, poll_seconds=0.05, poll_transient_seconds=0.05
    ) as gateway:
        yield gateway


def code_of_warning(answer: Json) -> str:
    """Return the code of the warning that an event comes with."""
    (warning,) = answer["extensions"]["warnings"]
    return str(warning["extensions"]["code"])


@pytest.fixture
def rest_image(gateway: Gateway, double: GlanceDouble, token: str) -> str:
    """Return the id of an image of the test's own."""
    image_id = gateway.create(token)
    double.reset()
    return image_id
