"""The error that every limit raises, and the notification of hooks."""

from collections.abc import Sequence
from http import HTTPStatus

from gateway.facts import Hook, RejectionFacts, tell

# The code of the limits on a whole worker, whichever client reaches them.
OVERLOADED = "OVERLOADED"


class LimitExceeded(Exception):
    """A request that a limit rejects; `str(error)` is the message for the client.

    `code` is the error code, `measured` is the request's value and `limit` the
    allowed one. `status` is the HTTP status if nothing of the request was executed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        measured: int,
        limit: int,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
    ) -> None:
        """Set the facts that a client may be shown."""
        super().__init__(message)
        self.code = code
        self.measured = measured
        self.limit = limit
        self.status = status

    @property
    def extensions(self) -> dict[str, object]:
        """Return the error's `extensions`, except its code."""
        return {"measured": self.measured, "limit": self.limit}


def tell_rejection(
    hooks: Sequence[Hook], error: Exception, scope: str | None, request_id: str
) -> None:
    """Notify hooks that a limit rejected a request; a no-op for other errors."""
    if isinstance(error, LimitExceeded):
        code, measured, limit = error.code, error.measured, error.limit
        facts = RejectionFacts(code, measured, limit, scope, request_id)
        tell(hooks, lambda: facts)
