"""One request to Glance on its way, and whether a response is the one to it. Pure.

Glance echoes the X-OpenStack-Request-ID that it is sent on every response but
the 401 of its authentication filter; a page of a proxy's own has no id, and is
believed where it says nothing of an image.
"""

import re
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from itertools import count
from os import urandom
from typing import Protocol

REQUEST_ID = "X-OpenStack-Request-ID"
# Glance answers 500 to a longer one.
REQUEST_ID_MAX_CHARACTERS = 64

# With these Glance says something of an image; a page of a proxy's must not.
_OF_IMAGES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE})
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
    """One request: its own id, and what has become of it.

    `was_sent` is False while Glance cannot have seen any of the request;
    `is_first` tells whether it is the first one on its connection.
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
        """Note the connection that the request is about to be written to."""
        self._connection = connection
        self.is_first = is_first
        self.was_sent = True

    def close(self) -> None:
        """Close the connection, so that nothing else comes over it."""
        if self._connection is not None:
            self._connection.close()

    def close_after_response(self) -> None:
        """Let no other request follow on the connection."""
        if self._connection is not None:
            self._connection.force_close()


class Verdict(Enum):
    """What is known of the sender of a response.

    PROVEN: it has our id. ACCEPTED: it has no id, and no other request can have
    caused it. UNPROVEN: it has no id, and may belong to an earlier request on
    its connection. FOREIGN: it belongs to another request.
    """

    PROVEN = "proven"
    ACCEPTED = "accepted"
    UNPROVEN = "unproven"
    FOREIGN = "foreign"


def is_success(status: int) -> bool:
    """Tell whether a call did what it was for."""
    return status // 100 == 2  # noqa: PLR2004 - 2xx


def unique_request_id(request_id: str) -> str:
    """Return an id of at most 64 characters that no other call is sent with.

    It begins with the given id, of which the end may be cut off.
    """
    number = next(_numbers) & _SUFFIX_MASK
    return f"{request_id[:_KEPT_CHARACTERS]}-{number:08x}"


def verdict(
    exchange: Exchange, status: int, echoed: Sequence[str], *, has_echoed: bool
) -> Verdict:
    """Judge a response by its status and the ids that it came with.

    `has_echoed` tells whether this Glance has echoed an id before: from then on
    it has to on whatever says something of an image.
    """
    if echoed:
        is_ours = all(one == exchange.request_id for one in echoed)
        return Verdict.PROVEN if is_ours else Verdict.FOREIGN
    if has_echoed and (is_success(status) or status in _OF_IMAGES):
        return Verdict.FOREIGN
    return Verdict.ACCEPTED if exchange.is_first else Verdict.UNPROVEN


def loggable(echoed: Sequence[str]) -> str:
    """Return ids of a response as a log may show them."""
    shown = (one if _PLAIN.fullmatch(one) else "a malformed id" for one in echoed[:2])
    return " and ".join(shown) or "no id"
