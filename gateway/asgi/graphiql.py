"""GraphiQL, an IDE in the browser, served from the package's own files only."""

from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

BUILT = Path(__file__).parents[1] / "graphiql" / "dist"

# Scripts, workers and requests are limited to this origin. Monaco writes style
# sheets and inline line positions into the page, and its squiggles are data images
# in them; GraphiQL's style sheets contain their fonts.
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
# Browsers apply to a worker the policy that is sent with its file.
GUARDS = {
    "content-security-policy": "; ".join(POLICY),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
IMMUTABLE = "public, max-age=31536000, immutable"

MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>glance-gateway</title>
<h1>GraphiQL is not in this installation</h1>
<p>It is built with npm when the package is, and then no registry was reachable.
Where one is (npm's, and PyPI, should there be no Node 20.19 or newer),
install again, in a clone of the repository:</p>
<pre>CI=true pip install --force-reinstall --no-deps .</pre>
<p><code>CI=true</code> makes it say what fails. GraphQL itself is at
<a href="graphql?query={__typename}">graphql</a>.</p>
</html>
"""


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page, read once from the build, and of its assets."""
    index = BUILT / "index.html"
    page = index.read_text() if index.exists() else MISSING
    status = 200 if index.exists() else 404

    async def show(_: Request) -> Response:
        return HTMLResponse(page, status, {**GUARDS, "cache-control": "no-cache"})

    parts = _Parts(directory=BUILT / "assets", check_dir=False)
    return [Route("/", show), Mount("/assets", parts)]


def is_for_page(scope: Scope) -> bool:
    """Return whether a browser requests the endpoint as a page."""
    if scope["method"] != "GET" or scope["query_string"]:
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


async def show_page_instead(scope: Scope, receive: Receive, send: Send) -> None:
    """Redirect a browser from the endpoint to GraphiQL."""
    headers = {"cache-control": "no-store", "vary": "Accept"}
    redirect = RedirectResponse("./", 303, headers)
    await redirect(scope, receive, send)


class _Parts(StaticFiles):
    """Files whose names contain a content hash, and their gzip versions."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that browsers may cache for good."""
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        file = f"{path}.gz" if takes_gzip else path
        response = await super().get_response(file, scope)
        response.headers.update({**GUARDS, "cache-control": IMMUTABLE})
        response.headers["vary"] = "Accept-Encoding"
        if takes_gzip:
            response.headers["content-encoding"] = "gzip"
        return response
