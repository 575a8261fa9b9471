"""How large variables may be: in bytes, levels, and items of one list."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.list_items import CODE as LIST_CODE

BYTES_CODE = "VARIABLES_BYTES_LIMIT_EXCEEDED"
DEPTH_CODE = "VARIABLES_DEPTH_LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class VariableLimits:
    """The maxima for the variables of one request."""

    bytes: int
    depth: int
    list_items: int

    def check(self, variables: Mapping[str, object], sent_bytes: int) -> None:
        """Raise LimitExceeded for variables that are too large.

        `sent_bytes` are those of the request that brings them: variables of a
        request that is small enough are not measured by themselves. Depth comes
        first, because what is nested too deeply cannot be encoded.
        """
        waiting: list[tuple[object, int]] = [(variables, 0)]
        while waiting:
            value, depth = waiting.pop()
            if isinstance(value, dict):
                self._check_depth(depth)
                waiting += [(one, depth + 1) for one in value.values()]
            elif isinstance(value, list):
                self._check_depth(depth)
                self._check_list(value)
                waiting += [(one, depth + 1) for one in value]
        if sent_bytes > self.bytes:
            self._check_bytes(variables)

    def _check_bytes(self, variables: Mapping[str, object]) -> None:
        count = len(orjson.dumps(variables))
        if count > self.bytes:
            message = (
                f"The variables have {count} bytes; at most {self.bytes} are allowed."
            )
            raise LimitExceeded(BYTES_CODE, message, measured=count, limit=self.bytes)

    def _check_depth(self, depth: int) -> None:
        if depth > self.depth:
            message = f"The variables are nested deeper than {self.depth} levels."
            raise LimitExceeded(DEPTH_CODE, message, measured=depth, limit=self.depth)

    def _check_list(self, items: list[object]) -> None:
        count, limit = len(items), self.list_items
        if count > limit:
            message = (
                f"A list in the variables has {count} items; at most {limit} are"
                " allowed."
            )
            raise LimitExceeded(LIST_CODE, message, measured=count, limit=limit)
