"""Whatever is asked, and of whatever data: the answer is graphql-core's own."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from graphql import parse, specified_rules
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis.strategies import integers, randoms
from strawberry.schema.schema import validate_document

from tests.execution.comparison import Case, Comparison, Difference
from tests.execution.generated import document, keys_read, values
from tests.execution.hostile import RECORD, spoilt_world
from tests.execution.mutants import MUTANTS, Mutant
from tests.execution.tricky import LEFT_ALONE, TRICKY, UNPROPAGATED, VARIABLES, WORLDS
from tests.execution.world import World, world_schema

WORLDS_OF_A_DOCUMENT = 8
# By the first, what fails is made as short as it can be; the second, without a
# preference for what is short, finds more.
CHANCES = randoms(use_true_random=False) | integers(min_value=0).map(Random)

Variables = dict[str, object]

# graphql-core itself drops what it has not begun when something beside it fails.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.usefixtures("dropped_is_collected"),
]


def compare(
    comparison: Comparison,
    text: str,
    asked: Sequence[tuple[World, Variables]],
    operation_name: str | None = None,
) -> None:
    """Compare the answers to one document; each is asked with the same nodes."""
    parsed = parse(text)

    async def ask() -> None:
        for world, variables in asked:
            case = Case(parsed, world, variables, operation_name)
            await comparison.compare(case)

    asyncio.run(ask())


def worlds_of(text: str) -> list[tuple[World, Variables]]:
    """Return all worlds, each with half of the variables if there are any."""
    if "$" not in text:
        return [(world, {}) for world in WORLDS]
    return [
        (world, variables)
        for number, world in enumerate(WORLDS)
        for variables in VARIABLES[number % 2 :: 2]
    ]


def check(comparison: Comparison, *, documents: int, phases: Sequence[Phase]) -> None:
    """Look for an answer that is not graphql-core's, in the same cases each time."""

    @settings(
        max_examples=documents,
        phases=phases,
        derandomize=True,
        report_multiple_bugs=False,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(CHANCES)
    def one(random: Random) -> None:
        text = document(random)
        worlds = [
            (spoilt_world(random, keys_read(text)), values(random))
            for _ in range(WORLDS_OF_A_DOCUMENT)
        ]
        note(text)
        assert not validate_document(comparison.schema, parse(text), specified_rules)
        compare(comparison, text, worlds)

    one()


def test_any_selection_of_any_data_is_answered_as_by_graphql_core() -> None:
    """Data, their types and order, errors and their order are the same."""
    comparison = Comparison(world_schema())

    check(comparison, documents=500, phases=[Phase.generate, Phase.shrink])

    assert comparison.cases >= 2_000
    assert comparison.plans.projected >= 10_000


@pytest.mark.parametrize("name", TRICKY)
def test_tricky_document_is_answered_as_by_graphql_core(name: str) -> None:
    """Also where a compiler of selections may go wrong."""
    comparison, text = Comparison(world_schema()), TRICKY[name]
    operations = ["A", "B"] if "query B" in text else [None]

    assert not validate_document(comparison.schema, parse(text), specified_rules)
    for operation in operations:
        compare(comparison, text, worlds_of(text), operation)

    assert (comparison.plans.projected > 0) is (name not in LEFT_ALONE)


def test_errors_that_do_not_propagate_are_left_to_graphql_core() -> None:
    """Nothing is projected where errors stay at their fields."""
    comparison = Comparison(world_schema())

    compare(comparison, UNPROPAGATED, [(world, {}) for world in WORLDS])

    assert comparison.plans.projected == 0


def test_null_for_a_condition_fails_where_graphql_core_fails() -> None:
    """A variable with a default may be null, which @include can't have."""
    worlds = [World(RECORD, [RECORD]), World({**RECORD, "part_or_null": None}, [])]
    condition = "@include(if: $a)"

    for selection in (
        f"one {{ text partOrNull {{ name {condition} }} }}",
        f"manyOrNull {{ text {condition} }}",
    ):
        text = f"query ($a: Boolean = true) {{ {selection} }}"
        compare(
            Comparison(world_schema()), text, [(world, {"a": None}) for world in worlds]
        )


def test_operations_that_share_a_fragment_have_conditions_of_their_own() -> None:
    """Conditions are known by their variables' names, not by their places."""
    comparison = Comparison(world_schema())
    parsed = parse(
        """query A($x: Boolean!, $y: Boolean!) { ...F }
        query B($y: Boolean!, $x: Boolean!) { ...F }
        fragment F on Query { one { text @include(if: $x) id @include(if: $y) } }"""
    )

    async def ask() -> None:
        for name, x in (("A", True), ("B", False)):
            variables: Variables = {"x": x, "y": not x}
            await comparison.compare(Case(parsed, World(RECORD), variables, name))

    asyncio.run(ask())


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param("text root { text __schema { queryType { name } } }", id="schema"),
        pytest.param('text root { text __type(name: "Part") { name } }', id="type"),
        pytest.param("text tinted", id="default that is no literal"),
        pytest.param("text excused", id="function that returns an exception"),
        pytest.param('text maybe(word: "x")', id="argument that may be left out"),
    ],
)
def test_corner_of_a_schema_is_answered_as_by_graphql_core(selection: str) -> None:
    """Also what our own schema does not have, but might."""
    comparison = Comparison(world_schema())

    compare(comparison, "{ one { %s } }" % selection, [(World(RECORD), {})])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_wrong_plan_is_found_out(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for a compiler with a mistake."""
    mutant.apply(monkeypatch)

    with pytest.raises(Difference):
        check(Comparison(world_schema()), documents=1000, phases=[Phase.generate])
