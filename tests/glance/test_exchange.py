"""Whose a response is, by its status and ids."""

import pytest

from gateway.glance.exchange import (
    REQUEST_ID_MAX_CHARACTERS,
    Exchange,
    Verdict,
    loggable,
    unique_request_id,
    verdict,
)

OWN, OTHER = "own", "other"

CASES = [
    (200, [OWN], Verdict.PROVEN),
    (404, [OWN], Verdict.PROVEN),
    (200, [OWN, OWN], Verdict.PROVEN),
    (200, [OTHER], Verdict.FOREIGN),
    (401, [OTHER], Verdict.FOREIGN),
    (200, [OWN, OTHER], Verdict.FOREIGN),
    (200, [""], Verdict.FOREIGN),
]


@pytest.mark.parametrize(("status", "echoed", "expected"), CASES)
@pytest.mark.parametrize("has_echoed", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
def test_id_decides_which_request_a_response_belongs_to(
    *,
    status: int,
    echoed: list[str],
    expected: Verdict,
    has_echoed: bool,
    is_first: bool,
) -> None:
    """An id counts on every connection, before and after the first echo."""
    exchange = exchange_on(is_first=is_first)
    ids = [exchange.request_id if one == OWN else one for one in echoed]

    assert verdict(exchange, status, ids, has_echoed=has_echoed) is expected


WITHOUT_ID = [
    # status, has echoed before, first on its connection
    (200, False, True, Verdict.ACCEPTED),
    (200, True, True, Verdict.FOREIGN),
    (200, True, False, Verdict.FOREIGN),
    (404, False, True, Verdict.ACCEPTED),
    (404, True, True, Verdict.FOREIGN),
    (409, True, True, Verdict.FOREIGN),
    (410, True, True, Verdict.FOREIGN),
    (405, True, True, Verdict.FOREIGN),
    (401, True, True, Verdict.ACCEPTED),
    (401, True, False, Verdict.UNPROVEN),
    (408, True, False, Verdict.UNPROVEN),
    (502, True, True, Verdict.ACCEPTED),
    (502, True, False, Verdict.UNPROVEN),
]


@pytest.mark.parametrize(("status", "has_echoed", "is_first", "expected"), WITHOUT_ID)
def test_response_without_an_id_is_accepted_first_on_a_connection(
    *,
    status: int,
    has_echoed: bool,
    is_first: bool,
    expected: Verdict,
) -> None:
    """Once Glance has echoed, what only Glance may state needs an id."""
    exchange = exchange_on(is_first=is_first)

    assert verdict(exchange, status, [], has_echoed=has_echoed) is expected


@pytest.mark.parametrize("asked", ["req-1", "req-" + "x" * 60])
def test_each_call_has_an_id_of_its_own(asked: str) -> None:
    """It begins with the client's and is no longer than Glance takes."""
    ids = {unique_request_id(asked) for _ in range(1000)}

    assert len(ids) == 1000
    assert all(one.startswith(asked[:55] + "-") for one in ids)
    assert all(len(one) <= REQUEST_ID_MAX_CHARACTERS for one in ids)


@pytest.mark.parametrize(
    ("echoed", "shown"),
    [
        ([], "no id"),
        (["req-1"], "req-1"),
        (["a b\x1b", "req-1", "req-2"], "a malformed id and req-1"),
    ],
)
def test_foreign_ids_are_logged_where_they_are_ids(
    echoed: list[str], shown: str
) -> None:
    """Nothing else that a server sends gets into the log."""
    assert loggable(echoed) == shown


class Connection:
    """A connection that nothing happens to."""

    def close(self) -> None:
        """Do nothing."""

    def force_close(self) -> None:
        """Do nothing."""


def exchange_on(*, is_first: bool) -> Exchange:
    """Return an exchange on a connection that is new, or not."""
    exchange = Exchange("req-1", needs_new_connection=False)
    exchange.assign_connection(Connection(), is_first=is_first)
    return exchange
