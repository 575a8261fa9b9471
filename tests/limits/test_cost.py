"""What requests may cost: calls to Glance, estimated before anything is executed."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, parse

from gateway.facts import Facts, RejectionFacts, RequestFacts
from gateway.glance.listing import Position
from gateway.limits.cost import OperationCost
from gateway.limits.field_costs import Circumstances
from gateway.schema.connection import cursor
from gateway.schema.costs import COSTS
from gateway.schema.root import build_schema
from tests.limits.cloud import Client, StubGlance, gateway_before, image_id
from tests.limits.generated import BY_SIZE
from tests.support.gateway import Json
from tests.support.in_process import InProcessSocket, running_app

SCHEMA = build_schema()._schema  # noqa: SLF001 - Strawberry has no other name
TASKS = "{ nodes { tasks { id } } }"


@pytest.fixture
def stub() -> StubGlance:
    """Return a Glance of 1000 images."""
    return StubGlance(1000)


@pytest.fixture
def client(stub: StubGlance) -> Iterator[Client]:
    """Run a gateway of default settings, without a cache, before it."""
    with gateway_before(stub, cache_url="none") as running:
        yield running


def change(text: str) -> str:
    """Return a mutation of the first image."""
    return f"mutation {{ {text.replace('ID', image_id(0))} }}"


CASES = {
    "introspection": ("{ __schema { types { name } } __typename }", 0),
    "an image": ('{ image(id: "%s") { id } }' % image_id(0), 1),
    "the default page": ("{ images { nodes { id tags } } }", 1),
    "the largest page": ("{ images(first: 1000) { nodes { id } } }", 1),
    "whether there are images": ("{ images(first: 0) { nodes { id } } }", 1),
    "tasks of a page": ("{ images %s }" % TASKS, 26),
    "tasks selected twice": (
        """{ images { nodes { ...A x: tasks { id } } edges { node { ...A } } } }
        fragment A on Image { tasks { id } }""",
        26,
    ),
    "one page in two fragments": (
        "{ ...A ...B } fragment A on Query { images %s }"
        " fragment B on Query { images { ...C } }"
        " fragment C on ImageConnection %s" % (TASKS, TASKS),
        26,
    ),
    "the next page": ("{ images { pageInfo { hasNextPage } } }", 1),
    "the next page of the largest": (
        "{ images(first: 1000) { pageInfo { hasNextPage } } }",
        2,
    ),
    "stores": ("{ stores { id description } x: stores { isDefault } }", 1),
    "stores of images": ("{ images { nodes { stores { isDefault } } } }", 2),
    "a JSON schema": ("{ jsonSchema(of: IMAGE) x: jsonSchema(of: IMAGE) }", 2),
    "left out": ("{ images @skip(if: true) %s __typename }" % TASKS, 0),
    "creation": ('mutation { createImage(input: {name: "x"}) { image { id } } }', 1),
    "update": (
        change('updateImage(input: {id: "ID", name: "x"}) { image { id } }'),
        1,
    ),
    "deletion": (change('deleteImage(input: {id: "ID"}) { deletedId }'), 1),
    "tag, image shown": (
        change('addTag(input: {id: "ID", tag: "x"}) { image { id } }'),
        2,
    ),
    "tag with accents": (
        change('addTag(input: {id: "ID", tag: "ü"}) { __typename }'),
        2,
    ),
}


@pytest.mark.parametrize(("document", "calls"), CASES.values(), ids=CASES)
def test_estimate_is_what_the_operation_costs(
    client: Client, document: str, calls: int
) -> None:
    """Where all that is selected is there, and pages are as large as Glance's."""
    assert client.costs(document) == (calls, calls)


def test_several_images_may_each_cost_a_call_beside_those_for_fifty(
    client: Client,
) -> None:
    """Lists leave some images out, and nobody knows which before."""
    document = " ".join(f'i{n}: image(id: "{image_id(n)}") {{ id }}' for n in range(60))

    assert client.costs(f"{{ {document} }}") == (62, 2)


VARIABLE = "query ($f: ImageFilter!) { images(filter: $f) { nodes { id } } }"
NESTED = "query ($i: [ID!]) { images(filter: {id: $i}) { nodes { id } } }"


