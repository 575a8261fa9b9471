"""What every limit raises, and how hooks are told of it."""

from collections.abc import Sequence
from http import HTTPStatus

from gateway.facts import Hook, RejectionFacts, tell

# The code of the limits on a whole worker, whichever client reaches them.
OVERLOADED = "OVERLOADED"


class LimitExceeded(Exception):
    """A request that a limit rejects; `str(error)` tells the client why.

    `code` is the error code, `measured` what the request has and `limit` what it
    may have; `status` is the HTTP status where nothing of it was executed.
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
        """Keep the facts that a client may be shown."""
        super().__init__(message)
        self.code = code
        self.measured = measured
        self.limit = limit
        self.status = status

    @property
    def extensions(self) -> dict[str, object]:
        """Return what the error's `extensions` tell beside its code."""
        return {"measured": self.measured, "limit": self.limit}


def tell_rejection(
    hooks: Sequence[Hook], error: Exception, scope: str | None, request_id: str
) -> None:
    """Give hooks the facts of what a limit has rejected; a no-op for other errors."""
    if isinstance(error, LimitExceeded):
        code, measured, limit = error.code, error.measured, error.limit
        facts = RejectionFacts(code, measured, limit, scope, request_id)
        tell(hooks, lambda: facts)
