"""The error table, row by row: what Glance refuses, with its own sentence."""

import logging
import threading
from typing import Any

import pytest

from gateway.glance.client import GlanceClient
from gateway.listening import free_port
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Reply, json_reply

CREATE = """mutation ($input: CreateImageInput!) {
    createImage(input: $input) { image { id } } }"""
UPDATE = """mutation ($input: UpdateImageInput!) {
    updateImage(input: $input) { image { id } } }"""
DELETE = """mutation ($input: DeleteImageInput!) {
    deleteImage(input: $input) { deletedId } }"""
SHOW = "query ($id: ID!) { image(id: $id) { id } }"
NOWHERE = "00000000-0000-0000-0000-000000000000"


def facts(error: dict[str, Any]) -> tuple[str, int | None, str]:
    """Return code, status and service of an error."""
    extensions = error["extensions"]
    return extensions["code"], extensions["status"], extensions["service"]


def test_refused_values_are_bad_user_input(gateway: Gateway, token: str) -> None:
    """400 keeps Glance's sentence, with the markup taken off."""
    error = gateway.error(CREATE, token=token, input={"diskFormat": "floppy"})

    assert facts(error) == ("BAD_USER_INPUT", 400, "glance")
    assert error["message"].startswith(
        "Could not create the image: Provided object does not match schema 'image':"
        " 'floppy' is not one of"
    )


def test_unknown_token_is_unauthenticated(gateway: Gateway) -> None:
    """401 from Glance is UNAUTHENTICATED."""
    error = gateway.error(SHOW, token="not-a-token", id=NOWHERE)

    assert facts(error) == ("UNAUTHENTICATED", 401, "glance")


def test_missing_role_is_forbidden(gateway: Gateway, project: str) -> None:
    """403 from Glance is FORBIDDEN, with its sentence."""
    reader = f"rita:{project}:reader"

    error = gateway.error(CREATE, token=reader, input={})

    assert facts(error) == ("FORBIDDEN", 403, "glance")
    assert error["message"] == (
        "Could not create the image: You are not authorized to complete add_image"
        " action."
    )


def test_protected_image_refuses_deletion(gateway: Gateway, token: str) -> None:
    """A protected image is FORBIDDEN to delete, and says why."""
    image_id = gateway.create(token, protected=True)

    error = gateway.error(DELETE, token=token, input={"id": image_id})

    assert facts(error) == ("FORBIDDEN", 403, "glance")
    assert error["message"] == (
        f"Could not delete image {image_id}: Image {image_id} is protected and"
        " cannot be deleted."
    )


@pytest.mark.parametrize(
    ("document", "argument"),
    [
        pytest.param(UPDATE, {"id": NOWHERE, "name": "x"}, id="update"),
        pytest.param(DELETE, {"id": NOWHERE}, id="delete"),
    ],
)
def test_changing_what_is_not_there_is_not_found(
    gateway: Gateway, token: str, document: str, argument: dict[str, str]
) -> None:
    """404 is NOT_FOUND for a mutation."""
    error = gateway.error(document, token=token, input=argument)

    assert facts(error) == ("NOT_FOUND", 404, "glance")
    assert NOWHERE in error["message"]


def test_query_for_what_is_not_there_is_null(gateway: Gateway, token: str) -> None:
    """404 is null for a query, without an error."""
    assert gateway.data(SHOW, token=token, id=NOWHERE) == {"image": None}


def test_taken_id_is_a_conflict(gateway: Gateway, token: str) -> None:
    """409 is CONFLICT."""
    image_id = gateway.create(token)

    error = gateway.error(CREATE, token=token, input={"id": image_id})

    assert facts(error) == ("CONFLICT", 409, "glance")
    assert error["message"] == (
        f"Could not create the image: Image ID {image_id} already exists!"
    )