@pytest.mark.parametrize("document", [VARIABLE, NESTED], ids=["variable", "nested"])
def test_more_ids_than_fit_into_a_url_are_several_calls(
    client: Client, document: str
) -> None:
    """A list by ids costs what its parts cost, wherever the ids stand."""
    ids = [image_id(number) for number in range(300)]

    costs = client.costs(document, {"f": {"id": ids}, "i": ids})

    assert costs == (3, 3)


def test_variables_and_their_defaults_count(client: Client) -> None:
    """As they will when it is executed."""
    document = """query ($first: Int! = 3, $with: Boolean! = true) {
        images(first: $first) { nodes { tasks @include(if: $with) { id } } } }"""

    assert client.costs(document) == (4, 4)
    assert client.costs(document, {"first": 7}) == (8, 8)
    assert client.costs(document, {"first": 7.0}) == (8, 8)
    assert client.costs(document, {"first": 7, "with": False}) == (1, 1)


def test_request_that_may_cost_too_much_is_rejected_whole(
    client: Client, stub: StubGlance
) -> None:
    """Glance hears nothing, not even for what would have fitted."""
    document = "{ stores { id } a: images(first: 1000) %s b: images(first: 998) %s }"

    answer = client.answer(document % (TASKS, TASKS))

    (error,) = answer.pop("errors")
    assert answer == {}
    extensions = error["extensions"]
    assert extensions.pop("requestId")
    assert extensions == {
        "code": "COST_LIMIT_EXCEEDED",
        "estimate": 2001,
        "limit": 2000,
    }
    assert stub.calls == []


def test_largest_page_with_tasks_is_allowed(client: Client) -> None:
    """1 + 1000 calls are half of what a request may need by default."""
    assert client.costs("{ images(first: 1000) %s }" % TASKS) == (1001, 1001)


def test_rejection_has_the_status_of_a_wrong_document(client: Client) -> None:
    """That is 400 for clients that know GraphQL over HTTP, else 200."""
    body = {"query": "{ a: images(first: 1000) %s b: images(first: 1000) %s }"}
    body["query"] %= (TASKS, TASKS)
    accept = "application/graphql-response+json"

    responses = [
        client.post(body, {"X-Auth-Token": "t", **more})
        for more in ({}, {"Accept": accept})
    ]

    assert [response.status_code for response in responses] == [200, 400]


def test_pages_that_the_operator_made_smaller_are_learned(stub: StubGlance) -> None:
    """The first list that is cut shows how large they are."""
    stub.page_images = 100
    with gateway_before(stub, cache_url="none") as client:
        first = client.costs("{ images(first: 150) { nodes { id } } }")
        second = client.costs("{ images(first: 150) { nodes { id } } }")
        stub.loses_places = True
        third = client.costs("{ images(first: 150) { nodes { id } } }")

    assert first == (1, 2)
    assert second == (4, 2)
    # Read again, as Glance has lost the place of the first page's last image.
    assert third == (4, 4)


def test_list_after_an_image_without_a_size_may_begin_with_a_short_page(
    stub: StubGlance,
) -> None:
    """Glance is read from the start of the list, of which most is known."""
    stub.page_images = 7
    place = cursor(BY_SIZE, Position(stub.ids[5], is_unsized=True))
    document = """query ($first: Int!, $after: String) {
        images(first: $first, after: $after, orderBy: {field: SIZE}) {
            nodes { id } } }"""
    with gateway_before(stub, cache_url="none") as client:
        client.answer("{ images { nodes { id } } }")
        costs = client.costs(document, {"first": 6, "after": place})

    assert costs == (4, 2)


def test_call_beyond_the_limit_is_not_made(stub: StubGlance) -> None:
    """What has its calls already is shown; the fields that go further fail."""
    stub.page_images = 2
    with gateway_before(stub, cache_url="none", limit_cost=3) as client:
        answer = client.answer("{ images(first: 7) { nodes { id } } }")

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert (error["extensions"]["measured"], error["extensions"]["limit"]) == (4, 3)
    assert len(stub.calls) == 3


