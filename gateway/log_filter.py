"""What the server's libraries may write into the log: nothing out of a request.

Clients paste tokens into URLs, headers and messages of all kinds, and the libraries
log those at levels below INFO, and the URL of each WebSocket at INFO.
"""

import logging

LIBRARIES = "uvicorn", "websockets"
WEBSOCKET_LINE = '"WebSocket %s"'


class WithoutRequests(logging.Filter):
    """Drops a server library's lines about requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line may be written."""
        if not record.name.startswith(LIBRARIES):
            return True
        return record.levelno >= logging.INFO and WEBSOCKET_LINE not in str(record.msg)
