"""A gateway whose looks a test needs not wait for, and can see."""

from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received


@pytest.fixture
def gateway(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway that looks often."""
    with running_gateway(
        double.url, poll_seconds=0.05, poll_transient_seconds=0.05
    ) as running:
        yield running


@pytest.fixture
def looks(double: GlanceDouble) -> SimpleQueue[Received]:
    """Return where each request that reaches Glance is told."""
    told: SimpleQueue[Received] = SimpleQueue()
    double.script = told.put
    return told
