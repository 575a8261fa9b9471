"""The identity of a caller: its token, and a digest that is safe to log."""

import hashlib
from dataclasses import dataclass, field

TOKEN_MAX_BYTES = 8 * 1024


class InvalidToken(ValueError):
    """A token that cannot be sent as a header; the text never contains it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The bearer of a token.

    `scope` names the bearer in keys and logs: a digest of 64 hexadecimal digits.
    The token cannot be recovered from it. Equal scopes belong to one bearer. Neither
    token is in the repr.

    Raises InvalidToken for a token that is longer than 8 KiB or contains anything
    but visible ASCII and spaces.
    """

    token: str = field(repr=False, compare=False)
    service_token: str | None = field(default=None, repr=False, compare=False)
    scope: str = field(init=False)

    def __post_init__(self) -> None:
        """Validate the tokens and derive the scope."""
        _check(self.token)
        if self.service_token:
            _check(self.service_token)
        tokens = f"{self.token}\n{self.service_token or ''}"
        digest = hashlib.sha256(tokens.encode()).hexdigest()
        object.__setattr__(self, "scope", digest)


def _check(token: str) -> None:
    if len(token) > TOKEN_MAX_BYTES:
        msg = f"The token is longer than {TOKEN_MAX_BYTES} bytes."
        raise InvalidToken(msg)
    if not (token.isascii() and token.isprintable()):
        msg = "The token contains characters that are not allowed in a header."
        raise InvalidToken(msg)
