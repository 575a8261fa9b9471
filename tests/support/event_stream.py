"""Server-sent events as a test reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from tests.support.gateway import Gateway

EVENTS = "text/event-stream"


class Stream:
    """The events of one answer."""

    def __init__(self, response: httpx.Response) -> None:
        """Read from the response."""
        self.response = response
        self._lines = response.iter_lines()

    def event(self) -> tuple[str, Any]:
        """Return the next event's name and its data's JSON, None for none."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in fields:
                break
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        data = fields["data"]
        return fields["event"], orjson.loads(data) if data else None

    def change(self) -> Any:
        """Return the next change of an image."""
        name, answer = self.event()
        assert name == "next"
        return answer["data"]["imageChanged"]


@contextmanager
def stream(
    gateway: Gateway, token: str | None, document: str, **variables: object
) -> Iterator[Stream]:
    """Send an operation, as one who takes events alone, and read its answers."""
    headers = {"Accept": EVENTS} | ({} if token is None else {"X-Auth-Token": token})
    body = {"query": document, "variables": variables}
    asked = gateway.client.stream("POST", "/graphql", json=body, headers=headers)
    with asked as response:
        yield Stream(response)
