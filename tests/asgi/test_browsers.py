"""What pages of other origins may do, and what is answered at other paths."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import ValidationError
from starlette.staticfiles import StaticFiles

from gateway.settings import Settings
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble

FRIEND, STRANGER = "https://horizon.example.com", "https://evil.example.com"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-auth-token",
}


WRITTEN = [
    pytest.param(f"{FRIEND}, https://other.example.com", id="commas"),
    pytest.param(f'["https://other.example.com", "{FRIEND}"]', id="JSON"),
]


@pytest.fixture
def sharing(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that pages of a friend may ask."""
    with running_gateway(double.url, cors_origins=(FRIEND,)) as running:
        yield running


def preflight(gateway: Gateway, origin: str) -> httpx.Response:
    """Ask as a browser does before a page may."""
    headers = {"Origin": origin, **PREFLIGHT}
    return gateway.client.options("/graphql", headers=headers)


def test_page_of_an_origin_that_is_set_may_ask_with_a_token(sharing: Gateway) -> None:
    """The preflight allows the header, the answer the reading."""
    asked = preflight(sharing, FRIEND)
    answered = sharing.post("{ __typename }", token="t", headers={"Origin": FRIEND})

    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "X-Auth-Token" in asked.headers["Access-Control-Allow-Headers"]
    assert answered.headers["Access-Control-Allow-Origin"] == FRIEND


def test_page_may_read_the_tag_and_the_requests_id(sharing: Gateway) -> None:
    """And so ask again with `If-None-Match`, and tell what it asked."""
    answered = sharing.post("{ __typename }", headers={"Origin": FRIEND})

    exposed = answered.headers["Access-Control-Expose-Headers"]
    assert exposed == "ETag, Retry-After, X-OpenStack-Request-ID"
    assert (
        "If-None-Match"
        in (preflight(sharing, FRIEND).headers["Access-Control-Allow-Headers"])
    )


def test_page_may_read_why_its_request_is_refused(sharing: Gateway) -> None:
    """An error that a browser hides could not be mended."""
    refused = sharing.post("{", headers={"Origin": FRIEND, "Accept": "text/html"})

    assert refused.status_code == 406
    assert refused.headers["Access-Control-Allow-Origin"] == FRIEND


def test_page_of_another_origin_may_not(sharing: Gateway) -> None:
    """Nothing tells the browser to let it; who looks is told why, in JSON."""
    asked = preflight(sharing, STRANGER)

    assert asked.status_code == 400
    assert "Access-Control-Allow-Origin" not in asked.headers
    (error,) = asked.json()["errors"]
    assert error["message"] == "Disallowed CORS origin."
    assert error["extensions"]["requestId"] == asked.headers["X-OpenStack-Request-ID"]


@pytest.mark.parametrize("written", WRITTEN)
def test_origins_are_set_as_a_list(double: GlanceDouble, written: str) -> None:
    """With commas, or as JSON."""
    with running_gateway(double.url, cors_origins=written) as gateway:
        asked = preflight(gateway, FRIEND)

    assert asked.headers["Access-Control-Allow-Origin"] == FRIEND


def test_any_page_may_ask_where_the_setting_is_a_star(double: GlanceDouble) -> None:
    """A token is needed all the same, and no cookie is one."""
    with running_gateway(double.url, cors_origins="*") as gateway:
        asked = preflight(gateway, STRANGER)

    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in asked.headers


@pytest.mark.parametrize(
    "origin", ["horizon", "https://h/path", "https://H.example.com", "null", "[1", "["]
)
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    """It could only stand there in vain."""
    with pytest.raises(ValidationError, match="cors_origins"):
        Settings(glance_url="http://glance", cors_origins=origin)


def test_no_page_may_ask_unless_it_is_set(gateway: Gateway) -> None:
    """A preflight is a method like others, in JSON."""
    asked = preflight(gateway, FRIEND)

    assert asked.status_code == 405
    assert asked.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "Access-Control-Allow-Origin" not in asked.headers


@pytest.mark.parametrize("path", ["/graphql/", "/nothing"])
def test_what_is_not_there_is_a_json_error(gateway: Gateway, path: str) -> None:
    """With the request's id, as every error."""
    response = gateway.client.post(path)

    assert response.status_code == 404
    (error,) = response.json()["errors"]
    assert error["message"] == f"Not Found: {path}. GraphQL is at /graphql."
    identifier = error["extensions"]["requestId"]
    assert response.headers["X-OpenStack-Request-ID"] == identifier


def test_bug_of_ours_at_other_paths_is_a_json_error(
    double: GlanceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing of what it was."""
    monkeypatch.setattr(StaticFiles, "lookup_path", lambda *_: 1 / 0)

    with running_gateway(double.url) as gateway:
        response = gateway.client.get("/assets/x.js")

    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["message"] == "Internal server error."
    identifier = error["extensions"]["requestId"]
    assert response.headers["X-OpenStack-Request-ID"] == identifier
