"""The estimate of an operation's cost is never below the truth."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.limits.cloud import Client, StubGlance, gateway_before
from tests.limits.generated import MUTATIONS, operation, queries, values
from tests.support.gateway import Json

IMAGES = 37
NO_OTHER_LIMITS: Json = {
    f"limit_{name}": 10**6
    for name in ("cost", "directives", "aliases", "tokens", "result_values")
}
Cloud = tuple[StubGlance, Client]


@pytest.fixture(scope="module", params=["none", "memory://"])
def clouds(request: pytest.FixtureRequest) -> Iterator[list[Cloud]]:
    """Run gateways before a Glance of large pages, and one of known small ones."""
    large, small = StubGlance(IMAGES), StubGlance(IMAGES, page_images=7)
    cache = request.param
    with (
        gateway_before(large, cache_url=cache, **NO_OTHER_LIMITS) as one,
        gateway_before(small, cache_url=cache, **NO_OTHER_LIMITS) as other,
    ):
        other.answer("{ images(first: 10) { nodes { id } } }")
        yield [(large, one), (small, other)]


# Where a field fails that must not be null, graphql-core drops its siblings.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=150, deadline=None, phases=[Phase.generate])
@given(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize("kind", ["query", "mutation"])
def test_no_operation_makes_more_calls_than_estimated(
    clouds: list[Cloud], kind: str, random: Random
) -> None:
    """Whatever is selected, skipped, merged, missing or lost."""
    stub, client = random.choice(clouds)
    roots = queries(stub) if kind == "query" else MUTATIONS
    document = operation(random, kind, roots)
    stub.loses_places = random.random() < 0.2
    stub.calls.clear()

    answer = client.answer(document, values(random, stub))

    assert "glance" in answer.get("extensions", {}), (document, answer)
    costs = answer["extensions"]["glance"]
    assert costs["calls"] == len(stub.calls)
    assert costs["calls"] <= costs.get("estimate", 0), document
