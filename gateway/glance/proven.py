"""Tokens that Glance has accepted, by scope."""

from collections import OrderedDict
from http import HTTPStatus

MAX_SCOPES = 10_000
TTL_SECONDS = 3600.0

# Statuses that Glance sends only after it has checked the token.
PROOFS = frozenset(
    {
        *range(200, 300),
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)


class ProvenTokens:
    """The scopes of tokens that Glance has accepted in the last hour.

    At most 10,000: the one that was accepted longest ago is dropped first. Times
    are seconds of one clock.
    """

    def __init__(self, *, max_scopes: int = MAX_SCOPES) -> None:
        """Begin empty."""
        self._max_scopes = max_scopes
        self._proven_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many scopes are kept."""
        return len(self._proven_at)

    def has(self, scope: str, now: float) -> bool:
        """Return whether Glance has accepted this token in the last hour."""
        proven_at = self._proven_at.get(scope)
        return proven_at is not None and now - proven_at < TTL_SECONDS

    def observe(self, scope: str, status: int, now: float) -> None:
        """Remove the scope after a 401, add it after one of PROOFS."""
        if status == HTTPStatus.UNAUTHORIZED:
            self._proven_at.pop(scope, None)
        elif status in PROOFS:
            self._proven_at[scope] = now
            self._proven_at.move_to_end(scope)
            if len(self._proven_at) > self._max_scopes:
                self._proven_at.popitem(last=False)
