"""A browser that reaches the gateway alone, and says what a page did wrong."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Route,
    ViewportSize,
    sync_playwright,
)

from gateway.asgi.graphiql import BUILT

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
)
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (violation) =>
    console.error(violation.violatedDirective, violation.blockedURI));"""
NO_CHROMIUM = "There is no Chromium: `apt-get install chromium` brings it."
# What browsers call an error, and the page shows: a gateway that is away, or rejects.
SHOWN = "net::ERR_CONNECTION_REFUSED", "status of 401"
NO_PAGE = "GraphiQL is not built: `CI=true pip install -e .` says why."

Scheme = Literal["dark", "light"]
Found = TypeVar("Found")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's Chromium, with a page to show; skip where one is missing."""
    needed((BUILT / "index.html").exists() or None, NO_PAGE)
    paths = (shutil.which(name) for name in NAMES)
    path = needed(next(filter(None, paths), None), NO_CHROMIUM)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


def needed(found: Found | None, missing: str) -> Found:
    """Return what was found; else skip the test, or fail it where CI is true."""
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def tab(browser: Browser, url: str, *, scheme: Scheme = "light") -> Iterator[Page]:
    """Open a tab for the gateway at `url`; what it does wrong is an error in the end.

    That is: asking any other host, breaking the page's policy, and whatever else
    browsers call an error, but for a gateway that is away or rejects the token.
    """
    wrongs: list[str] = []

    def let_pass(route: Route) -> None:
        if route.request.url.startswith(f"{url}/"):
            route.continue_()
        else:
            wrongs.append(f"asked for {route.request.url}")
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        is_shown = any(text in message.text for text in SHOWN)
        if message.type == "error" and not is_shown:
            wrongs.append(message.text)

    def note(error: Error) -> None:
        wrongs.append(str(error))

    size = ViewportSize(width=1360, height=800)
    with browser.new_context(
        base_url=url, viewport=size, color_scheme=scheme
    ) as context:
        context.add_init_script(REPORT_VIOLATIONS)
        context.route("**/*", let_pass)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", note)
        yield page
    assert wrongs == []


def open_graphiql(page: Page, token: str = "") -> None:
    """Open the page, with a token as the demo passes it on, and wait for editors."""
    page.goto(f"/#token={token}" if token else "/")
    editor(page).wait_for()


def editor(page: Page) -> Locator:
    """Return where the document is written."""
    return page.locator(".graphiql-query-editor .view-lines")


def answer(page: Page) -> Locator:
    """Return where answers are shown."""
    return page.locator(".result-window .view-lines")


def write(page: Page, document: str) -> None:
    """Put a document into the editor instead of what is there."""
    editor(page).click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(document)


def run(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button", name="Execute query").click()
