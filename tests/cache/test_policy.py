"""The tables of what is remembered, how long, and what a write forgets."""

import pytest

from gateway.cache.keys import ReadKind, read_key
from gateway.cache.policy import (
    Freshness,
    Use,
    topics_of,
    topics_revoked,
    topics_written,
)
from gateway.identity import Identity

DEFAULTS = Freshness()
IMAGES = {
    "active": 10,
    "deactivated": 10,
    "queued": 1,
    "saving": 1,
    "uploading": 1,
    "importing": 1,
    "a word of tomorrow": 1,
    None: 1,
}
TASKS = [
    ([], 10),
    (["success", "failure"], 10),
    (["success", "processing"], 1),
    (["pending"], 1),
]


@pytest.mark.parametrize("status", IMAGES)
def test_image_is_fresh_as_long_as_its_status_lets_expect(status: str | None) -> None:
    """One that has settled longer than one on its way or missing."""
    assert DEFAULTS.of_image(status) == IMAGES[status]


@pytest.mark.parametrize(("statuses", "seconds"), TASKS)
def test_tasks_are_fresh_shortly_while_one_runs(
    statuses: list[str | None], seconds: float
) -> None:
    """Progress is worth a call each second."""
    assert DEFAULTS.of_tasks(statuses) == seconds


USES = [
    pytest.param(0, Use.FRESH, id="new"),
    pytest.param(9.9, Use.FRESH, id="almost old"),
    pytest.param(10, Use.REVALIDATED, id="old"),
    pytest.param(12.9, Use.REVALIDATED, id="old but shown"),
    pytest.param(13, Use.STAND_IN, id="too old but for an outage"),
    pytest.param(69.9, Use.STAND_IN, id="almost too old"),
    pytest.param(70, Use.NONE, id="too old"),
]


@pytest.mark.parametrize(("age_seconds", "use"), USES)
def test_age_says_what_an_answer_is_good_for(age_seconds: float, use: Use) -> None:
    """Fresh for 10 s, shown for 3 s more, standing in for 60 s."""
    freshness = Freshness(revalidate_seconds=3, outage_seconds=60)

    assert freshness.use(age_seconds, 10) is use


def test_write_forgets_the_image_its_tasks_and_every_list() -> None:
    """Whoever has read them, however they spelt its id."""
    written = set(topics_written("ab"))

    forgets = [
        bool(written & set(topics_of(scope, image_id)))
        for scope in ("alice", "bob")
        for image_id in ("ab", "AB", None, "2")
    ]

    assert forgets == [True, True, True, False] * 2


def test_revoked_token_forgets_its_own_reads_alone() -> None:
    """A 401 drops the scope."""
    revoked = set(topics_revoked("alice"))

    assert revoked & set(topics_of("alice", "1"))
    assert not revoked & set(topics_of("bob", "1"))


def test_keys_differ_by_identity_kind_and_subject() -> None:
    """No difference in who reads what is lost in the key."""
    alice, bob = Identity("alice"), Identity("bob")
    keys = [
        read_key(alice, ReadKind.IMAGE, "1"),
        read_key(bob, ReadKind.IMAGE, "1"),
        read_key(alice, ReadKind.TASKS, "1"),
        read_key(alice, ReadKind.IMAGE, "2"),
        read_key(alice, ReadKind.IMAGE, "1", "2"),
        read_key(alice, ReadKind.IMAGE, "1', '2"),
    ]

    assert len({key.text for key in keys}) == len(keys)
    assert not any("alice" in key.text for key in keys)
