"""What two looks at the same images say has happened."""

import pytest

from gateway.glance.records import ImageRecord
from gateway.subscriptions.changes import (
    ChangeKind,
    ImageChange,
    is_receiving_data,
    is_transient,
    merged,
)
from gateway.subscriptions.fingerprints import changed_keys, fingerprint

AT, LATER = "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:05.000Z"
OLD: ImageRecord = {"id": "1", "name": "old"}
NEW: ImageRecord = {"id": "1", "name": "new"}


def change(kind: ChangeKind, *changed: str, at: str = AT) -> ImageChange:
    """Return a change of the image; `at` tells the two of a test apart."""
    image = None if kind is ChangeKind.DELETED else NEW if at == LATER else OLD
    return ImageChange(kind, "1", at, image, changed)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(OLD, {**OLD}, (), id="nothing"),
        pytest.param(OLD, NEW, ("name",), id="a value"),
        pytest.param({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, (), id="tags order"),
        pytest.param({"tags": ["a"]}, {"tags": ["b"]}, ("tags",), id="tags"),
        pytest.param({"stores": "a,b"}, {"stores": "b,a"}, (), id="stores order"),
        pytest.param({"stores": "a"}, {"stores": "a,b"}, ("stores",), id="stores"),
        pytest.param({}, {"os_distro": "x"}, ("os_distro",), id="new property"),
        pytest.param({"os_distro": "x"}, {}, ("os_distro",), id="property removed"),
        pytest.param({}, {"checksum": None}, (), id="null for missing"),
        pytest.param(
            {**OLD, "updated_at": AT},
            {**NEW, "updated_at": LATER},
            ("name",),
            id="its time beside a value",
        ),
        pytest.param(
            {"updated_at": AT}, {"updated_at": LATER}, ("updated_at",), id="time alone"
        ),
    ],
)
def test_keys_that_differ_are_named(
    before: ImageRecord, after: ImageRecord, expected: tuple[str, ...]
) -> None:
    """What means the same does not differ."""
    assert changed_keys(fingerprint(before), fingerprint(after)) == expected


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        pytest.param(
            change(ChangeKind.SNAPSHOT),
            change(ChangeKind.UPDATED, "name", at=LATER),
            change(ChangeKind.SNAPSHOT, at=LATER),
            id="present state is the newest one",
        ),
        pytest.param(
            change(ChangeKind.UPDATED, "name", "tags"),
            change(ChangeKind.UPDATED, "tags", "status", at=LATER),
            change(ChangeKind.UPDATED, "name", "tags", "status", at=LATER),
            id="names of both changes",
        ),
        pytest.param(
            change(ChangeKind.UPDATED, "name"),
            change(ChangeKind.SNAPSHOT, at=LATER),
            change(ChangeKind.UPDATED, "name", at=LATER),
            id="state told again is no news",
        ),
        pytest.param(
            change(ChangeKind.CREATED),
            change(ChangeKind.UPDATED, "name", at=LATER),
            change(ChangeKind.CREATED, at=LATER),
            id="appears as it is now",
        ),
        pytest.param(
            change(ChangeKind.UPDATED, "name"),
            change(ChangeKind.DELETED, at=LATER),
            change(ChangeKind.DELETED, at=LATER),
            id="gone after a change",
        ),
        pytest.param(
            change(ChangeKind.CREATED),
            change(ChangeKind.DELETED, at=LATER),
            None,
            id="gone before it was heard of",
        ),
        pytest.param(
            change(ChangeKind.DELETED),
            change(ChangeKind.CREATED, at=LATER),
            change(ChangeKind.UPDATED, at=LATER),
            id="back again",
        ),
    ],
)
def test_two_changes_become_one(
    earlier: ImageChange, later: ImageChange, expected: ImageChange | None
) -> None:
    """Who has not heard of the first one hears of the newest state alone."""
    assert merged(earlier, later) == expected


def test_image_that_is_back_and_gone_again_is_gone() -> None:
    """Who reads slowly still has it, and must hear of it."""
    gone, back = change(ChangeKind.DELETED), change(ChangeKind.CREATED)
    once_more = merged(gone, back)

    assert once_more is not None
    assert merged(once_more, change(ChangeKind.DELETED, at=LATER)) == change(
        ChangeKind.DELETED, at=LATER
    )


@pytest.mark.parametrize(
    ("image", "on_its_way", "in_motion"),
    [
        pytest.param({"status": "queued"}, True, False, id="queued"),
        pytest.param({"status": "saving"}, True, True, id="saving"),
        pytest.param({"status": "importing"}, True, True, id="importing"),
        pytest.param({"status": "active"}, False, False, id="active"),
        pytest.param({"status": "novel"}, True, False, id="a word that is new"),
        pytest.param(
            {"status": "active", "os_glance_importing_to_stores": "cheap"},
            *(True, True),
            id="active and being copied",
        ),
    ],
)
def test_images_that_will_change_soon_are_looked_at_more_often(
    image: ImageRecord, *, on_its_way: bool, in_motion: bool
) -> None:
    """A queued one may stay so, which is no reason for a list to hurry."""
    assert (is_transient(image), is_receiving_data(image)) == (on_its_way, in_motion)
