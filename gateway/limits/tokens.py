"""How many lexical tokens a document may have; counted before it is parsed.

A name, a number, a string, a comment and a punctuator are one token each.
Source: GraphQL specification, 2.1, Source Text.
"""

import re
from collections.abc import Iterator
from itertools import islice

from gateway.limits.exceeded import LimitExceeded

CODE = "TOKEN_LIMIT_EXCEEDED"

# Each quantifier is possessive, so that no text is read twice.
_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\"""|\\|"(?!""))*+"""'
    r'|"(?:[^"\\\n\r]++|\\.)*+"'
    r"|#[^\n\r]*+"
    r"|[A-Za-z_]\w*+"
    r"|-?\d[\d.eE+-]*+"
    r"|\.\.\."
    r"|[^\s,\ufeff]",
    re.ASCII | re.DOTALL,
)


def tokens_of(text: str) -> Iterator[str]:
    """Yield tokens and comments; an invalid character is a token of its own."""
    return (match[0] for match in _TOKEN.finditer(text))


def check_tokens(text: str, limit: int) -> int:
    """Return the number of tokens; raises LimitExceeded for more than `limit`.

    The text is read only up to the limit.
    """
    count = sum(1 for _ in islice(_TOKEN.finditer(text), limit + 1))
    if count > limit:
        message = f"The document has more than {limit} tokens."
        raise LimitExceeded(CODE, message, measured=count, limit=limit)
    return count
