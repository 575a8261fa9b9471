"""Error pages as servers in front of Glance send them, byte for byte."""

from tests.support.glance_double import Reply

NGINX = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
    "<center><h1>{title}</h1></center>\r\n"
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
NGINX_400 = (
    "<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n"
    "<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>Request Header Or Cookie Too Large</center>\r\n"
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
APACHE_503 = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html><head>
<title>503 Service Unavailable</title>
</head><body>
<h1>Service Unavailable</h1>
<p>The server is temporarily unable to service your
request due to maintenance downtime or capacity
problems. Please try again later.</p>
</body></html>
"""
APACHE_502 = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html><head>
<title>502 Proxy Error</title>
</head><body>
<h1>Proxy Error</h1>
<p>The proxy server received an invalid
response from an upstream server.<br />
The proxy server could not handle the request<p>Reason: <strong>Error reading from remote server</strong></p></p>
<hr>
<address>Apache/2.4.71 (Debian) Server at glance Port 80</address>
</body></html>
"""  # noqa: E501 - as Apache writes it
HAPROXY_503 = (
    "<html><body><h1>503 Service Unavailable</h1>\n"
    "No server is available to handle this request.\n</body></html>\n"
)
GLANCE_JSON_403 = (
    '{"message": "You are not authorized to complete get_image action.<br /><br />\\n'
    '\\n\\n", "code": "403 Forbidden", "title": "Forbidden"}'
)
KEYSTONE_401 = (
    '{"error":{"code":401,"title":"Unauthorized","message":'
    '"The request you have made requires authentication."}}\n'
)


def nginx(status: int, phrase: str) -> Reply:
    """Return nginx's own page."""
    return page(status, NGINX.format(title=f"{status} {phrase}"), "text/html")


def page(status: int, body: str, media_type: str | None) -> Reply:
    """Return a page that is not Glance's own."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    return Reply(status, body.encode(), headers, has_id=False)
