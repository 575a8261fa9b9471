"""What tests of execution share."""

import gc
from collections.abc import Iterator

import pytest

from gateway.execution import turns


@pytest.fixture(autouse=True)
def endless_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time that a machine takes decide in which order errors come."""
    monkeypatch.setattr(turns, "SLICE_SECONDS", float("inf"))


@pytest.fixture
def dropped_is_collected() -> Iterator[None]:
    """Let no warning of a test come up in another one, nor in a named tuple.

    A named tuple is made in a frame without builtins: a coroutine that is
    collected there can't even warn that nobody has awaited it.
    """
    gc.disable()
    gc.freeze()
    yield
    gc.enable()
    gc.collect()
    gc.unfreeze()
