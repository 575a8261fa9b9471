"""One request to Glance, and whether a response belongs to it. Pure.

Glance echoes the X-OpenStack-Request-ID of a request on every response but the 401
of its authentication filter. A proxy's own error page has no id: it is accepted
unless only Glance may send its status.
"""

import re
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from itertools import count
from os import urandom
from typing import Protocol

REQUEST_ID = "X-OpenStack-Request-ID"
# Glance responds with 500 to a longer one.
REQUEST_ID_MAX_CHARACTERS = 64

# Statuses that are accepted from Glance itself only: they mean that something does
# not exist, exists already, or is not supported.
STATEMENTS = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.CONFLICT,
        HTTPStatus.GONE,
    }
)
_SUFFIX_BYTES = 4
_SUFFIX_MASK = 2 ** (8 * _SUFFIX_BYTES) - 1
_KEPT_CHARACTERS = REQUEST_ID_MAX_CHARACTERS - 2 * _SUFFIX_BYTES - len("-")
_PLAIN = re.compile(r"[0-9A-Za-z._-]{1,64}")

_numbers = count(int.from_bytes(urandom(_SUFFIX_BYTES), "big"))


class Connection(Protocol):
    """The part of a connection that an exchange needs."""

    def close(self) -> None:
        """Close the connection."""

    def force_close(self) -> None:
        """Close the connection once the response is read."""


class Exchange:
    """One request: its id, its connection, and whether it was sent.

    `was_sent` is False while Glance cannot have received any part of the request or
    of an earlier attempt. `is_first` is True for the first request on a connection.
    """

    __slots__ = (
        "_connection",
        "is_first",
        "needs_new_connection",
        "request_id",
        "was_sent",
    )

    def __init__(self, request_id: str, *, needs_new_connection: bool) -> None:
        """Derive the id to send from the id of the client's request."""
        self.request_id = unique_request_id(request_id)
        self.needs_new_connection = needs_new_connection
        self.is_first = True
        self.was_sent = False
        self._connection: Connection | None = None

    def assign_connection(self, connection: Connection, *, is_first: bool) -> None:
        """Set the connection that the request is about to be written to."""
        self._connection = connection
        self.is_first = is_first
        self.was_sent = True

    def repeat(self, request_id: str) -> None:
        """Prepare for a second attempt: with another id, on a new connection."""
        self.request_id = unique_request_id(request_id)
        self.needs_new_connection = True
        self._connection = None

    def close(self) -> None:
        """Close the connection, so that nothing else is read from it."""
        if self._connection is not None:
            self._connection.close()

    def close_after_response(self) -> None:
        """Close the connection once the response is read."""
        if self._connection is not None:
            self._connection.force_close()


class Verdict(Enum):
    """Whether a response belongs to its request.

    PROVEN: it has the request's id. ACCEPTED: it has no id, and no other request
    can have caused it. UNPROVEN: it has no id, and may belong to an earlier request
    on its connection. FOREIGN: it belongs to another request.
    """

    PROVEN = "proven"
    ACCEPTED = "accepted"
    UNPROVEN = "unproven"
    FOREIGN = "foreign"


def is_success(status: int) -> bool:
    """Return whether the status is that of a success."""
    return status // 100 == 2  # noqa: PLR2004 - 2xx


def unique_request_id(request_id: str) -> str:
    """Return an id of at most 64 characters that no other call has.

    It begins with the given id, shortened if necessary.
    """
    number = next(_numbers) & _SUFFIX_MASK
    return f"{request_id[:_KEPT_CHARACTERS]}-{number:08x}"


def verdict(
    exchange: Exchange, status: int, echoed: Sequence[str], *, has_echoed: bool
) -> Verdict:
    """Return whether a response belongs to its request, by its status and ids.

    `has_echoed` is True once Glance has echoed an id. From then on a success and
    each of STATEMENTS needs an id.
    """
    if echoed:
        is_ours = echoed.count(exchange.request_id) == len(echoed)
        return Verdict.PROVEN if is_ours else Verdict.FOREIGN
    if has_echoed and (is_success(status) or status in STATEMENTS):
        return Verdict.FOREIGN
    return Verdict.ACCEPTED if exchange.is_first else Verdict.UNPROVEN


def loggable(echoed: Sequence[str]) -> str:
    """Return the ids of a response in a form that is safe to log."""
    shown = (one if _PLAIN.fullmatch(one) else "a malformed id" for one in echoed[:2])
    return " and ".join(shown) or "no id"
