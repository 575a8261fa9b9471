"""Messages of a length that a client's own input can't choose. Pure."""

import re

ECHO_MAX_CHARACTERS = 100
MESSAGE_MAX_CHARACTERS = 600

# What a message quotes, and what graphql-core puts at its end: a value.
_QUOTED = re.compile(r"'[^']{101,}+'|\"[^\"]{101,}+\"|\S{101,}+")
_VALUE = re.compile(r"((?:value|found): )(.{101,})", re.DOTALL)


def bounded(message: str) -> str:
    """Return the message, at most 600 characters of it.

    A value or a name in it is cut after 100 characters.
    """
    if len(message) <= ECHO_MAX_CHARACTERS:
        return message
    message = _VALUE.sub(lambda match: match[1] + _cut(match[2]), message)
    message = _QUOTED.sub(lambda match: _cut(match[0]), message)
    if len(message) <= MESSAGE_MAX_CHARACTERS:
        return message
    return message[: MESSAGE_MAX_CHARACTERS - 1] + "…"


def _cut(text: str) -> str:
    """Return the text's beginning; quotation marks around it stay."""
    if len(text) <= ECHO_MAX_CHARACTERS:
        return text
    end = text[-1] if text[0] == text[-1] and text[0] in "'\"" else ""
    return text[: ECHO_MAX_CHARACTERS - 1 - len(end)] + "…" + end
