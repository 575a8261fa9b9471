"""What clients are shown of error pages, whoever has made them."""

import pytest

from tests.support import error_pages
from tests.support.error_pages import nginx, page
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, Reply

SHOW = "{ image(id: 1) { id } }"
PREFIX = "Could not get image 1: "
PROBLEM = "application/problem+json"

PAGES = [
    pytest.param(nginx(502, "Bad Gateway"), "502 Bad Gateway", id="nginx 502"),
    pytest.param(
        nginx(503, "Service Temporarily Unavailable"),
        "503 Service Temporarily Unavailable",
        id="nginx 503",
    ),
    pytest.param(
        nginx(504, "Gateway Time-out"), "504 Gateway Time-out", id="nginx 504"
    ),
    pytest.param(nginx(403, "Forbidden"), "403 Forbidden", id="nginx 403"),
    pytest.param(
        nginx(413, "Request Entity Too Large"),
        "413 Request Entity Too Large",
        id="nginx 413",
    ),
    pytest.param(
        nginx(414, "Request-URI Too Large"),
        "414 Request-URI Too Large",
        id="nginx 414",
    ),
    pytest.param(
        page(400, error_pages.NGINX_400, "text/html"),
        "Request Header Or Cookie Too Large",
        id="nginx 400",
    ),
    pytest.param(
        page(503, error_pages.APACHE_503, "text/html; charset=iso-8859-1"),
        "The server is temporarily unable to service your request due to maintenance"
        " downtime or capacity problems. Please try again later.",
        id="Apache 503",
    ),
    pytest.param(
        page(502, error_pages.APACHE_502, "text/html; charset=iso-8859-1"),
        "The proxy server received an invalid response from an upstream server. The"
        " proxy server could not handle the request Reason: Error reading from remote"
        " server",
        id="Apache 502",
    ),
    pytest.param(
        page(503, error_pages.HAPROXY_503, "text/html"),
        "No server is available to handle this request.",
        id="HAProxy",
    ),
    pytest.param(
        page(500, "<html><title>t</title><p>It broke.</p></html>", "text/html"),
        "It broke.",
        id="HTML without a heading",
    ),
    pytest.param(
        page(500, "<title>It broke</title>", "TEXT/HTML"),
        "It broke",
        id="HTML of a title",
    ),
    pytest.param(
        page(503, "no healthy upstream", "text/plain"),
        "no healthy upstream",
        id="Envoy",
    ),
    pytest.param(
        page(500, "Internal\n\x1b[31m Error", "text/plain; charset=utf-8"),
        "Internal [31m Error",
        id="plain text",
    ),
    pytest.param(
        page(500, "<p>It broke.</p>", "text/plain"), "It broke.", id="HTML as text"
    ),
    pytest.param(
        page(500, '{"message": "It broke."}', None), "It broke.", id="no media type"
    ),
    pytest.param(
        page(403, error_pages.GLANCE_JSON_403, "application/json"),
        "You are not authorized to complete get_image action.",
        id="Glance's JSON",
    ),
    pytest.param(
        page(401, error_pages.KEYSTONE_401, "application/json"),
        "The request you have made requires authentication.",
        id="keystonemiddleware",
    ),
    pytest.param(
        page(500, '{"message": "It broke.", "request_id": "1"}', "application/json"),
        "It broke.",
        id="message",
    ),
    pytest.param(
        page(500, '{"detail": "It broke."}', "application/json"),
        "It broke.",
        id="detail",
    ),
    pytest.param(
        page(
            500,
            '{"error_msg": "It broke.", "error_code": "APIGW.0101"}',
            "application/json",
        ),
        "It broke.",
        id="error_msg",
    ),
    pytest.param(
        page(500, '{"error": "It broke."}', "application/json"),
        "It broke.",
        id="error",
    ),
    pytest.param(
        page(
            500,
            '{"type": "about:blank", "title": "Broken", "detail": "It broke."}',
            PROBLEM,
        ),
        "Broken: It broke.",
        id="RFC 9457",
    ),
    pytest.param(
        page(500, '{"title": "Broken", "status": 500}', PROBLEM),
        "Broken",
        id="RFC 9457 without a detail",
    ),
    pytest.param(
        page(
            400,
            '{"badRequest": {"code": 400, "message": "It broke."}}',
            "application/json",
        ),
        "It broke.",
        id="Nova",
    ),
    pytest.param(
        page(
            400,
            '{"errors": [{"status": 400, "title": "Bad", "detail": "It broke."}]}',
            "application/json",
        ),
        "Bad: It broke.",
        id="list of errors",
    ),
]


@pytest.mark.parametrize(("reply", "said"), PAGES)
def test_error_shows_the_pages_own_sentence(
    gateway: Gateway, double: GlanceDouble, reply: Reply, said: str
) -> None:
    """Whatever the form of an error page, the message is its sentence."""
    double.always(reply)

    error = gateway.error(SHOW, token="any")

    assert error["message"] == PREFIX + said


SILENT = [
    pytest.param("", "text/html", id="nothing"),
    pytest.param("<script>var x = 'x';</script>", "text/html", id="script"),
    pytest.param("<!-- <p>x</p> -->", "text/html", id="comment"),
    pytest.param("[" * 3000, "application/json", id="deep JSON"),
    pytest.param('{"message": ', "application/json", id="half of JSON"),
    pytest.param('{"message": {"a": {"b": {"message": "x"}}}}', None, id="deep"),
    pytest.param('{"error": [], "message": 5, "x": null}', None, id="no text"),
    pytest.param("\x89PNG", "image/png", id="picture"),
    pytest.param(
        "Traceback (most recent call last):\n  File x\nError: password=x",
        "text/plain",
        id="traceback",
    ),
    pytest.param(
        "<h1>E</h1><pre>Traceback (most recent call last):\nx</pre>",
        "text/html",
        id="traceback in HTML",
    ),
]


