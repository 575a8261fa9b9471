"""Errors of calls to Glance.

GlanceError
├── Unauthenticated      401: the token is missing, unknown or expired
├── Forbidden            403
├── NotFound             404
├── InvalidRequest       400 and any 4xx without a row of its own
├── Conflict             409
├── Gone                 410
├── QuotaExceeded        413
├── Unsupported          a route that this Glance does not have
├── CallLimitReached     the request may make no further call
├── GlanceUnavailable    5xx, no connection, a response that cannot be read
│   ├── TooManyRequests  429, or 413 with Retry-After: try again later
│   └── TooManyWaiting   no further call may wait for its turn
├── GlanceTimeout        no response in time
└── MalformedRecord      a part of a response that cannot be shown
InvalidArgument          a value that no request to Glance can express
"""

from http import HTTPStatus

# Appended to the message of a write that failed without a response from Glance.
NOT_SENT = " It was not sent."
OUTCOME_OPEN = " It was sent, and its outcome is open."
# Appended when a call before the write failed, such as reading the image.
CHANGE_NOT_SENT = " The change was not sent."


class GlanceError(Exception):
    """A call to Glance that failed.

    `str(error)` names what failed, for which id and why, and may be shown to
    clients. `status` is Glance's HTTP status, None if there was no response.
    `was_sent` is False if Glance cannot have received any part of the request, such
    as after a refused connection: then a write has changed nothing.
    `was_sent_before` is True if the call was repeated and Glance may have carried
    out the first attempt: then a write may have changed something.
    `was_lost_before` is True if it was repeated because the connection was lost.
    `retry_after_seconds` is how long to wait before the next request, None if the
    response does not name it.
    """

    was_sent_before = False
    was_lost_before = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str = "",
        was_sent: bool = True,
        retry_after_seconds: int | None = None,
    ) -> None:
        """Set the message and the facts that a client may be shown."""
        super().__init__(message)
        self.status = status
        self.request_id = request_id
        self.was_sent = was_sent
        self.retry_after_seconds = retry_after_seconds

    def note_open_outcome(self) -> None:
        """Say in the message that the write was sent and its outcome is open."""
        if not str(self).endswith(OUTCOME_OPEN):
            self.args = (f"{str(self).removesuffix('.')}.{OUTCOME_OPEN}",)

    def note_unsent_change(self) -> None:
        """Record that the failure happened before the write was sent.

        The message mentions it if the failure could be mistaken for the write's own.
        """
        self.was_sent = False
        leaves_doubt = isinstance(
            self, GlanceUnavailable | GlanceTimeout | CallLimitReached
        )
        if leaves_doubt and not str(self).endswith(NOT_SENT):
            self.args = (f"{self}{CHANGE_NOT_SENT}",)


class Unauthenticated(GlanceError):
    """The token is missing, unknown or expired."""


class Forbidden(GlanceError):
    """The token's roles or the image's state do not allow this."""


class NotFound(GlanceError):
    """The resource does not exist, or is not visible with this token."""


class InvalidRequest(GlanceError):
    """Glance rejects the values of the request."""


class Conflict(GlanceError):
    """The image's state does not allow this, or the id exists already."""


class Gone(GlanceError):
    """The resource existed, and is deleted."""


class QuotaExceeded(GlanceError):
    """A quota or a limit on tags, properties or size is reached."""


class Unsupported(GlanceError):
    """The route is missing in this Glance."""


class CallLimitReached(GlanceError):
    """The request has used up its calls to Glance; this one was not sent.

    `limit` is how many calls a request may make.
    """

    def __init__(self, message: str, *, request_id: str, limit: int) -> None:
        """Set the limit, too."""
        super().__init__(message, request_id=request_id, was_sent=False)
        self.limit = limit


class GlanceUnavailable(GlanceError):
    """Glance cannot be reached, fails, or sends an unreadable response."""


class TooManyRequests(GlanceUnavailable):
    """Glance, or a proxy in front of it, limits the rate of requests."""


class TooManyWaiting(GlanceUnavailable):
    """The queue of calls to Glance is full."""


class GlanceTimeout(GlanceError):
    """Glance did not respond in time."""


class MalformedRecord(GlanceError):
    """An image, a task or a store that cannot be shown, wholly or in part.

    `record_id` is its id, or that of the image it belongs to, None without one.
    """

    def __init__(self, message: str, *, record_id: str | None = None) -> None:
        """Set the id, too."""
        super().__init__(message)
        self.record_id = record_id


class InvalidArgument(ValueError):
    """A value that no request to Glance can express.

    `argument` is the path of the argument, such as `filter.name.in`.
    """

    def __init__(self, argument: str, reason: str) -> None:
        """Name the argument in the message, too."""
        super().__init__(f"{argument}: {reason}")
        self.argument = argument


BY_STATUS: dict[int, type[GlanceError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: Unsupported,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: GlanceUnavailable,
    HTTPStatus.REQUEST_TIMEOUT: GlanceTimeout,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Gone,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: QuotaExceeded,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequests,
    HTTPStatus.GATEWAY_TIMEOUT: GlanceTimeout,
}


def error_class(status: int) -> type[GlanceError]:
    """Return the class for an HTTP status that is not a success.

    A redirect counts as unavailable: the configured address is not Glance's.
    """
    is_client_error = (
        HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    )
    default = InvalidRequest if is_client_error else GlanceUnavailable
    return BY_STATUS.get(status, default)
