"""Error pages become one sentence, however they are made."""

import time

import pytest

from gateway.glance.body import ERROR_PAGE_MAX_BYTES
from gateway.glance.error_page import SENTENCE_MAX_CHARACTERS, sentence_of

PAGES = [
    pytest.param("", "", id="nothing"),
    pytest.param("<h1>404</h1> No <b>such</b> image.", "No such image.", id="markup"),
    pytest.param("<h1>a</h1>b<h1>c</h1>\n d ", "d", id="two headings"),
    pytest.param("it &#x27;is&#39; &amp;c", "it 'is' &c", id="entities"),
    pytest.param("1 < 2 <br> 3", "1 < 2 3", id="no tag"),
    pytest.param("x" * 600, "x" * 499 + "…", id="long"),
]


@pytest.mark.parametrize(("page", "expected"), PAGES)
def test_page_becomes_a_sentence(page: str, expected: str) -> None:
    """Markup and heading go, entities are spelled out, the rest is cut."""
    assert sentence_of("text/html", page.encode()) == expected


UNITS = [
    "<",
    "<a",
    "</h1",
    "&",
    "&#",
    "&#9",
    "&#x9",
    "&lt;",
    " ",
    "<a>",
    "</h1><",
    "<h1>",
]
UNITS += ["<!--", "-->", "<script>", "<!-", "<hr>", "<title>"]


@pytest.mark.parametrize("unit", UNITS)
def test_page_takes_time_in_proportion(unit: str) -> None:
    """No page that is read takes longer than some milliseconds."""
    page = unit * (ERROR_PAGE_MAX_BYTES // len(unit))
    begun = time.process_time()

    said = sentence_of("text/html", page.encode())

    assert time.process_time() - begun < 0.1
    assert len(said) <= SENTENCE_MAX_CHARACTERS


@pytest.mark.parametrize("unit", ['{"a":', "[", '{"a":[', '"', "1,"])
def test_json_page_takes_time_in_proportion(unit: str) -> None:
    """No nesting makes a page expensive."""
    page = unit.encode() * (ERROR_PAGE_MAX_BYTES // len(unit))
    begun = time.process_time()

    said = sentence_of("application/json", page)

    assert time.process_time() - begun < 0.1
    assert said == ""


def test_number_of_a_page_has_as_many_digits_as_it_likes() -> None:
    """int() takes 4300 digits, the page more."""
    assert (
        len(sentence_of("text/html", b"&#" + b"9" * 10_000)) <= SENTENCE_MAX_CHARACTERS
    )
