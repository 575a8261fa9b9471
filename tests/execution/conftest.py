"""What tests of execution share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def dropped_is_collected() -> Iterator[None]:
    """Let no warning of a test come up in another one."""
    yield
    gc.collect()