def test_too_many_tags_are_over_the_quota(gateway: Gateway, token: str) -> None:
    """413 is QUOTA_EXCEEDED."""
    tags = [f"tag-{number}" for number in range(129)]

    error = gateway.error(CREATE, token=token, input={"tags": tags})

    assert facts(error) == ("QUOTA_EXCEEDED", 413, "glance")
    assert "128" in error["message"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "GLANCE_UNAVAILABLE"),
        (405, "UNSUPPORTED_BY_CLOUD"),
        (408, "GLANCE_TIMEOUT"),
        (410, "GONE"),
        (418, "BAD_USER_INPUT"),
        (429, "TOO_MANY_REQUESTS"),
        (500, "GLANCE_UNAVAILABLE"),
        (503, "GLANCE_UNAVAILABLE"),
        (504, "GLANCE_TIMEOUT"),
    ],
)
def test_status_that_glance_cannot_be_made_to_answer_has_its_code(
    gateway: Gateway, double: GlanceDouble, status: int, code: str
) -> None:
    """What stands between us and Glance may answer anything."""
    double.always(Reply(status, b"<h1>secret</h1> html?", {"Content-Type": "text/x"}))

    error = gateway.error(SHOW, token="any", id=NOWHERE)

    assert facts(error) == (code, status, "glance")
    assert "secret" not in error["message"]