def test_requests_of_a_list_share_what_they_may_cost(stub: StubGlance) -> None:
    """Those that fit are executed, each of the others is rejected."""
    document = {"query": "{ images(first: 3) %s }" % TASKS}
    with gateway_before(
        stub, cache_url="none", limit_cost=10, batch_max_requests=5
    ) as client:
        answers = client.traced([document] * 3).json()

    assert ["data" in answer for answer in answers] == [True, True, False]
    assert answers[2]["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert len(stub.calls) == 8


def test_images_of_a_list_are_estimated_as_read_together(stub: StubGlance) -> None:
    """One call more for each request with an image, whichever makes it."""
    bodies = [
        {"query": 'query { image(id: "%s") { id } }' % one}
        for one in [*stub.ids[:2], stub.hidden]
    ]
    with gateway_before(
        stub, cache_url="none", limit_cost=6, batch_max_requests=5
    ) as client:
        answers = client.traced(bodies).json()

    assert all("errors" not in answer for answer in answers)
    assert len(stub.calls) == 2


@pytest.mark.parametrize(
    ("selection", "calls"),
    [
        ("kind", 0),
        ("image { id stores { id } }", 0),
        ("image { tasks { id } x: tasks { id } } y: image { tasks { id } }", 1),
        ("image { tasks { id } stores { isDefault x: isReadOnly } }", 2),
    ],
)
def test_event_of_a_subscription_has_an_estimate(
    stub: StubGlance, selection: str, calls: int
) -> None:
    """Each event is a request of its own to hooks; watching is not its cost."""
    facts: list[Facts] = []
    document = f"""subscription {{ imageChanged(id: "{image_id(0)}") {{
        {selection} }} }}"""

    async def first_event() -> Json:
        async with running_app("http://glance", [facts.append]) as app:
            socket = InProcessSocket(app)
            await socket.subscribe("t", document)
            event = await socket.read()
            await socket.leave()
            return event

    with stub.as_glance():
        event = asyncio.run(first_event())

    assert "errors" not in event["payload"]
    requests = [one for one in facts if isinstance(one, RequestFacts)]
    (event_facts,) = requests
    assert (event_facts.measures["cost"], event_facts.calls) == (calls, calls)


def test_subscription_whose_events_may_cost_too_much_does_not_begin(
    stub: StubGlance,
) -> None:
    """The error comes as the protocol's message of one."""
    document = """subscription { imageChanged(id: "%s") { image { tasks { id }
        stores { isDefault } } } }"""

    async def answered() -> Json:
        async with running_app("http://glance", limit_cost=1) as app:
            socket = InProcessSocket(app)
            await socket.subscribe("t", document % image_id(0))
            message = await socket.read()
            await socket.leave()
            return message

    with stub.as_glance():
        message = asyncio.run(answered())

    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert stub.calls == []


def test_hooks_receive_costs_and_rejections(stub: StubGlance) -> None:
    """With what was measured, and the limit."""
    facts: list[Facts] = []
    with gateway_before(stub, [facts.append], limit_cost=26) as client:
        client.answer("{ images(first: 3) %s }" % TASKS)
        client.answer("{ images(first: 26) %s }" % TASKS)

    told, rejected = facts
    assert isinstance(told, RequestFacts)
    assert (told.measures["cost"], told.calls) == (4, 4)
    assert isinstance(rejected, RejectionFacts)
    assert (rejected.code, rejected.measured, rejected.limit) == (
        "COST_LIMIT_EXCEEDED",
        27,
        26,
    )
    assert rejected.scope == told.scope


def test_every_field_that_can_call_glance_has_a_cost() -> None:
    """Those are the ones with an asynchronous resolver."""
    resolving = {
        (type_.name, name)
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if _is_async(field.extensions.get("strawberry-definition"))
    }

    assert COSTS.fields.keys() == resolving


def test_estimate_takes_time_linear_in_the_document() -> None:
    """Also where fragments make the result exponential in it."""
    depth = 60
    levels = " ".join(
        f"fragment F{n} on Image {{ a{n}: tasks @include(if: $a) {{ id }}"
        f" ...F{n + 1} @include(if: $a) ... on Image {{ ...F{n + 1} }} }}"
        for n in range(depth)
    )
    document = parse(
        "query ($a: Boolean!) { images { nodes { ...F0 } } }"
        f" {levels} fragment F{depth} on Image {{ id }}"
    )

    cost = OperationCost(SCHEMA, document, document.definitions[0], COSTS)  # type: ignore[arg-type] # an operation

    assert cost.estimate({"a": True}, Circumstances(1000)) == 26
    assert cost.estimate({"a": False}, Circumstances(1000)) == 1


def _is_async(definition: Json) -> bool:
    resolver = getattr(definition, "base_resolver", None)
    return resolver is not None and inspect.iscoroutinefunction(resolver.wrapped_func)
