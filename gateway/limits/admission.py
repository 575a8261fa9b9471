"""Checks the cost and the rate of a request before it is executed."""

from collections.abc import Callable

import msgspec

from gateway.caller import Counters
from gateway.limits.cost import OperationCosts, check_calls
from gateway.limits.field_costs import Circumstances, Values
from gateway.limits.large_results import LargeResults
from gateway.limits.rate import RateLimited, RateLimits
from gateway.limits.result_values import check_values


class Visitor(msgspec.Struct, frozen=True):
    """The sender of a request: the scope of its identity, and its address."""

    request_id: str
    scope: str | None
    address: str | None


class Admission:
    """The limits on the cost and on the rate of requests."""

    def __init__(
        self,
        page_images: Callable[[], int],
        rates: RateLimits | None,
        *,
        max_values: int,
    ) -> None:
        """Limit rates where `rates` are given, and results to `max_values`.

        `page_images` returns how many images a page of Glance holds;
        `large_results` has room for two of the largest results at once.
        """
        self._page_images = page_images
        self._rates = rates
        self._max_values = max_values
        self.large_results = LargeResults(2 * max_values)

    @property
    def limits_rates(self) -> bool:
        """Return whether requests must be counted on arrival."""
        return self._rates is not None

    async def arrive(self, visitor: Visitor) -> None:
        """Count a request that has arrived, as one call; raises RateLimited."""
        await self._take(visitor, 1)

    def reserve(
        self,
        costs: OperationCosts,
        variables: Values | None,
        counters: Counters,
        *,
        is_listed: bool = False,
    ) -> None:
        """Set the estimates in the counters, and reserve them in the budget.

        `is_listed` is True for a request of a batch. Raises CostLimitExceeded, and
        LimitExceeded for a result that would be too large. An operation without a
        budget may make no call, and costs nothing.
        """
        if counters.budget is None:
            return
        circumstances = Circumstances(self._page_images(), is_listed)
        counters.estimate = costs.calls.estimate(variables, circumstances)
        check_calls(counters.budget, counters.estimate)
        counters.values = costs.values.estimate(variables, circumstances)
        check_values(counters.budget.values + counters.values, self._max_values)
        counters.budget.reserved += counters.estimate
        counters.budget.values += counters.values

    async def charge(self, counters: Counters, visitor: Visitor) -> None:
        """Count the reserved calls, except the one that `arrive` counted.

        Raises RateLimited, and releases the reservation.
        """
        if counters.budget is None or counters.estimate <= 1:
            return
        try:
            await self._take(visitor, counters.estimate - 1)
        except RateLimited:
            counters.budget.reserved -= counters.estimate
            counters.budget.values -= counters.values
            raise

    async def close(self) -> None:
        """Close the counters of rates."""
        if self._rates is not None:
            await self._rates.close()

    async def _take(self, visitor: Visitor, calls: int) -> None:
        if self._rates is not None:
            await self._rates.take(visitor.scope, visitor.address, calls)
