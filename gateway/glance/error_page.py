"""Extracts one sentence from an error page. Pure.

The page comes from Glance (HTML), keystonemiddleware (JSON), or a proxy or API gateway
in front of them (HTML, plain text, or JSON of many shapes).
"""

import html
import re
from collections.abc import Sequence

import orjson

SENTENCE_MAX_CHARACTERS = 500

# html.unescape raises for a character reference of 4301 digits, as int() does.
_ESCAPED_MAX_CHARACTERS = 4000
_TAG = re.compile(r"<!--|-->|<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>|<[!?][^<>]*>")
_UNREADABLE_ELEMENTS = frozenset({"script", "style"})
# What a server shows of itself: tracebacks of Python, Go and Java, and passwords in
# addresses.
_INTERNALS = re.compile(
    r"traceback|file \"[^\"]{1,200}\", line [0-9]|goroutine [0-9]"
    r"|\bat [\w.$]{1,200}\([\w.]{1,100}:[0-9]|://[^\s/@:]{0,200}:[^\s/@]{1,200}@",
    re.IGNORECASE,
)
# What may be a token, or a part of one.
_RUN = re.compile(r"[\w+/=.~%:,-]{16,}")
_SECRET_MIN_CHARACTERS = 16
# Keys that hold the sentence, the most specific ones first.
_KEYS = ("message", "detail", "error_msg", "error_message", "faultstring")
_NESTED_LEVELS = 2


def sentence_of(media_type: str, page: bytes) -> str:
    """Return the message of an error page, as one line of text without markup.

    It has at most 500 characters. It is empty if the page has no text, or exposes
    internals of a server. The time is linear in the size of the page.
    """
    text = page.decode(errors="replace")
    kind = _kind(media_type.strip().lower(), text)
    sentence = one_line(text) if kind == "plain" else ""
    if kind == "json":
        sentence = without_markup(_sentence_in_json(page))
    if kind == "html":
        sentence = without_markup(text)
    return "" if _INTERNALS.search(sentence) else sentence


def masked(sentence: str, secrets: Sequence[str]) -> str:
    """Return the sentence with `***` for the secrets, and for parts of them."""
    long = [one for one in secrets if len(one) >= _SECRET_MIN_CHARACTERS]

    def mask(run: re.Match[str]) -> str:
        is_secret = any(_shares(run[0], secret) for secret in long)
        return "***" if is_secret else run[0]

    return _RUN.sub(mask, sentence) if long else sentence


def _shares(run: str, secret: str) -> bool:
    """Return whether a run of characters is a part of a secret, or has its ends."""
    beginning, end = secret[:_SECRET_MIN_CHARACTERS], secret[-_SECRET_MIN_CHARACTERS:]
    return run in secret or beginning in run or end in run


def without_markup(page: str) -> str:
    """Return the text below the last heading, else the heading, else the title."""
    parts = _Parts()
    end = 0
    for tag in _TAG.finditer(page):
        parts.add_text(page[end : tag.start()])
        parts.add_tag(tag)
        end = tag.end()
    parts.add_text(page[end:])
    for texts in (parts.body[: parts.footer_at], parts.heading, parts.title):
        escaped = " ".join(" ".join(texts).split())
        if escaped:
            return one_line(html.unescape(escaped[:_ESCAPED_MAX_CHARACTERS]))
    return ""


def one_line(text: str) -> str:
    """Return the printable words of a text, at most 500 characters."""
    printable = "".join(one if one.isprintable() else " " for one in text)
    line = " ".join(printable.split())
    if len(line) <= SENTENCE_MAX_CHARACTERS:
        return line
    return line[: SENTENCE_MAX_CHARACTERS - 1] + "…"


def _kind(media_type: str, text: str) -> str:
    """Return the format of a page; `text/plain` may be HTML or JSON, too."""
    if media_type == "application/json" or media_type.endswith("+json"):
        return "json"
    if media_type in {"text/html", "application/xhtml+xml"}:
        return "html"
    if media_type not in {"", "text/plain"}:
        return ""
    return {"<": "html", "{": "json", "[": "json"}.get(text.lstrip()[:1], "plain")


class _Parts:
    """The texts of an HTML page by element; a footer begins at the last `<hr>`."""

    def __init__(self) -> None:
        self.title: list[str] = []
        self.heading: list[str] = []
        self.body: list[str] = []
        self.footer_at: int | None = None
        self._open = ""
        self._is_comment = False

    def add_text(self, text: str) -> None:
        """Add the text between two tags."""
        if not self._is_comment and self._open not in _UNREADABLE_ELEMENTS:
            parts = {"title": self.title, "h1": self.heading}
            parts.get(self._open, self.body).append(text)

    def add_tag(self, tag: re.Match[str]) -> None:
        """Update the element that the next text belongs to."""
        name = (tag[2] or "").lower()
        if self._is_comment or not name:
            begins = self._is_comment or tag[0] == "<!--"
            self._is_comment = begins and tag[0] != "-->"
        elif tag[1]:
            self._open = "" if name == self._open else self._open
        elif self._open not in _UNREADABLE_ELEMENTS:
            self._begin(name)

    def _begin(self, name: str) -> None:
        if name == "hr":
            self.footer_at = len(self.body)
        if name == "h1":
            self.heading, self.body, self.footer_at = [], [], None
        if name in {"title", "h1", *_UNREADABLE_ELEMENTS}:
            self._open = name


def _sentence_in_json(page: bytes) -> str:
    try:
        return _sentence_in(orjson.loads(page), _NESTED_LEVELS)
    except orjson.JSONDecodeError:
        return ""


def _sentence_in(value: object, levels: int) -> str:
    """Return the sentence in a JSON value, searched in `levels` nested levels.

    Keystone and Nova nest it (`{"error": {"message": ...}}`, `{"itemNotFound":
    {"message": ...}}`), others put it in a list (`{"errors": [{"detail": ...}]}`).
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return ""
    for key in _KEYS:
        if isinstance(value.get(key), str) and value[key]:
            return _with_title(value, key)
    if levels:
        for inner in value.values():
            sentence = _sentence_in(inner, levels - 1)
            if sentence:
                return sentence
    return next(
        (str(value[key]) for key in ("error", "title") if _is_text(value.get(key))), ""
    )


def _with_title(problem: dict[str, object], key: str) -> str:
    """Return the sentence, after the title of a problem (RFC 9457, section 3.1)."""
    title, sentence = problem.get("title"), str(problem[key])
    if key == "detail" and isinstance(title, str) and title:
        return f"{title}: {sentence}"
    return sentence


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
