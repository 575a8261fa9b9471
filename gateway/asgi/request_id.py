"""The id under which one request is known to client, gateway and Glance."""

import re

from gateway.caller import new_request_id

HEADER = "x-openstack-request-id"

# Glance answers 500 to an id of more than 64 characters, and puts `req-` in
# front of one that does not begin so.
_ACCEPTABLE = re.compile(r"req-[0-9A-Za-z._-]{1,60}")


def request_id(asked: str | None) -> str:
    """Return the client's own id where it is acceptable, else a new one."""
    if asked is not None and _ACCEPTABLE.fullmatch(asked):
        return asked
    return new_request_id()
