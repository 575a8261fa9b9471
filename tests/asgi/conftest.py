"""What tests of the endpoint share."""

from collections import Counter

import pytest

from gateway.execution.operations import Operations


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each document was executed."""
    counts: Counter[str] = Counter()
    execute = Operations.execute

    def counted(self: Operations, prepared: object, *rest: object) -> object:
        counts[prepared.document.loc.source.body] += 1  # type: ignore[attr-defined]
        return execute(self, prepared, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Operations, "execute", counted)
    return counts
