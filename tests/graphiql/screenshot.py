"""Takes the README's picture of GraphiQL before the demo."""

from pathlib import Path

from playwright.sync_api import Page, expect

from gateway.demo.samples import ALICE
from gateway.listening import free_port
from tests.graphiql.browser import answer, chromium, open_graphiql, run, tab
from tests.support.command import piped

PICTURE = Path(__file__).parents[2] / "gateway" / "graphiql" / "screenshot.png"
READY = "Ctrl-C stops both."


def main() -> None:
    """Start a demo, ask it in a browser, and keep what is then seen."""
    port = free_port()
    ports = ("--port", str(port), "--glance-port", str(free_port()))
    with piped("demo", *ports) as demo, chromium() as browser:
        demo.until(READY)
        with tab(browser, f"http://127.0.0.1:{port}") as page:
            show(page)
            page.screenshot(path=PICTURE)


def show(page: Page) -> None:
    """Run a query, with what the schema says of images beside it."""
    open_graphiql(page, ALICE)
    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Query").click()
    page.get_by_role("tab", name="Imports").click()
    run(page)
    expect(answer(page)).to_contain_text("import-failed")
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main()
