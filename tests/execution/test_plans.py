"""Plans are made for what comes again, and only so many are kept."""

import gc
import weakref

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    Undefined,
    parse,
)
from graphql.execution.collect_fields import FieldDetails

from gateway.execution.plan import Compilations, Plan, compile_plan, print_plan
from gateway.execution.plans import Plans
from tests.execution.world import world_schema

PLAN = Plan(project=lambda _: {}, others=(), source="def project(): ...")


def part_type() -> GraphQLObjectType:
    """Return a type of the schema."""
    type_ = world_schema().type_map["Part"]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def field_node(text: str = "{ one }") -> FieldNode:
    """Return the node of a new document's first field."""
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    return node


class Compiled:
    """Gives a plan, or none, and counts how often it is asked."""

    def __init__(self, plan: Plan | None = PLAN) -> None:
        """Begin unasked."""
        self.plan = plan
        self.times = 0

    def __call__(self) -> Plan | None:
        """Give the plan."""
        self.times += 1
        return self.plan


def find(
    plans: Plans, node: FieldNode, *conditions: tuple[str, object], compiled: Compiled
) -> Plan | None:
    """Look for the plan of one node."""
    return plans.find(part_type(), [node], conditions, compiled)


def test_plan_is_compiled_when_its_selection_comes_again() -> None:
    """What is asked once costs no compilation."""
    plans, node, compiled = Plans(), field_node(), Compiled()

    found = [find(plans, node, compiled=compiled) for _ in range(4)]

    assert found == [None, PLAN, PLAN, PLAN]
    assert compiled.times == 1


def test_selection_that_cannot_be_planned_is_compiled_once() -> None:
    """That there is no plan is remembered, too."""
    plans, node, compiled = Plans(), field_node(), Compiled(plan=None)

    found = [find(plans, node, compiled=compiled) for _ in range(4)]

    assert found == [None] * 4
    assert compiled.times == 1


def test_other_conditions_have_a_plan_of_their_own() -> None:
    """True, false, null and absent are four conditions."""
    plans, node = Plans(), field_node()

    for condition in (True, False, None, Undefined):
        assert find(plans, node, ("is", condition), compiled=Compiled()) is None

    assert len(plans) == 4


def test_equal_selections_of_two_documents_have_plans_of_their_own() -> None:
    """A selection is known by its nodes, not by their text."""
    plans = Plans()

    for node in (field_node(), field_node()):
        assert find(plans, node, compiled=Compiled()) is None

    assert len(plans) == 2


def test_selection_that_was_not_looked_for_longest_is_forgotten() -> None:
    """Looking for one keeps it."""
    plans, compiled = Plans(max_plans=2), Compiled()
    first, second, third = field_node(), field_node(), field_node()

    for node in (first, second, first, third):
        find(plans, node, compiled=compiled)

    assert len(plans) == 2
    assert find(plans, first, compiled=compiled) is PLAN
    assert find(plans, second, compiled=compiled) is None


def test_nodes_live_as_long_as_their_plan() -> None:
    """No other node can get the address that the plan is known by."""
    plans, node = Plans(max_plans=1), field_node()
    alive = weakref.ref(node)
    find(plans, node, compiled=Compiled())

    del node
    gc.collect()

    assert alive() is not None
    find(plans, field_node(), compiled=Compiled())
    gc.collect()
    assert alive() is None


def test_plan_prints_the_code_that_it_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For debugging."""
    name = [FieldDetails(field_node("{ called: name }"), None)]
    plan = compile_plan(part_type(), {"called": name}, lambda *_: {}, Compilations())
    assert plan is not None

    print_plan(plan)

    assert plan.project({"name": "x", "value": 1}) == {"called": "x"}
    assert capsys.readouterr().out == f"{plan.source}\n"
    assert "'called': value" in plan.source
