"""Whether a response without a request id comes from Glance, by other marks. Pure.

The id may be missing because a proxy strips it, or because something other than
Glance sent the response: a web server, or a proxy that cannot reach Glance.
"""

import re
from http import HTTPStatus

import orjson

from gateway.glance.exchange import STATEMENTS, is_success

# WebOb's page, with the status as title and as heading (webob.exc).
_HEAD = re.compile(
    rb"\s*<html>\s*<head>\s*<title>(\d{3} [\w -]+)</title>\s*</head>"
    rb"\s*<body>\s*<h1>\1</h1>"
)
_END_OF_SENTENCE = b"<br /><br />"


def is_glances(status: int, content: bytes, *, success: int) -> bool:
    """Return whether a response without a request id is Glance's.

    `success` is the status that Glance sends when the call succeeds: 204 without a
    body, others with a JSON object. One of STATEMENTS comes with an error page of
    Glance's form. A response with any other status is accepted from any server.
    """
    if is_success(status):
        return status == success and _is_result(status, content)
    return status not in STATEMENTS or _is_error_page(status, content)


def described(status: int, media_type: str) -> str:
    """Return the predicate that describes a response not sent by Glance."""
    noun = "response" if media_type.endswith("json") else "page"
    return f"is a {status} {noun} that is not Glance's"


def _is_result(status: int, content: bytes) -> bool:
    if status == HTTPStatus.NO_CONTENT:
        return not content
    return content.lstrip()[:1] == b"{"


def _is_error_page(status: int, content: bytes) -> bool:
    """Return whether this is WebOb's page for the status, as HTML or as JSON."""
    if (head := _HEAD.match(content)) is not None:
        is_same_status = head[1].startswith(b"%d " % status)
        return is_same_status and _END_OF_SENTENCE in content[head.end() :]
    try:
        page = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    is_webobs = isinstance(page, dict) and {"message", "code", "title"} <= page.keys()
    return is_webobs and page["code"] == f"{status} {page['title']}"
