"""A mutation that fails before its write says that nothing was changed."""

import threading
from collections.abc import Iterator

import pytest

from gateway.glance.client import GlanceClient
from gateway.glance.errors import CallLimitReached, GlanceError, TooManyWaiting
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Reply, json_reply

ADD = 'mutation { addTag(input: {id: 1, tag: "é"}) { __typename } }'
REMOVE = 'mutation { removeTag(input: {id: 1, tag: "a/b"}) { __typename } }'
RENAME = 'mutation { updateImage(input: {id: 1, name: "new"}) { __typename } }'
LIST = "{ images { nodes { name } } }"
IMAGE = {"id": "1", "name": "known", "status": "active"}


@pytest.fixture
def gateway(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that waits for Glance for a moment."""
    with running_gateway(double.url, glance_timeout_seconds=0.3) as running:
        yield running


@pytest.fixture
def silent() -> Iterator[Reply]:
    """Return the response of a Glance that hangs."""
    until = threading.Event()
    yield Reply(until=until)
    until.set()


@pytest.mark.parametrize("document", [ADD, REMOVE], ids=["addTag", "removeTag"])
@pytest.mark.parametrize("fault", ["hangs", "fails", "cut off", "not tags"])
def test_tag_whose_image_cannot_be_read_was_not_sent(
    gateway: Gateway, double: GlanceDouble, silent: Reply, document: str, fault: str
) -> None:
    """The read may have been sent; the write was not, and the message says that."""
    replies = {
        "hangs": silent,
        "fails": Reply(503),
        "cut off": Reply(0),
        "not tags": json_reply(IMAGE),
    }
    double.always(replies[fault])

    error = gateway.error(document, token="t")

    assert error["extensions"]["code"] in {"GLANCE_UNAVAILABLE", "GLANCE_TIMEOUT"}
    assert error["message"].endswith(" The change was not sent.")
    assert {call.method for call in double.calls} == {"GET"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_tag_whose_image_is_rejected_has_glances_reason(
    gateway: Gateway, double: GlanceDouble, status: int
) -> None:
    """There is no doubt that it was not written."""
    double.always(Reply(status))

    error = gateway.error(ADD, token="t")

    assert "was not sent" not in error["message"]


def test_tag_whose_write_has_no_response_has_an_open_outcome(
    double: GlanceDouble, gateway: Gateway
) -> None:
    """After the read it is a write like any other."""
    tagged: Json = IMAGE | {"tags": []}
    double.script = lambda received: (
        json_reply(tagged) if received.method == "GET" else Reply(0)
    )

    error = gateway.error(ADD, token="t")

    assert error["message"].endswith(" It was sent, and its outcome is open.")


def test_tag_that_was_not_sent_leaves_lists_cached(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Nothing is invalidated."""
    double.script = lambda received: (
        json_reply({"images": [IMAGE]}) if received.path == "/v2/images" else Reply(503)
    )
    gateway.data(LIST, token="t")

    gateway.error(ADD, token="t")
    gateway.data(LIST, token="t")

    assert [call.path for call in double.calls].count("/v2/images") == 1


@pytest.mark.parametrize(
    "failure",
    [
        TooManyWaiting("Too many calls wait.", was_sent=False),
        CallLimitReached("No further call.", request_id="req-1", limit=1),
    ],
    ids=["too many wait", "no call left"],
)
def test_change_that_the_gateway_keeps_back_was_not_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, failure: GlanceError
) -> None:
    """Whoever keeps it back, the message says what became of it."""

    async def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(GlanceClient, "update_image", fail)

    error = gateway.error(RENAME, token="t")

    assert error["message"].endswith(" The change was not sent.")
