"""How the page and its parts are served."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.asgi.graphiql import BUILT
from tests.graphiql.browser import NO_PAGE, needed
from tests.support.gateway import Gateway, running_gateway

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
UNUSED_GLANCE = "http://127.0.0.1:9"
TYPENAME = {"data": {"__typename": "Query"}}


@pytest.fixture
def index() -> str:
    """Return the page that is built."""
    file = BUILT / "index.html"
    return needed(file.read_text() if file.exists() else None, NO_PAGE)


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gateway]:
    """Run a gateway that was installed without its page."""
    monkeypatch.setattr("gateway.asgi.graphiql.BUILT", tmp_path)
    with running_gateway(UNUSED_GLANCE) as running:
        yield running


@pytest.fixture
def pageless() -> Iterator[Gateway]:
    """Run a gateway that shall show none."""
    with running_gateway(UNUSED_GLANCE, graphiql=False) as running:
        yield running


def test_page_may_load_from_here_alone(gateway: Gateway, index: str) -> None:
    """No script in the page, none made of text, and nothing from elsewhere."""
    response = gateway.client.get("/")

    assert (response.status_code, response.text) == (200, index)
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; worker-src 'self';"
        " connect-src 'self'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; font-src 'self' data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )
    assert response.headers["Cache-Control"] == "no-cache"


def test_parts_are_asked_for_once(gateway: Gateway, index: str) -> None:
    """Their names change with them; workers need the page's policy, too."""
    (part,) = re.findall(r'<script[^>]* src="\.(/assets/\S+)"', index)

    response = gateway.client.get(part)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    page = gateway.client.get("/")
    policy = "Content-Security-Policy"
    assert response.headers[policy] == page.headers[policy]


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_parts_are_sent_as_asked_for(gateway: Gateway, index: str, coding: str) -> None:
    """Who takes gzip gets the same, smaller."""
    (part,) = re.findall(r'<script[^>]* src="\.(/assets/\S+)"', index)

    response = gateway.client.get(part, headers={"Accept-Encoding": coding})

    assert response.headers.get("Content-Encoding", "identity") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.content == (BUILT / part[1:]).read_bytes()


def test_nothing_but_parts_is_served(gateway: Gateway) -> None:
    """No path leads out of the folder, nor to a list of it."""
    for path in ("/assets/", "/assets/%2e%2e/index.html", "/index.html"):
        assert gateway.client.get(path).status_code == 404


def test_endpoint_opened_in_a_browser_leads_to_the_page(gateway: Gateway) -> None:
    """It lies beside the endpoint, whatever proxies put before both."""
    response = gateway.client.get("/graphql", headers=BROWSER)

    assert (response.status_code, response.headers["Location"]) == (303, "./")


def test_query_in_a_link_is_answered_to_browsers_too(gateway: Gateway) -> None:
    """Only who asks for nothing is led to the page."""
    response = gateway.client.get("/graphql?query={__typename}", headers=BROWSER)

    assert (response.status_code, response.json()) == (200, TYPENAME)


def test_page_can_be_switched_off(pageless: Gateway) -> None:
    """Then there is the endpoint, and nothing else."""
    page = pageless.client.get("/")
    endpoint = pageless.client.get("/graphql", headers=BROWSER)

    assert page.status_code == 404
    assert endpoint.status_code == 400


def test_page_that_is_not_built_says_how_to_get_it(unbuilt: Gateway) -> None:
    """GraphQL works all the same."""
    response = unbuilt.client.get("/")

    assert response.status_code == 404
    assert "CI=true pip install" in response.text
    assert unbuilt.answer("{ __typename }", token=None) == TYPENAME
