"""What a response without a request id is known to be Glance's by."""

import time

import pytest
from webob import Request, exc

from gateway.glance.body import ERROR_PAGE_MAX_BYTES
from gateway.glance.exchange import STATEMENTS
from gateway.glance.marks import described, is_glances

ERRORS = [exc.HTTPNotFound, exc.HTTPConflict, exc.HTTPGone, exc.HTTPMethodNotAllowed]


def webob_page(error: exc.HTTPError, accepted: str) -> bytes:
    """Return the page that WebOb makes of an error, as for Glance."""
    request = Request.blank("/v2/images/1", accept=accepted)
    content: bytes = request.get_response(error).body
    return content


@pytest.mark.parametrize("accepted", ["*/*", "text/html", "application/json"])
@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("sentence", [None, "No image found with ID 1", "<b>&\n\n"])
def test_error_page_of_glances_form_is_glances(
    kind: type[exc.HTTPError], accepted: str, sentence: str | None
) -> None:
    """Every version of Glance makes its pages with WebOb."""
    page = webob_page(kind(explanation=sentence), accepted)

    assert is_glances(kind.code, page, success=200)
    assert is_glances(kind.code, page[: ERROR_PAGE_MAX_BYTES // 8], success=200)


@pytest.mark.parametrize("accepted", ["*/*", "application/json"])
def test_page_of_another_status_is_not_glances(accepted: str) -> None:
    """A page with a status of a proxy is not accepted."""
    page = webob_page(exc.HTTPNotFound(), accepted)

    others = STATEMENTS - {404}

    assert not any(is_glances(status, page, success=200) for status in others)


SUCCESSES = [
    (200, b'{"id": "1"}', 200, True),
    (200, b' \r\n{"id": "1"}', 200, True),
    (201, b'{"id": "1"}', 201, True),
    (204, b"", 204, True),
    (200, b"", 200, False),
    (200, b"[]", 200, False),
    (200, b"<html>", 200, False),
    (200, b'{"id": "1"}', 201, False),
    (200, b"", 204, False),
    (202, b"{}", 200, False),
    (204, b"", 200, False),
]


@pytest.mark.parametrize(("status", "content", "success", "expected"), SUCCESSES)
def test_success_is_glances_with_its_status_and_body(
    *, status: int, content: bytes, success: int, expected: bool
) -> None:
    """A JSON object where one is due, nothing with 204."""
    assert is_glances(status, content, success=success) is expected


@pytest.mark.parametrize("status", [300, 401, 403, 413, 429, 500, 502, 503, 504])
def test_other_error_is_accepted_from_any_server(status: int) -> None:
    """A proxy may reject a request, or have no Glance behind it."""
    assert is_glances(status, b"<html>", success=200)


@pytest.mark.parametrize(
    "unit", [b"<html>", b" ", b"<br /><br />", b"<head><title>404 a", b"[", b"404 "]
)
def test_long_page_is_checked_in_linear_time(unit: bytes) -> None:
    """No page that is read takes longer than some milliseconds."""
    page = unit * (ERROR_PAGE_MAX_BYTES // len(unit))
    head = b"<html><head><title>404 " + page
    begun = time.process_time()

    assert not is_glances(404, page, success=200)
    assert not is_glances(404, head, success=200)

    assert time.process_time() - begun < 0.1


def test_description_distinguishes_pages_from_json_responses() -> None:
    """The status helps an operator to find the cause."""
    assert described(404, "text/html") == "is a 404 page that is not Glance's"
    assert described(404, "") == "is a 404 page that is not Glance's"
    assert (
        described(404, "application/problem+json")
        == "is a 404 response that is not Glance's"
    )
