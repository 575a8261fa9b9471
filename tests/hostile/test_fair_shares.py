"""One caller's crowd of calls to Glance, or of tokens, is nobody else's wait."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import islice

import aiohttp
import pytest

from gateway.caller import Caller
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.queue import Ticket
from tests.support.gateway import Gateway, Json, running_gateway
from tests.support.glance_double import GlanceDouble, Received, Reply, json_reply

pytestmark = pytest.mark.anyio

INVENTED = 460
SHOW = "query ($id: ID!) { image(id: $id) { name } }"
LISTS = "{ %s }" % " ".join(
    f"a{number}: images(filter: {{size: {{max: {number}}}}}) {{ nodes {{ id }} }}"
    for number in range(100)
)


class HoldingGlance:
    """A Glance that answers some calls only when a test lets it."""

    def __init__(self, double: GlanceDouble) -> None:
        """Hold the calls of invented tokens and of those of `holds`."""
        self.may_answer = threading.Event()
        self.holds = {"large"}
        self._tokens: list[str] = []
        self._changed = threading.Condition()
        double.script = self

    def __call__(self, received: Received) -> Reply:
        """Answer a call."""
        token = received.headers["x-auth-token"]
        with self._changed:
            self._tokens.append(token)
            self._changed.notify_all()
        if token.startswith("invented"):
            return Reply(401, until=self.may_answer)
        until = self.may_answer if token in self.holds else None
        is_list = received.path == "/v2/images"
        image: Json = {"id": received.path.rpartition("/")[2]}
        reply = json_reply({"images": []} if is_list else image)
        return Reply(reply.status, reply.body, reply.headers, until=until)

    def calls_of(self, prefix: str) -> int:
        """Return how many calls came with tokens that begin so."""
        return sum(token.startswith(prefix) for token in self._tokens)

    async def has_calls(self, prefix: str, count: int) -> None:
        """Wait until so many calls of the tokens have come."""

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(
                    lambda: self.calls_of(prefix) >= count, timeout=20
                )

        assert await asyncio.to_thread(wait)


@pytest.fixture
def glance(double: GlanceDouble) -> HoldingGlance:
    """Return what the double plays."""
    return HoldingGlance(double)


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Awaitable[None]]:
    """Return what waits until so many calls have come to the door."""
    changed, come = threading.Condition(), [0]
    arrive = Bulkhead.arrive

    def counted(self: Bulkhead, caller: Caller) -> Ticket:
        with changed:
            come[0] += 1
            changed.notify_all()
        return arrive(self, caller)

    def wait(count: int) -> None:
        with changed:
            assert changed.wait_for(lambda: come[0] >= count, timeout=20)

    monkeypatch.setattr(Bulkhead, "arrive", counted)
    return lambda count: asyncio.to_thread(wait, count)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a client for any number of requests at once."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as opened:
        yield opened


async def ask(
    client: aiohttp.ClientSession, gateway: Gateway, token: str, document: str, id_: str
) -> Json:
    """Return the answer to a request."""
    url = str(gateway.client.base_url.join("/graphql"))
    body = {"query": document, "variables": {"id": id_}}
    headers = {"X-Auth-Token": token}
    async with client.post(url, json=body, headers=headers) as response:
        return await response.json()


def code_of(answer: Json) -> str:
    """Return the code of an answer's first error."""
    return str(answer["errors"][0]["extensions"]["code"])


async def test_invented_tokens_have_four_calls_and_a_short_queue(
    double: GlanceDouble, glance: HoldingGlance, client: aiohttp.ClientSession
) -> None:
    """However many there are, a token that Glance knows is served at once."""
    with running_gateway(double.url) as gateway:
        await ask(client, gateway, "known", SHOW, "1")
        invented = [
            asyncio.create_task(ask(client, gateway, f"invented-{n}", SHOW, "1"))
            for n in range(INVENTED)
        ]
        first = islice(asyncio.as_completed(invented), INVENTED - 404)
        rejected = {code_of(await one) for one in first}

        served = await ask(client, gateway, "known", SHOW, "2")
        calls = glance.calls_of("invented")
        glance.may_answer.set()
        codes = Counter([code_of(await one) for one in invented])

    assert served == {"data": {"image": {"name": None}}}
    assert (calls, rejected) == (4, {"TOO_MANY_WAITING"})
    assert codes == {"UNAUTHENTICATED": 404, "TOO_MANY_WAITING": INVENTED - 404}


async def test_crowd_of_one_token_has_two_calls_beside_another_caller(
    double: GlanceDouble, glance: HoldingGlance, client: aiohttp.ClientSession
) -> None:
    """Its first, and one of all others; who has one call to make is not held up."""
    with running_gateway(double.url) as gateway:
        glance.holds = set()
        for token, image_id in (("large", "0"), ("small", "0"), ("small", "1")):
            await ask(client, gateway, token, SHOW, image_id)
        glance.holds = {"large"}
        before = glance.calls_of("large")
        large = asyncio.create_task(ask(client, gateway, "large", LISTS, ""))
        await glance.has_calls("large", before + 2)

        answers = [
            await ask(client, gateway, "small", SHOW, str(number))
            for number in range(2, 12)
        ]
        crowd = glance.calls_of("large") - before
        glance.may_answer.set()
        large.cancel()

    assert all("errors" not in one for one in answers)
    assert crowd == 2


async def test_small_request_does_not_wait_for_all_of_a_large_one(
    double: GlanceDouble,
    glance: HoldingGlance,
    client: aiohttp.ClientSession,
    arrivals: Callable[[int], Awaitable[None]],
) -> None:
    """Requests of one token take turns: it is among the next few calls."""
    with running_gateway(double.url) as gateway:
        glance.holds = set()
        await ask(client, gateway, "large", SHOW, "1")
        glance.holds = {"large"}
        large = asyncio.create_task(ask(client, gateway, "large", LISTS, ""))
        await arrivals(101)
        small = asyncio.create_task(ask(client, gateway, "large", SHOW, "small"))
        await arrivals(102)

        glance.may_answer.set()
        await small
        await large

    assert double.asked.index("GET /v2/images/small") < 20
    assert len(double.asked) == 102
