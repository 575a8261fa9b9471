"""The page in a browser that reaches nothing but the gateway.

Each test fails, too, for a request to another host, a violation of the page's
policy, or an error in the browser's console.
"""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.graphiql.browser import (
    Scheme,
    answer,
    chromium,
    editor,
    open_graphiql,
    run,
    tab,
    write,
)
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Reply

SUBSCRIPTION = 'subscription { imageChanged(id: "%s") { image { name } } }'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one browser for all tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, gateway: Gateway) -> Iterator[Page]:
    """Return a tab of a browser that has never been here."""
    with tab(browser, origin(gateway)) as opened:
        yield opened


def origin(gateway: Gateway) -> str:
    """Return where the gateway is, as browsers write it."""
    return str(gateway.client.base_url).rstrip("/")


def question(page: Page) -> Locator:
    """Return where the page asks whether to use a link's token."""
    return page.get_by_role("alert").filter(has_text="token")


def test_what_one_sees_first_can_be_run(
    page: Page, gateway: Gateway, token: str
) -> None:
    """The first tab asks for images, and needs nothing but a token."""
    gateway.create(token, name="first-light")
    open_graphiql(page, token)

    run(page)

    expect(answer(page)).to_contain_text('"first-light"')


def test_query_without_a_token_is_answered_with_the_error(page: Page) -> None:
    """What the gateway refuses is shown as it says it."""
    open_graphiql(page)

    run(page)

    expect(answer(page)).to_contain_text("UNAUTHENTICATED")


def test_token_can_be_typed(page: Page, gateway: Gateway, token: str) -> None:
    """The field beside the button says who asks; Enter asks."""
    gateway.create(token, name="typed")
    open_graphiql(page)

    page.get_by_label("Token").fill(f" {token} ")
    page.get_by_label("Token").press("Enter")

    expect(answer(page)).to_contain_text('"typed"')


def test_token_leaves_the_address_at_once(page: Page, token: str) -> None:
    """Neither the address bar nor the tab's history keeps it."""
    page.goto("about:blank")

    open_graphiql(page, token)

    expect(page.get_by_label("Token")).to_have_value(token)
    assert "#" not in page.url
    page.reload()
    expect(page.get_by_label("Token")).to_have_value(token)
    page.go_back()
    page.go_forward()
    assert "#" not in page.url


def test_token_is_kept_in_the_tab_alone(page: Page, token: str) -> None:
    """Other tabs know nothing of it, and it is gone with its own."""
    open_graphiql(page, token)
    run(page)
    expect(answer(page)).to_contain_text('"data"')

    other = page.context.new_page()
    open_graphiql(other)

    assert token in page.evaluate("JSON.stringify(sessionStorage)")
    kept = page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert "query Images" in kept
    assert token not in kept
    expect(other.get_by_label("Token")).to_have_value("")


def test_tokens_have_no_other_place(page: Page, token: str) -> None:
    """GraphiQL's headers and history, which it keeps, are not offered."""
    open_graphiql(page, token)

    expect(page.get_by_role("button", name="Variables")).to_be_visible()
    expect(page.get_by_role("button", name="Headers")).to_have_count(0)
    expect(page.get_by_role("button", name="Show History")).to_have_count(0)


def test_document_is_run_as_it_stands(page: Page) -> None:
    """What has just been pasted needs no moment to be known."""
    open_graphiql(page)

    write(page, "query Pasted { __typename }")
    run(page)

    expect(answer(page)).to_contain_text('"Query"')


def test_wrong_field_is_underlined(page: Page) -> None:
    """Documents are checked against the schema while they are written."""
    open_graphiql(page)
    expect(editor(page)).to_contain_text("query Images")

    write(page, "{ images { nothing } }")

    expect(page.locator(".graphiql-query-editor .squiggly-error")).to_be_visible()


def test_field_is_completed(page: Page) -> None:
    """What one has begun to write is offered with the schema's description."""
    open_graphiql(page)

    write(page, "{ ")
    page.keyboard.press("Control+Space")

    expect(page.locator(".suggest-widget")).to_contain_text("jsonSchema")


def test_documents_are_explained(page: Page) -> None:
    """The pane of documents shows what the schema says of each field."""
    open_graphiql(page)

    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Query").click()

    pane = page.locator(".graphiql-plugin")
    expect(pane).to_contain_text("The images that the token may see, page by page.")


def test_query_can_be_put_together_by_clicks(page: Page) -> None:
    """The explorer writes what is ticked into the editor."""
    open_graphiql(page)

    page.get_by_role("button", name="Show GraphiQL Explorer").click()
    page.locator(".graphiql-explorer-root").get_by_text("updatedAt").first.click()

    expect(editor(page)).to_contain_text("updatedAt")


