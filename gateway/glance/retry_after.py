"""The seconds to wait that a server's `Retry-After` header names. Pure.

Source: RFC 9110, section 10.2.3.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}")
_DATE_MAX_CHARACTERS = 64


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> int | None:
    """Return the seconds to wait; None without the header, or for a malformed one.

    A date counts from the `Date` of the response, so that clocks may differ.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return int(value)
    moment = _moment(value)
    if moment is None:
        return None
    sent_at = _moment(headers.get("Date", "")) or now
    return max(0, math.ceil((moment - sent_at).total_seconds()))


def _moment(value: str) -> datetime | None:
    if len(value) > _DATE_MAX_CHARACTERS:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
