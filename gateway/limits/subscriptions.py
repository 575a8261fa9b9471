"""How many subscriptions a worker and an identity may have."""

from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus

from gateway.limits.exceeded import LimitExceeded

TOO_MANY = "TOO_MANY_SUBSCRIPTIONS"


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """The maximum numbers in one worker.

    Subscriptions of one identity to equal lists share one polled list.
    """

    subscriptions: int
    subscriptions_per_identity: int
    lists_per_identity: int


class OpenSubscriptions:
    """Counts subscriptions and polled lists by scope, which names an identity."""

    def __init__(self, limits: SubscriptionLimits) -> None:
        """Begin with none."""
        self._limits = limits
        self._open = 0
        self._open_by_scope: Counter[str] = Counter()
        self._lists_by_scope: Counter[str] = Counter()

    def open(self, scope: str) -> None:
        """Count one more subscription; raises LimitExceeded."""
        limits = self._limits
        _check("this worker has", "subscriptions", self._open, limits.subscriptions)
        own, limit = self._open_by_scope[scope], limits.subscriptions_per_identity
        _check("this token has", "subscriptions", own, limit)
        self._open += 1
        self._open_by_scope[scope] += 1

    def close(self, scope: str) -> None:
        """Count one subscription less."""
        self._open -= 1
        _decrement(self._open_by_scope, scope)

    def open_list(self, scope: str) -> None:
        """Count one more polled list; raises LimitExceeded."""
        own, limit = self._lists_by_scope[scope], self._limits.lists_per_identity
        _check("this token subscribes to", "different lists", own, limit)
        self._lists_by_scope[scope] += 1

    def close_list(self, scope: str) -> None:
        """Count one polled list less."""
        _decrement(self._lists_by_scope, scope)


def _check(who: str, what: str, measured: int, limit: int) -> None:
    if measured >= limit:
        raise LimitExceeded(
            TOO_MANY,
            f"Too many subscriptions: {who} {limit} {what}, as many as it may: try"
            " again later.",
            measured=measured + 1,
            limit=limit,
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )


def _decrement(counts: Counter[str], scope: str) -> None:
    """Decrement a counter, and remove it at 0."""
    counts[scope] -= 1
    if not counts[scope]:
        del counts[scope]
