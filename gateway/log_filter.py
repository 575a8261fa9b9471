"""Keeps contents of requests out of the log lines of the server's libraries.

Clients may put tokens into URLs, headers and messages. The libraries log those at
levels below INFO, and the URL of each WebSocket at INFO.
"""

import logging

LIBRARIES = "uvicorn", "websockets"
WEBSOCKET_LINE = '"WebSocket %s"'


class WithoutRequests(logging.Filter):
    """Drops log lines of the server's libraries that contain request data."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line may be written."""
        if not record.name.startswith(LIBRARIES):
            return True
        return record.levelno >= logging.INFO and WEBSOCKET_LINE not in str(record.msg)