def test_error_carries_the_request_id_of_glances_log(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """It begins with the client's own id, which comes back as it is."""
    asked = {"X-OpenStack-Request-ID": "req-from-the-client", "X-Auth-Token": token}

    response = gateway.post(CREATE, headers=asked, input={"diskFormat": "floppy"})

    (call,) = double.calls
    extensions = response.json()["errors"][0]["extensions"]
    assert extensions["requestId"] == call.headers["x-openstack-request-id"]
    assert extensions["requestId"].startswith("req-from-the-client-")
    assert response.headers["X-OpenStack-Request-ID"] == "req-from-the-client"


@pytest.mark.parametrize("asked", ["x" * 200, "req-" + "x" * 61, "req-a b", "plain"])
def test_request_id_that_glance_would_not_take_is_replaced(
    gateway: Gateway, double: GlanceDouble, token: str, asked: str
) -> None:
    """An id over 64 characters would make Glance answer 500."""
    headers = {"X-OpenStack-Request-ID": asked, "X-Auth-Token": token}

    response = gateway.post(SHOW, headers=headers, id=NOWHERE)

    own = response.headers["X-OpenStack-Request-ID"]
    assert own != asked
    assert double.calls[0].headers["x-openstack-request-id"].startswith(f"{own}-")


def test_long_sentence_is_bounded(gateway: Gateway, token: str) -> None:
    """A message never grows beyond some hundred characters."""
    error = gateway.error(CREATE, token=token, input={"tags": ["t" * 5000]})

    assert len(error["message"]) < 600


ODD_ANSWERS = [
    pytest.param(Reply(body=b"<html>", headers={"Content-Type": "x"}), id="no JSON"),
    pytest.param(json_reply([]), id="a list"),
    pytest.param(json_reply({}), id="no id"),
    pytest.param(json_reply({"id": 5}), id="odd id"),
    pytest.param(Reply(body=b'{"id": "1"', declared_bytes=500), id="cut off"),
    pytest.param(Reply(204), id="nothing"),
]


@pytest.mark.parametrize("reply", ODD_ANSWERS)
def test_answer_that_is_no_image_is_glance_unavailable(
    gateway: Gateway, double: GlanceDouble, reply: Reply
) -> None:
    """What can't be read ends as GLANCE_UNAVAILABLE with the request id."""
    double.always(reply)

    error = gateway.error(SHOW, token="any", id=NOWHERE)

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"
    assert error["extensions"]["requestId"].startswith("req-")
    assert error["message"].startswith(f"Could not get image {NOWHERE}: ")


@pytest.mark.parametrize(
    "answer", [{}, {"images": None}, {"images": {"a": {"id": "a"}}}, []]
)
def test_answer_that_is_no_list_is_glance_unavailable(
    gateway: Gateway, double: GlanceDouble, answer: object
) -> None:
    """A list that can't be read ends as GLANCE_UNAVAILABLE."""
    double.always(json_reply(answer))

    error = gateway.error("{ images { nodes { id } } }", token="any")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


ODD_VALUES = [
    pytest.param({"size": "big"}, "size", id="text for a number"),
    pytest.param({"locations": "x"}, "locations { url }", id="text for a list"),
    pytest.param({"name": {"x": 1}}, "name", id="object for text"),
    pytest.param({"size": 2**63}, "size", id="number out of range"),
]


@pytest.mark.parametrize(("odd", "field"), ODD_VALUES)
def test_odd_value_nulls_itself_alone(
    gateway: Gateway, double: GlanceDouble, odd: dict[str, object], field: str
) -> None:
    """One odd image leaves the others of its list alone where it may be null."""
    record = recorded_json("show-image")
    double.always(json_reply({"images": [record, record | odd, record]}))

    document = "{ images { nodes { id %s } } }" % field
    answer = gateway.answer(document, token="any")

    name = field.partition(" ")[0]
    first, second, third = answer["data"]["images"]["nodes"]
    assert first == third
    assert second == {"id": record["id"], name: None}
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["GLANCE_UNAVAILABLE"]


NEEDED = {"min_disk": "minDisk", "tags": "tags", "protected": "protected"}


@pytest.mark.parametrize("key", NEEDED)
def test_image_that_lacks_what_the_schema_needs_is_glance_unavailable(
    gateway: Gateway, double: GlanceDouble, key: str
) -> None:
    """A non-null field without a value of its type is Glance's fault."""
    double.always(json_reply(recorded_json("show-image") | {"id": "1", key: {}}))

    document = "{ image(id: 1) { %s } }" % NEEDED[key]
    answer = gateway.answer(document, token="any")

    (error,) = answer["errors"]
    assert answer["data"] == {"image": None}
    assert error["message"] == f"Glance sent a malformed {key} for 1."
    assert facts(error) == ("GLANCE_UNAVAILABLE", None, "glance")
    assert error["extensions"]["id"] == "1"


def test_unreachable_glance_is_glance_unavailable() -> None:
    """A refused connection is not a timeout."""
    with running_gateway(f"http://127.0.0.1:{free_port()}") as gateway:
        error = gateway.error(SHOW, token="any", id=NOWHERE)

    assert facts(error) == ("GLANCE_UNAVAILABLE", None, "glance")


def test_closed_connection_is_glance_unavailable(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A connection that Glance closes without an answer is not a timeout."""
    double.always(Reply(0))

    error = gateway.error(SHOW, token="any", id=NOWHERE)

    assert facts(error) == ("GLANCE_UNAVAILABLE", None, "glance")


def test_slow_glance_is_a_timeout(double: GlanceDouble) -> None:
    """No call lasts longer than its setting says."""
    answering = threading.Event()
    double.always(Reply(until=answering))

    with running_gateway(double.url, glance_timeout_seconds=0.05) as gateway:
        error = gateway.error(SHOW, token="any", id=NOWHERE)
        answering.set()

    assert facts(error) == ("GLANCE_TIMEOUT", None, "glance")


def test_calls_end_with_the_requests_deadline(double: GlanceDouble) -> None:
    """A request's calls share its time, however long each might take."""
    answering = threading.Event()
    double.always(Reply(until=answering))

    with running_gateway(double.url, request_timeout_seconds=0.05) as gateway:
        error = gateway.error(SHOW, token="any", id=NOWHERE)
        answering.set()

    assert facts(error) == ("GLANCE_TIMEOUT", None, "glance")


def test_error_of_our_own_is_masked_and_logged(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug shows no detail to the client and all of it in the log."""

    async def broken(*_: object) -> None:
        message = "a detail that helps attackers"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(GlanceClient, "get_image", broken)
    with caplog.at_level(logging.ERROR):
        error = gateway.error(SHOW, token="the-token", id=NOWHERE)

    assert error["message"] == "Internal server error."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["requestId"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "the-token" not in caplog.text


def test_image_without_tags_is_glances_fault(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """A tag can't be added to what is no list."""
    double.always(json_reply({"id": "1"}))
    document = 'mutation { addTag(input: {id: 1, tag: "é"}) { __typename } }'

    error = gateway.error(document, token="any")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_endless_id_and_tag_end_in_a_clear_error(gateway: Gateway, token: str) -> None:
    """What is too long for a URL is too long for Glance."""
    image_id, endless = gateway.create(token), "x" * 70_000
    document = """mutation ($id: ID!, $tag: String!) {
        addTag(input: {id: $id, tag: $tag}) { __typename } }"""

    shown = gateway.data(SHOW, token=token, id=endless)
    unknown = gateway.error(document, token=token, id=endless, tag="t")
    refused = gateway.error(document, token=token, id=image_id, tag="x" * 256)

    assert shown == {"image": None}
    assert unknown["extensions"]["code"] == "NOT_FOUND"
    assert refused["extensions"]["code"] == "BAD_USER_INPUT"
