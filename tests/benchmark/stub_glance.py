"""A stub of Glance that costs less than any gateway before it.

It answers GETs alone, with bytes that are made once for each address out of
recorded answers. Run by `execution`: `python -m tests.benchmark.stub_glance PORT`.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

import orjson
import uvloop

from gateway.listening import HOST
from tests.recorded import recorded_json

IMAGES = 10_000
CALLS_PATH = "/calls"
LISTENING = " running on "

# What the recorded images lack: all have no tags, and some no own properties.
ADDED = {
    "tags": ["lts", "cloud-init"],
    "os_distro": "debian",
    "os_version": "13",
}

# The recorded list of tasks is empty; this is one as Glance shows an import.
TASK = {
    "type": "api_image_import",
    "status": "success",
    "owner": "451b3702cafc46be87c6ed34104e7943",
    "user_id": "ee28a2ccb9ba4a0a8b3c3a9d3b1d3b4c",
    "request_id": "req-7e4e3a1c-5b8b-4f5e-9d77-1d6d2a8c7b55",
    "input": {"import_req": {"method": {"name": "glance-direct"}}},
    "result": None,
    "message": "Copied 15 MiB",
    "created_at": "2021-07-13T07:23:18.000000",
    "updated_at": "2021-07-13T07:23:19.000000",
    "expires_at": "2021-07-15T07:23:19.000000",
    "deleted_at": None,
    "deleted": False,
}


def image_id(number: int) -> str:
    """Return the UUID of an image by its place in the list, from 0."""
    return str(uuid5(NAMESPACE_URL, f"image-{number}"))


class Glance:
    """What the stub answers, and how often it was asked."""

    def __init__(self) -> None:
        """Hold 10,000 images in the order of their numbers."""
        self._calls = 0
        self._answers: dict[str, bytes] = {}
        self._ids = [image_id(number) for number in range(IMAGES)]
        self._images = dict(zip(self._ids, _images(self._ids), strict=True))

    def answer(self, target: str) -> bytes:
        """Return the HTTP answer; what is asked for again is only looked up."""
        if target == CALLS_PATH:
            return _http(200, orjson.dumps({"calls": self._calls}))
        self._calls += 1
        if target not in self._answers:
            self._answers[target] = self._made(target)
        return self._answers[target]

    def _made(self, target: str) -> bytes:
        asked = urlsplit(target)
        match asked.path.strip("/").split("/"):
            case ["v2", "images"]:
                return _http(200, self._page(parse_qs(asked.query)))
            case ["v2", "images", wanted] if wanted in self._images:
                return _http(200, self._images[wanted])
            case ["v2", "images", wanted, "tasks"] if wanted in self._images:
                return _http(200, _tasks(wanted))
        return _http(404, b"{}")

    def _page(self, parameters: dict[str, list[str]]) -> bytes:
        limit = int(parameters.get("limit", ["25"])[0])
        marker = parameters.get("marker", [""])[0]
        start = self._ids.index(marker) + 1 if marker else 0
        shown = self._ids[start : start + limit]
        links = recorded_json("list-images") | {"images": []}
        if start + limit < IMAGES:
            links["next"] = f"/v2/images?limit={limit}&marker={shown[-1]}"
        images = b",".join(self._images[one] for one in shown)
        return orjson.dumps(links).replace(b"[]", b"[%b]" % images, 1)


class Connection(asyncio.Protocol):
    """A kept connection; a request is answered as soon as its head is there."""

    def __init__(self, glance: Glance) -> None:
        """Answer what `glance` answers."""
        self._glance = glance
        self._waiting = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request whose head is whole; GETs have no body."""
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._waiting[:end])
            del self._waiting[: end + 4]
            answer = self._glance.answer(head.split(b" ", 2)[1].decode())
            self._transport.write(answer.replace(b"$id", _request_id(head), 1))


async def serve(port: int) -> None:
    """Answer for ever."""
    glance = Glance()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(glance), HOST, port)
    print(f"Glance's stub{LISTENING}{port}", file=sys.stderr, flush=True)
    await server.serve_forever()


def _images(ids: Sequence[str]) -> list[bytes]:
    """Return an image for each id, as JSON; every fifth is the one shown alone."""
    templates = [recorded_json("show-image"), *recorded_json("list-images")["images"]]
    return [
        orjson.dumps(_image(templates[number % len(templates)], number, one))
        for number, one in enumerate(ids)
    ]


def _image(template: dict[str, Any], number: int, one: str) -> dict[str, Any]:
    path = f"/v2/images/{one}"
    own = {"id": one, "name": f"{template['name']}-{number}"}
    return template | ADDED | own | {"self": path, "file": f"{path}/file"}


def _tasks(one: str) -> bytes:
    task = TASK | {"id": str(uuid5(NAMESPACE_URL, one)), "image_id": one}
    return orjson.dumps(recorded_json("image-tasks") | {"tasks": [task]})


def _request_id(head: bytes) -> bytes:
    """Return the id that the request came with."""
    _, _, rest = head.partition(b"X-OpenStack-Request-ID: ")
    return rest.partition(b"\r\n")[0]


def _http(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} Stub\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "X-Openstack-Request-Id: $id\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
