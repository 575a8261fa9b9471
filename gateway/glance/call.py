"""One call to Glance as a value, and the result of a read."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

import msgspec

# An image may have 128 properties of 64 KiB.
RECORD_MAX_BYTES = 16 * 1024 * 1024

Value = TypeVar("Value")


class Call(msgspec.Struct, frozen=True):
    """One request to Glance; `purpose` is used in its error messages.

    `max_bytes` bounds the body of the response, besides the transport's own bound.
    With 0 the body of a success is not read, so it may be broken. `has_id` is True
    if the body of a POST has the id of what it creates. `success` is the status
    that Glance sends when the call succeeds.
    """

    method: str
    path: str
    purpose: str
    parameters: tuple[tuple[str, str], ...] = ()
    body: object = None
    media_type: str = "application/json"
    max_bytes: float = RECORD_MAX_BYTES
    has_id: bool = False
    success: int = HTTPStatus.OK

    @property
    def is_write(self) -> bool:
        """Return whether the call may change something in Glance."""
        return self.method != "GET"

    @property
    def is_idempotent(self) -> bool:
        """Return whether Glance carries out the call once even if it is sent twice.

        A POST with an id is idempotent: Glance rejects an id that already exists.
        """
        return self.has_id or self.method in {"GET", "PUT", "DELETE"}

    @property
    def kind(self) -> tuple[str, int]:
        """Return method and depth of the path; calls of one kind take similar time."""
        return self.method, self.path.count("/")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Value]):
    """The result of a call: the bytes that Glance sent, and the decoded value."""

    content: bytes
    value: Value
