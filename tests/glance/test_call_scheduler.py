"""Which call goes to Glance next, by a clock of the test's own."""

import pytest

from gateway.glance.call_scheduler import Bounds, CallScheduler, Full
from gateway.glance.queue import Ticket

KIND = ("GET", 3)
OK, UNAUTHORIZED = 200, 401


class Door:
    """A CallScheduler, and the tickets that have entered, in their order."""

    def __init__(self, *proven: str, **bounds: int) -> None:
        """Let Glance have accepted the tokens of some scopes."""
        self.now = 100.0
        self.scheduler = CallScheduler(Bounds(**bounds))
        self.entered: list[str] = []
        self._tickets: dict[str, Ticket] = {}
        for scope in proven:
            self.come(f"{scope} proof")
            self.go(f"{scope} proof")
        self.entered.clear()
        self.now += 10

    def come(self, *names: str) -> None:
        """Let calls come; a name is `scope request` and what tells it apart."""
        for name in names:
            scope, request, *_ = name.split()
            ticket = self._tickets[name] = Ticket(scope, request)
            self.scheduler.arrive(ticket, self.now)
            if ticket.entered_at is not None:
                self.entered.append(name)
        self.look()

    def go(self, name: str, status: int = OK, *, seconds: float = 0.0) -> None:
        """Let a call end after some seconds."""
        self.now += seconds
        ticket = self._tickets[name]
        self.scheduler.observe(ticket, KIND, status, self.now)
        self.scheduler.leave(ticket, self.now)
        self.look()

    def give_up(self, name: str) -> None:
        """Let a call go that waits."""
        self.scheduler.give_up(self._tickets[name])

    def look(self, *, after_seconds: float = 0.0) -> None:
        """Let in whose turn it is."""
        self.now += after_seconds
        names = {ticket: name for name, ticket in self._tickets.items()}
        self.entered += [names[one] for one in self.scheduler.admitted(self.now)]

    def drain(self) -> None:
        """Let every call go that has entered, until nobody is left."""
        for name in self.entered:
            self.go(name)
            self.look(after_seconds=10)


def test_calls_at_once_are_bounded() -> None:
    """In all, and for each identity."""
    door = Door("a", "b", calls=3, calls_per_identity=2)

    door.come("a r 1", "a r 2", "a r 3", "b r 1", "b r 2")

    assert door.entered == ["a r 1", "a r 2", "b r 1"]


def test_identities_take_turns() -> None:
    """One identity's crowd does not make another wait for all of it."""
    door = Door("a", "b", "c", calls=1)

    door.come("a r 1", "a r 2", "a r 3", "a r 4", "b r 1", "c r 1", "b r 2")
    door.drain()

    order = ["a r 1", "a r 2", "b r 1", "c r 1", "a r 3", "b r 2", "a r 4"]
    assert door.entered == order


def test_requests_of_an_identity_take_turns() -> None:
    """A small one does not wait for all calls of a large one."""
    door = Door("a", calls=1)

    door.come(*(f"a large {number}" for number in range(1000)), "a small")
    door.go("a large 0")
    door.go("a large 1")

    assert door.entered == ["a large 0", "a large 1", "a small"]


def test_calls_of_a_request_go_as_they_came() -> None:
    """Nobody overtakes within a request."""
    door, names = Door("a", calls=1), [f"a r {number}" for number in range(6)]

    door.come(*names)
    door.drain()

    assert door.entered == names


def test_uncontended_call_enters_at_once_beside_a_crowd() -> None:
    """While there are slots, it waits for nobody."""
    door = Door("a", "b")
    door.come(*(f"a r {number}" for number in range(100)))
    before = len(door.entered)

    door.come("b r")

    assert door.entered[before:] == ["b r"]


def test_crowd_has_one_call_at_a_time_beside_uncontended_calls() -> None:
    """Until it is known what Glance can take, other callers come first."""
    door = Door("a", "b")
    door.come("b r 1")
    door.go("b r 1")

    door.come(*(f"a r {number}" for number in range(100)))

    assert door.entered[1:] == ["a r 0", "a r 1"]


def test_crowd_pauses_where_uncontended_calls_are_slowed_down() -> None:
    """It has less than half of Glance's time when others need Glance."""
    door = Door("a", "b")
    for number in range(30):
        door.come(f"b quick {number}")
        door.go(f"b quick {number}", seconds=0.01)
    door.come("a r only", *(f"a r {number}" for number in range(100)))
    for number in range(20):
        door.come(f"b slow {number}")
        door.go(f"b slow {number}", seconds=0.1)

    door.entered.clear()
    door.go("a r 0")
    door.look(after_seconds=2)
    entered_early = [*door.entered]
    door.look(after_seconds=2.9)

    assert (entered_early, door.entered) == ([], ["a r 1"])


