"""A document is prepared once, and only so many are kept."""

import asyncio
import threading
from typing import Any

import pytest
from graphql import OperationType

from gateway.execution.document_cache import DocumentCache, estimated_bytes
from gateway.execution.preparation import (
    InvalidDocument,
    Preparation,
    Prepared,
    UnknownOperation,
)
from gateway.limits.exceeded import LimitExceeded
from gateway.limits.field_costs import Costs, Tables
from tests.execution.world import world_schema
from tests.limits.maxima import default_maxima

ONE = "{ one { text } }"
TWO = "query A { one { id } } mutation B { change { id } }"


def cache(max_documents: int = 10, max_bytes: int = 1_000_000) -> DocumentCache:
    """Return an empty cache for the world's schema."""
    free = Costs({}, lambda *_: 0)
    preparation = Preparation(
        world_schema(), Tables(free, free), default_maxima(), with_introspection=True
    )
    return DocumentCache(preparation, max_documents=max_documents, max_bytes=max_bytes)


def prepared(cache: DocumentCache, text: str, name: str | None) -> Prepared:
    """Return a document that is short enough to be prepared at once."""
    preparing = cache.prepare(text, name, has_token=True)
    assert isinstance(preparing, Prepared)
    return preparing


def size_of(*texts: str, name: str | None = None) -> int:
    """Return the bytes that prepared documents count as."""
    roomy = cache()
    return sum(
        estimated_bytes((text, name), prepared(roomy, text, name)) for text in texts
    )


def documents(count: int) -> list[str]:
    """Return so many documents of one length."""
    return [f"{{ a{number}: __typename }}" for number in range(count)]


def test_equal_text_is_prepared_once() -> None:
    """The same nodes come back, so plans find them."""
    documents = cache()

    first = prepared(documents, ONE, None)
    again = prepared(documents, "".join(list(ONE)), None)

    assert again is first
    assert (len(documents), documents.bytes_held) == (1, size_of(ONE))


def test_operations_of_a_document_are_prepared_one_by_one() -> None:
    """The name tells which is meant."""
    documents = cache()

    types = [prepared(documents, TWO, name).type_ for name in ("A", "B", "A")]

    assert types == [OperationType.QUERY, OperationType.MUTATION, OperationType.QUERY]
    assert (len(documents), documents.bytes_held) == (2, 2 * size_of(TWO, name="A"))


def test_document_that_was_not_asked_for_longest_is_forgotten() -> None:
    """Asking for one keeps it."""
    small, (first, second, third) = cache(max_documents=2), documents(3)
    kept = prepared(small, first, None)
    dropped = prepared(small, second, None)

    prepared(small, first, None)
    prepared(small, third, None)

    assert (len(small), small.bytes_held) == (2, size_of(first, third))
    assert prepared(small, first, None) is kept
    assert prepared(small, second, None) is not dropped


def test_documents_are_forgotten_until_all_have_room() -> None:
    """A long one may cost several short ones."""
    short = documents(4)
    small = cache(max_bytes=size_of(*short))
    for text in short:
        prepared(small, text, None)
    long = short[0] + " " * 1000

    prepared(small, long, None)

    assert (len(small), small.bytes_held) == (3, size_of(long, *short[2:]))


def test_document_as_large_as_all_may_be_is_kept_alone() -> None:
    """The bound itself is allowed."""
    small = cache(max_bytes=size_of(ONE))
    prepared(small, documents(1)[0], None)

    kept = prepared(small, ONE, None)

    assert prepared(small, ONE, None) is kept
    assert (len(small), small.bytes_held) == (1, size_of(ONE))


def test_document_that_has_no_room_drives_nothing_out() -> None:
    """It is prepared each time."""
    small = cache(max_bytes=size_of(ONE))
    kept = prepared(small, ONE, None)

    first, again = (prepared(small, f"{ONE} ", None) for _ in range(2))

    assert first is not again
    assert prepared(small, ONE, None) is kept
    assert (len(small), small.bytes_held) == (1, size_of(ONE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{ one", "Syntax Error: Expected Name, found <EOF>.", id="syntax"),
        pytest.param(
            "{ one { zzz } }",
            "Cannot query field 'zzz' on type 'Thing'.",
            id="unknown field",
        ),
    ],
)
def test_invalid_document_is_not_kept(text: str, message: str) -> None:
    """It is refused each time, and takes no room."""
    documents = cache()

    for _ in range(2):
        with pytest.raises(InvalidDocument) as refused:
            prepared(documents, text, None)
        assert [error.message for error in refused.value.errors] == [message]

    assert (len(documents), documents.bytes_held) == (0, 0)


def test_all_errors_of_a_document_are_told() -> None:
    """Validation goes on after the first."""
    with pytest.raises(InvalidDocument) as refused:
        prepared(cache(), "{ one { nothing more } }", None)

    assert len(refused.value.errors) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param(TWO, "C", id="another name"),
        pytest.param(ONE, "A", id="no name"),
        pytest.param("fragment F on Query { __typename }", None, id="no operation"),
    ],
)
def test_unknown_operation_is_not_kept(text: str, name: str | None) -> None:
    """A document without the operation is told from an invalid one."""
    documents = cache()

    with pytest.raises(UnknownOperation):
        prepared(documents, text, name)

    assert len(documents) == 0


@pytest.mark.anyio
async def test_requests_without_a_token_take_a_part_of_the_places_for_documents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many they are, there is room for those with one."""
    may_prepare = threading.Event()
    prepare = Preparation.prepare

    def held(*args: Any, **kwargs: Any) -> Prepared:
        may_prepare.wait(10)
        return prepare(*args, **kwargs)

    monkeypatch.setattr(Preparation, "prepare", held)
    long = cache()
    texts = [f"{{ __typename }} #{number:>2000}" for number in range(20)]

    async def preparing(text: str, *, has_token: bool) -> str | None:
        waiting = long.prepare(text, None, has_token=has_token)
        assert not isinstance(waiting, Prepared)
        try:
            await waiting
        except LimitExceeded as error:
            return error.code
        return None

    tasks = [
        asyncio.create_task(preparing(text, has_token=has_token))
        for has_token in (False, True)
        for text in texts
    ]
    await asyncio.sleep(0)
    may_prepare.set()
    codes = await asyncio.gather(*tasks)

    assert codes == [None] * 10 + ["OVERLOADED"] * 10 + [None] * 20
    long.close()
