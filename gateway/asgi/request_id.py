"""The request id that client, gateway and Glance share."""

import re

from gateway.caller import new_request_id

HEADER = "x-openstack-request-id"

# Glance answers 500 to an id of more than 64 characters, and puts `req-` in
# front of one that does not begin so.
_ACCEPTABLE = re.compile(r"req-[0-9A-Za-z._-]{1,60}")


def request_id(sent: str | None) -> str:
    """Return the id that the client sent if it is valid, else a new one."""
    if sent is not None and _ACCEPTABLE.fullmatch(sent):
        return sent
    return new_request_id()