def test_crowd_has_more_calls_where_uncontended_calls_are_as_quick_beside_it() -> None:
    """A Glance of many workers is used as such."""
    door = Door("a", "b", "c")
    for number in range(300):
        door.come(f"b quick {number}")
        door.go(f"b quick {number}", seconds=0.01)
        if number == 10:
            door.come("c r only", "c r beside")
    door.come(*(f"a r {number}" for number in range(100)))

    for number in range(12):
        door.go(f"a r {number}", seconds=0.01)

    entered = [one for one in door.entered if one.startswith("a r")]
    assert len(entered) - 12 == 16


def test_crowd_without_other_callers_has_all_slots_of_an_identity() -> None:
    """Nobody is spared who is not there."""
    door = Door("a", calls_per_identity=16)
    door.come(*(f"a r {number}" for number in range(100)))

    for number in range(20):
        door.go(f"a r {number}", seconds=0.01)

    assert len(door.entered) - 20 == 16


def test_crowd_of_long_calls_has_few_at_once() -> None:
    """Another identity's next call does not wait for sixteen of them."""
    door = Door("a", calls_per_identity=16)
    door.come(*(f"a r {number}" for number in range(100)))

    for number in range(20):
        door.go(f"a r {number}", seconds=2)

    assert len(door.entered) - 20 == 1


def test_tokens_that_are_not_proven_share_one_quota() -> None:
    """However many there are, a proven one has its slots."""
    door = Door("known", calls=8, unproven=2)

    door.come(*(f"invented-{number} r" for number in range(100)))
    door.come(*(f"known r {number}" for number in range(3)))

    invented = [one for one in door.entered if one.startswith("invented")]
    assert invented == ["invented-0 r", "invented-1 r"]
    assert "known r 0" in door.entered


@pytest.mark.parametrize(
    ("status", "is_proven"),
    [(200, True), (204, True), (400, True), (403, True), (404, True), (409, True)]
    + [(status, False) for status in (302, 401, 407, 408, 429, 500, 502, 503)],
)
def test_what_proves_a_token(status: int, *, is_proven: bool) -> None:
    """Statuses of Glance after it has checked the token, and of no proxy."""
    door = Door(unproven=1)
    door.come("new first")
    door.go("new first", status)

    door.come("new r 1", "new r 2")

    assert len(door.entered) == (3 if is_proven else 2)


def test_rejected_token_is_no_longer_proven() -> None:
    """A 401 puts it back among those that Glance has not accepted."""
    door = Door("a", unproven=1)
    door.come("a first")
    door.go("a first", UNAUTHORIZED)

    door.come("a r 1", "a r 2")

    assert door.entered == ["a first", "a r 1"]


def test_calls_of_a_token_leave_the_quota_once_it_is_proven() -> None:
    """Its first response frees the calls that wait behind invented tokens."""
    door = Door(unproven=1)
    door.come("new r 0", *(f"invented-{number} r" for number in range(50)))
    door.come(*(f"new r {number}" for number in range(1, 4)))

    door.go("new r 0")

    assert [one for one in door.entered if one.startswith("new")] == [
        f"new r {number}" for number in range(4)
    ]


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        pytest.param(
            {"waiting_per_identity": 2},
            [f"a r {number}" for number in range(4)],
            id="of an identity",
        ),
        pytest.param(
            {"waiting": 2, "calls": 1},
            ["a r", "b r", "c r", "d r"],
            id="in all",
        ),
    ],
)
def test_waiting_calls_are_limited(bounds: dict[str, int], names: list[str]) -> None:
    """The next one is rejected at once, with the count and the limit."""
    door = Door(*"abcd", **({"calls_per_identity": 1} | bounds))
    *waiting, rejected = names
    door.come(*waiting)

    with pytest.raises(Full) as full:
        door.come(rejected)

    assert (full.value.measured, full.value.limit) == (3, 2)


def test_invented_tokens_may_wait_a_hundred_for_each_slot() -> None:
    """They fill their own queue, and nobody else's."""
    door = Door("known", calls=2, unproven=1)
    door.come("known r 1", *(f"invented-{number} r" for number in range(101)))

    with pytest.raises(Full):
        door.come("invented-101 r")

    door.come("known r 2")


def test_cancelled_ticket_leaves_the_queue() -> None:
    """The tickets behind it proceed."""
    door = Door("a", calls=1, waiting=1)
    door.come("a r 1", "a r 2")

    door.give_up("a r 2")
    door.come("a r 3")
    door.go("a r 1")

    assert door.entered == ["a r 1", "a r 3"]
