"""GraphiQL, an IDE in the browser: the package's own files, nothing from elsewhere."""

from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

BUILT = Path(__file__).parents[1] / "graphiql" / "dist"

# What scripts, workers and requests may be comes from here alone. Monaco writes
# style sheets and the places of its lines into the page, and its squiggles are
# images within them; GraphiQL's style sheets hold their fonts.
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
# Workers go by the policy that comes with their own files.
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
    """Return the routes of the page, as it is built now, and of its parts."""
    index = BUILT / "index.html"
    page = index.read_text() if index.exists() else MISSING
    status = 200 if index.exists() else 404

    async def show(_: Request) -> Response:
        return HTMLResponse(page, status, {**GUARDS, "cache-control": "no-cache"})

    parts = _Parts(directory=BUILT / "assets", check_dir=False)
    return [Route("/", show), Mount("/assets", parts)]


def is_for_page(scope: Scope) -> bool:
    """Return whether somebody has opened the endpoint in a browser."""
    if scope["method"] != "GET" or scope["query_string"]:
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


async def show_page_instead(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a browser from the endpoint to the page beside it."""
    headers = {"cache-control": "no-store", "vary": "Accept"}
    redirect = RedirectResponse("./", 303, headers)
    await redirect(scope, receive, send)


class _Parts(StaticFiles):
    """Files whose names change with what they hold, and their compressed twins."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that browsers need to ask for only once."""
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        file = f"{path}.gz" if takes_gzip else path
        response = await super().get_response(file, scope)
        response.headers.update({**GUARDS, "cache-control": IMMUTABLE})
        response.headers["vary"] = "Accept-Encoding"
        if takes_gzip:
            response.headers["content-encoding"] = "gzip"
        return response
