"""What compiled plans cost, whatever documents and conditions clients send."""

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any, cast

import pytest
from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode, parse
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet

from gateway.execution import executor
from gateway.execution.operations import Operations
from gateway.execution.plan import (
    MAX_COMPILATIONS,
    Compilations,
    Plan,
    compile_plan,
)
from gateway.execution.plan_space import PLANS_PER_COLLECTION, PlanSpace
from gateway.execution.plans import Plans
from gateway.execution.preparation import Prepared
from gateway.schema.costs import TABLES
from gateway.schema.root import build_schema
from tests.execution.test_images import IMAGE, TASK, context
from tests.limits.maxima import default_maxima

SCHEMA = build_schema()
IMAGE_TYPE = cast("GraphQLObjectType", SCHEMA._schema.type_map["Image"])  # noqa: SLF001
TEN = "id name status visibility owner protected size minDisk checksum createdAt"
ALIASES = 150


@pytest.fixture
def traced() -> Iterator[None]:
    """Count bytes, and let only what is tested collect garbage."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


def fields_of(selection: str) -> GroupedFieldSet:
    """Return the fields of a new document."""
    (operation,) = parse(f"{{ {selection} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    nodes = cast("tuple[FieldNode, ...]", operation.selection_set.selections)
    return {
        (node.alias or node.name).value: [FieldDetails(node, None)] for node in nodes
    }


def plan_of(fields: GroupedFieldSet) -> Plan | None:
    """Compile a plan of an image."""
    return compile_plan(IMAGE_TYPE, fields, lambda *_: {}, Compilations())


def held(
    plans: Plans, fields: GroupedFieldSet, *conditions: tuple[str, object]
) -> None:
    """Use a selection twice, so that its plan is compiled."""
    nodes = [details[0].node for details in fields.values()]
    for _ in range(2):
        plans.find(IMAGE_TYPE, nodes, conditions, lambda: plan_of(fields))


@pytest.mark.usefixtures("traced")
def test_plans_take_what_they_are_counted_as() -> None:
    """The estimate holds for small plans and for large ones."""
    selections = [fields_of(f"a{number}: {TEN}") for number in range(20)]
    selections += [fields_of(f"a{number}: id") for number in range(20)]
    plan_of(fields_of(TEN))
    space = PlanSpace()
    plans = Plans(space=space)
    before, _ = tracemalloc.get_traced_memory()

    for fields in selections:
        held(plans, fields)
    taken = tracemalloc.get_traced_memory()[0] - before

    assert 0.5 < taken / space.bytes_held < 1.5


@pytest.mark.usefixtures("traced")
def test_plans_of_many_documents_and_conditions_stay_within_their_bytes() -> None:
    """What does not fit is dropped, and its classes are freed, too."""
    max_bytes = 200_000
    space = PlanSpace(max_bytes)
    documents = [Plans(space=space) for _ in range(4)]
    plan_of(fields_of(TEN))
    before, _ = tracemalloc.get_traced_memory()

    for number in range(2 * PLANS_PER_COLLECTION + 100):
        fields = fields_of(f"a{number}: id")
        held(documents[number % 4], fields, ("a", True), ("b", number % 2 == 0))
    taken = tracemalloc.get_traced_memory()[0] - before

    assert space.bytes_held <= max_bytes
    assert taken < max_bytes * 1.5 + PLANS_PER_COLLECTION * 12_000


def test_dropped_document_takes_no_space() -> None:
    """Its plans go with it."""
    space = PlanSpace()
    plans = Plans(space=space)
    held(plans, fields_of("id"))
    held_before = space.bytes_held

    del plans

    assert held_before > 0
    assert space.bytes_held == 0


@pytest.mark.anyio
async def test_one_execution_compiles_few_plans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are compiled by later ones; the results are the same."""
    compiled = counted_compilations(monkeypatch)
    document = aliased("a{0}: id b{0}: name")

    results, counts = [], []
    for _ in range(2 + ALIASES // MAX_COMPILATIONS + 1):
        results.append(await executed(document))
        counts.append(len(compiled))

    assert counts[:3] == [0, MAX_COMPILATIONS, 2 * MAX_COMPILATIONS]
    assert counts[-1] == ALIASES
    assert all(result == results[0] for result in results)


@pytest.mark.anyio
async def test_equal_selections_share_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stitched document has a hundred of them."""
    compiled = counted_compilations(monkeypatch)
    document = aliased(TEN)

    results = [await executed(document) for _ in range(3)]

    assert len({id(plan) for plan in compiled}) == 1
    assert results[0] == results[1] == results[2]


def aliased(selection: str) -> str:
    """Return a document with the selection of many images."""
    images = (
        f'i{number}: image(id: "i1") {{ {selection.format(number)} }}'
        for number in range(ALIASES)
    )
    return f"{{ {' '.join(images)} }}"


OPERATIONS = Operations(SCHEMA, TABLES, default_maxima(tokens=10_000, aliases=1_000))


async def executed(document: str) -> object:
    """Execute a document and return its data."""
    preparing = OPERATIONS.prepare(document, None, has_token=True)
    prepared = preparing if isinstance(preparing, Prepared) else await preparing
    begun: Any = OPERATIONS.execute(prepared, None, context(IMAGE, TASK))
    result = await begun
    assert not result.errors
    return result.data


def counted_compilations(monkeypatch: pytest.MonkeyPatch) -> list[Plan | None]:
    """Return where each plan that an execution gets is listed."""
    made: list[Plan | None] = []

    def counted(*arguments: Any) -> Plan | None:
        plan = compile_plan(*arguments)
        made.append(plan)
        return plan

    monkeypatch.setattr(executor, "compile_plan", counted)
    return made
