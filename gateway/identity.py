"""Who asks: a token that stays hidden, and a safe name for its bearer."""

import hashlib
from dataclasses import dataclass, field

TOKEN_MAX_BYTES = 8 * 1024


class InvalidToken(ValueError):
    """A token that cannot be sent on as a header; the text never holds it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The bearer of a token.

    `scope` names the bearer in keys and logs: 64 hexadecimal digits from which
    the token can't be found again; equal ones are of one bearer. Neither token is
    in the repr.

    Raises InvalidToken for a token that is longer than 8 KiB or holds anything
    but visible ASCII and spaces.
    """

    token: str = field(repr=False, compare=False)
    service_token: str | None = field(default=None, repr=False, compare=False)
    scope: str = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what is no token and derive the scope."""
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
        msg = "The token holds characters that no header may carry."
        raise InvalidToken(msg)