@pytest.mark.parametrize(("body", "media_type"), SILENT)
def test_page_without_a_sentence_is_its_status(
    gateway: Gateway, double: GlanceDouble, body: str, media_type: str | None
) -> None:
    """What is no sentence for a client is not shown."""
    double.always(page(500, body, media_type))

    error = gateway.error(SHOW, token="any")

    assert error["message"] == PREFIX + "500 Internal Server Error"


def test_page_that_quotes_the_token_is_shown_without_it(
    gateway: Gateway, double: GlanceDouble, token: str
) -> None:
    """A server that shows the request's headers shows no token to clients."""
    double.always(page(500, f"X-Auth-Token: {token} is odd", "text/plain"))

    error = gateway.error(SHOW, token=token)

    assert error["message"] == PREFIX + "X-Auth-Token: *** is odd"


FERNET = "gAAAAABnXyZ0-_" + "Qk9Jb2h3" * 12 + "=="


@pytest.mark.parametrize(
    ("body", "media_type", "shown"),
    [
        (f"<p>{FERNET.replace('=', '&#61;')} is bad", "text/html", "*** is bad"),
        (f'{{"message": "token={FERNET}"}}', "application/json", "***"),
        (f"<p>{FERNET[:40]}<wbr>{FERNET[40:]} is bad", "text/html", "*** *** is bad"),
        (f"bad {FERNET[:60]}", "text/plain", "bad ***"),
        ("bad " + "x" * 20, "text/plain", "bad " + "x" * 20),
    ],
    ids=["entity", "JSON", "in two", "cut", "another"],
)
def test_page_that_quotes_a_part_of_the_token_is_shown_without_it(
    gateway: Gateway, double: GlanceDouble, body: str, media_type: str, shown: str
) -> None:
    """However the server writes it."""
    double.always(page(500, body, media_type))

    error = gateway.error(SHOW, token=FERNET)

    assert error["message"] == PREFIX + shown


@pytest.mark.parametrize(
    "text",
    [
        'Traceback <em>(most recent call last)</em> File "/usr/lib/g.py", line 5',
        "traceback&nbsp;(most recent call last)",
        "cannot connect to mysql://glance:s3cret@db/glance",
        "panic: runtime error goroutine 1 [running]",
        "java.lang.Error at org.x.Main.main(Main.java:5)",
    ],
)
def test_page_with_internals_of_a_server_is_not_shown(
    gateway: Gateway, double: GlanceDouble, text: str
) -> None:
    """Neither tracebacks nor passwords in addresses, whatever their form."""
    double.always(page(500, f"<h1>Error</h1><p>{text}", "text/html"))

    error = gateway.error(SHOW, token="any")

    assert error["message"] == PREFIX + "500 Internal Server Error"


TEMPORARY = [
    pytest.param(429, {"Retry-After": "7"}, 7, id="429"),
    pytest.param(413, {"Retry-After": "120"}, 120, id="413"),
    pytest.param(
        503,
        {
            "Date": "Sun, 06 Nov 1994 08:49:00 GMT",
            "Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT",
        },
        37,
        id="503 with a date",
    ),
    pytest.param(
        503, {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0, id="date of the past"
    ),
]
CODES = {429: "TOO_MANY_REQUESTS", 413: "TOO_MANY_REQUESTS", 503: "GLANCE_UNAVAILABLE"}
DELETE = "mutation { deleteImage(input: {id: 1}) { deletedId } }"


@pytest.mark.parametrize(("status", "headers", "seconds"), TEMPORARY)
@pytest.mark.parametrize("document", [SHOW, DELETE], ids=["read", "write"])
def test_error_says_when_to_try_again(
    gateway: Gateway,
    double: GlanceDouble,
    document: str,
    status: int,
    headers: dict[str, str],
    seconds: int,
) -> None:
    """Retry-After is told in seconds, whether it is a number or a date."""
    double.always(Reply(status, b"", headers))

    extensions = gateway.error(document, token="any")["extensions"]

    assert extensions["code"] == CODES[status]
    assert (extensions["status"], extensions["retryAfter"]) == (status, seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-1",
        "1.5",
        "9" * 5000,
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
    ],
)
def test_malformed_time_to_try_again_is_left_out(
    gateway: Gateway, double: GlanceDouble, value: str
) -> None:
    """What is neither seconds nor a date says nothing."""
    double.always(Reply(429, b"", {"Retry-After": value}))

    extensions = gateway.error(SHOW, token="any")["extensions"]

    assert extensions["code"] == "TOO_MANY_REQUESTS"
    assert "retryAfter" not in extensions


def test_read_is_never_over_the_quota(gateway: Gateway, double: GlanceDouble) -> None:
    """413 is about what was sent, or about the rate; a read sends nothing."""
    double.always(nginx(413, "Request Entity Too Large"))

    read = gateway.error(SHOW, token="any")
    write = gateway.error(DELETE, token="any")

    assert read["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert write["extensions"]["code"] == "QUOTA_EXCEEDED"


def test_write_that_came_too_often_has_no_open_outcome(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Too many requests means that this one was not carried out."""
    double.always(nginx(429, "Too Many Requests"))

    error = gateway.error(DELETE, token="any")

    assert error["message"] == "Could not delete image 1: 429 Too Many Requests"
