"""How many calls to Glance an identity, or an address, may use per time window."""

from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from math import floor

from limits import RateLimitItem

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.rate_counts import RateCounts, Window

CODE = "RATE_LIMITED"


class RateLimited(LimitExceeded):
    """A request that exceeds a rate limit.

    `retry_after_seconds` is how long to wait, None where waiting does not help.
    """

    def __init__(
        self, of: str, rate: RateLimitItem, calls: int, retry_after_seconds: int | None
    ) -> None:
        """Set the message with the limit and the time to wait."""
        message = f"The rate limit of this {of} is {rate}, in calls to Glance: "
        if retry_after_seconds is None:
            message += f"the request may need {calls}, select less."
        else:
            message += f"try again in {retry_after_seconds} s."
        super().__init__(
            CODE,
            message,
            measured=calls,
            limit=rate.amount,
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
        self.retry_after_seconds = retry_after_seconds

    @property
    def extensions(self) -> dict[str, object]:
        """Return the error's `extensions`, except its code."""
        if self.retry_after_seconds is None:
            return super().extensions
        return {**super().extensions, "retryAfter": self.retry_after_seconds}


class RateLimits:
    """The rate limits of identities and of addresses; each is optional."""

    def __init__(
        self,
        counts: RateCounts,
        *,
        per_identity: RateLimitItem | None,
        per_address: RateLimitItem | None,
    ) -> None:
        """Count with `counts`, which `close` closes."""
        self._counts = counts
        self._per_identity = per_identity
        self._per_address = per_address

    async def take(self, scope: str | None, address: str | None, calls: int) -> None:
        """Count calls against both rates; raises RateLimited.

        What has no address, or no identity, is not counted for it. What the
        identity's rate rejects is not counted for its address.
        """
        rates = []
        if self._per_identity is not None and scope is not None:
            rates.append(("token", self._per_identity, scope))
        if self._per_address is not None and address is not None:
            rates.append(("address", self._per_address, sender_of(address)))
        for of, rate, _ in rates:
            if calls > rate.amount:
                raise RateLimited(of, rate, calls, None)
        for of, rate, name in rates:
            await self._take(of, rate, name, calls)

    async def close(self) -> None:
        """Close the counts."""
        await self._counts.close()

    async def _take(self, of: str, rate: RateLimitItem, name: str, calls: int) -> None:
        key, seconds = rate.key_for(of, name), rate.get_expiry()
        if await self._counts.acquire(key, rate.amount, seconds, calls):
            return
        window = await self._counts.window(key, seconds)
        wait = wait_seconds(window, limit=rate.amount, length=seconds, amount=calls)
        raise RateLimited(of, rate, calls, floor(wait) + 1)


def sender_of(address: str) -> str:
    """Return the part of an address that identifies its sender.

    For IPv6 these are the first 64 bits: the sender can choose the others.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())


def wait_seconds(window: Window, *, limit: int, length: int, amount: int) -> float:
    """Return in how many seconds an amount fits, if nothing else is counted.

    It fits at any time after that moment, but not at the moment itself.
    """
    room = limit - amount - window.current
    if room >= 0:
        return _until(window.previous, window.previous_seconds, room, length)
    begins_in = max(0.0, window.current_seconds - length)
    return begins_in + _until(window.current, length, limit - amount, length)


def _until(count: int, seconds: float, room: int, length: int) -> float:
    """Return when a counter that fades within `seconds` leaves the room it takes.

    A part of one that it weighs more takes no room.
    """
    if not count:
        return 0.0
    return max(0.0, seconds - (room + 1) * length / count)
