"""How much text a result may have, and how many large ones are made at once."""

import asyncio

import msgspec
import pytest

from gateway.limits.exceeded import LimitExceeded
from gateway.limits.large_results import LargeResults
from gateway.limits.result_bytes import check_result
from tests.recorded import recorded_json
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, json_reply


class Row(msgspec.Struct):
    """A row as a plan makes it."""

    name: str


@pytest.mark.parametrize(
    ("data", "characters"),
    [
        pytest.param(None, 0, id="null"),
        pytest.param({"a": 1, "b": [True, 2.5]}, 0, id="no text"),
        pytest.param({"a": ["xy", {"b": "z"}]}, 3, id="nested"),
        pytest.param({"a": [Row("xyz")]}, 3, id="rows"),
    ],
)
def test_text_of_a_result_is_counted(data: object, characters: int) -> None:
    """In objects, lists and rows."""
    for _ in check_result(data, characters):
        pass
    if characters:
        with pytest.raises(LimitExceeded) as raised:
            [*check_result(data, characters - 1)]
        assert raised.value.measured == characters


def test_large_result_is_checked_in_pieces() -> None:
    """Others can have their turn between them."""
    data = {"nodes": [{"name": "a", "id": number} for number in range(30_000)]}

    assert len([*check_result(data)]) >= 90


def test_text_that_aliases_repeat_too_often_is_not_sent(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """However few values there are: one of them may have 60 KB."""
    image = recorded_json("show-image") | {"long": "x" * 60_000}
    double.always(json_reply({"images": [image] * 10}))
    aliases = " ".join(f'a{n}: property(name: "long")' for n in range(120))
    document = "{ images(first: 10) { nodes { %s } } }" % aliases

    response = gateway.post(document, token="t")

    assert len(response.content) < 1_000
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "RESULT_LIMIT_EXCEEDED"
    assert "the operation was executed" in error["message"]


def test_long_text_that_is_selected_once_is_sent(
    gateway: Gateway, double: GlanceDouble
) -> None:
    """Images may have long properties."""
    image = recorded_json("show-image") | {"long": "x" * 60_000}
    double.always(json_reply({"images": [image] * 25}))

    data = gateway.data(
        '{ images { nodes { a: property(name: "long") name } } }', token="t"
    )

    assert len(data["images"]["nodes"][24]["a"]) == 60_000


@pytest.mark.anyio
async def test_large_results_are_made_as_there_is_room_first_come_first_served() -> (
    None
):
    """One that leaves the queue keeps nobody."""
    results, made = LargeResults(100), []
    may_end = asyncio.Event()

    async def make(name: str, values: int, seconds: float = 60) -> None:
        async def work() -> None:
            made.append(name)
            await may_end.wait()

        deadline_at = asyncio.get_running_loop().time() + seconds
        await results.make(values, deadline_at, work)

    tasks = [
        asyncio.create_task(make(name, values))
        for name, values in [("a", 60), ("b", 60), ("c", 500), ("d", 10)]
    ]
    await asyncio.sleep(0)
    tasks[2].cancel()
    with pytest.raises(LimitExceeded) as late:
        await make("e", 10, seconds=0)
    at_first = [*made]
    may_end.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (at_first, made) == (["a"], ["a", "b", "d"])
    assert late.value.code == "OVERLOADED"
