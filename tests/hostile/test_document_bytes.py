"""What prepared documents cost, whatever clients put into them."""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from gateway.execution.document_cache import estimated_bytes
from gateway.execution.preparation import Preparation, Prepared
from gateway.schema.costs import TABLES
from gateway.schema.root import build_schema
from tests.limits.maxima import default_maxima

SCHEMA = build_schema()._schema  # noqa: SLF001 - Strawberry has no other name
TIMES = 6
FIELDS = "id name status visibility size owner createdAt updatedAt checksum tags"


def aliased(count: int, field: str) -> str:
    """Return a field so many times."""
    return " ".join(f"a{number}: {field}" for number in range(count))


DOCUMENTS = {
    "few tokens": "{ image(id: 1) { id } }",
    "fields": "{%s}" % aliased(25, f"image(id: 1) {{ {FIELDS} }}"),
    "arguments": "{%s}" % aliased(25, 'image(id: "1") { id name }'),
    "conditions": "query ($a: Boolean! = true) {%s}"
    % aliased(25, "image(id: 1) @include(if: $a) { id name }"),
    "a long text": '{ image(id: "%s") { id } }' % ("x" * 10_000),
    "a long text beyond ASCII": '{ image(id: "%s") { id } }' % ("\U0001f600" * 5_000),
}


@pytest.fixture
def preparation() -> Preparation:
    """Prepare with the limits that are set by default."""
    return Preparation(SCHEMA, TABLES, default_maxima(), with_introspection=True)


@pytest.fixture
def traced() -> Iterator[None]:
    """Count bytes."""
    gc.collect()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def traced_bytes() -> int:
    """Return what is held now, without garbage."""
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    return held


def prepared(preparation: Preparation, text: str) -> Prepared:
    """Return a prepared document."""
    of_text = preparation.check(text, None, has_token=True)
    return preparation.prepare(text, None, of_text, has_token=True)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_document_takes_no_more_than_is_estimated(
    preparation: Preparation, document: str
) -> None:
    """Whatever it consists of."""
    texts = [f"{document}#{number}" for number in range(2 * TIMES)]
    for text in texts[TIMES:]:
        prepared(preparation, text)
    before = traced_bytes()

    held = [(text, prepared(preparation, text)) for text in texts[:TIMES]]

    after = traced_bytes()
    estimate = sum(estimated_bytes((text, None), one) for text, one in held)
    assert after - before <= estimate