@pytest.mark.parametrize(
    ("scheme", "background"),
    [("light", "rgb(255, 255, 255)"), ("dark", "rgb(33, 42, 59)")],
)
def test_page_is_as_dark_as_the_system(
    browser: Browser, gateway: Gateway, scheme: Scheme, background: str
) -> None:
    """Light and dark follow the system until one chooses."""
    with tab(browser, origin(gateway), scheme=scheme) as page:
        open_graphiql(page)

        container = page.locator(".graphiql-container")
        expect(container).to_have_css("background-color", background)


def test_stopped_query_is_asked_no_longer(
    page: Page, double: GlanceDouble, token: str
) -> None:
    """The button that runs a query stops it, and its request."""
    may_answer = threading.Event()
    double.always(Reply(until=may_answer))
    open_graphiql(page, token)
    run(page)

    with page.expect_event("requestfailed") as failed:
        page.get_by_role("button", name="Stop query").click()

    may_answer.set()
    assert failed.value.failure == "net::ERR_ABORTED"
    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


@pytest.mark.parametrize("document", ["{ __typename }", SUBSCRIPTION % "1"])
def test_gateway_that_is_away_is_said_in_one_sentence(
    page: Page, token: str, document: str
) -> None:
    """Of a query and of a subscription."""
    open_graphiql(page, token)
    write(page, document)
    page.route("**/graphql", lambda route: route.abort("connectionrefused"))

    run(page)

    expect(answer(page)).to_contain_text("Nothing more comes from the gateway:")
    expect(answer(page)).not_to_contain_text("stack")


def test_subscription_shows_each_change_until_it_is_stopped(
    page: Page, gateway: Gateway, token: str
) -> None:
    """With the token, as server-sent events."""
    image_id = gateway.create(token, name="golden")
    rename = """mutation ($id: ID!) {
        updateImage(input: {id: $id, name: "silver"}) { __typename } }"""
    open_graphiql(page, token)
    write(page, SUBSCRIPTION % image_id)

    run(page)
    expect(answer(page)).to_contain_text('"golden"')
    gateway.data(rename, token=token, id=image_id)
    expect(answer(page)).to_contain_text('"silver"')
    page.get_by_role("button", name="Stop query").click()

    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


@pytest.mark.parametrize("fragment", ["%", "%E0%A4%A", "ab%zz", ""])
def test_malformed_link_starts_the_page_without_a_token(
    page: Page, fragment: str
) -> None:
    """What cannot be decoded is no token, and leaves the address all the same."""
    page.goto(f"/#token={fragment}")
    editor(page).wait_for()

    expect(page.get_by_label("Token")).to_have_value("")
    expect(question(page)).to_have_count(0)
    assert "#" not in page.url


def test_link_does_not_replace_a_typed_token(page: Page, token: str) -> None:
    """It asks; whoever keeps their token is asked no more."""
    open_graphiql(page)
    page.get_by_label("Token").fill(token)

    page.goto("/#token=another")
    expect(question(page)).to_contain_text("The link brings another token")
    expect(page.get_by_label("Token")).to_have_value(token)
    page.get_by_role("button", name="Keep mine").click()

    expect(question(page)).to_have_count(0)
    expect(page.get_by_label("Token")).to_have_value(token)
    assert "another" not in page.content() + page.url


def test_link_does_not_replace_a_kept_token(page: Page, token: str) -> None:
    """Also where the page is loaded anew; the link's token is used once confirmed."""
    open_graphiql(page, token)
    page.goto("about:blank")

    open_graphiql(page, "another")
    expect(page.get_by_label("Token")).to_have_value(token)
    page.get_by_role("button", name="Use it").press("Enter")

    expect(page.get_by_label("Token")).to_have_value("another")
    expect(question(page)).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Token")).to_have_value("another")


def test_link_with_the_same_token_asks_nothing(page: Page, token: str) -> None:
    """Opening a link twice is not a question."""
    open_graphiql(page, token)

    page.goto(f"/#token={token}")
    expect(page.get_by_label("Token")).to_have_value(token)

    page.wait_for_url("**/")
    expect(question(page)).to_have_count(0)


def test_malformed_link_leaves_a_typed_token(page: Page, token: str) -> None:
    """It is as if it were not there."""
    open_graphiql(page, token)

    page.goto("/#token=%")

    page.wait_for_url("**/")
    expect(page.get_by_label("Token")).to_have_value(token)
    expect(question(page)).to_have_count(0)
