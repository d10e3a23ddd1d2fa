"""Tokens and cost of model calls: reserved before, counted after, limited for the run and for the day."""

import asyncio
import json
import math
from typing import Any

import openai
import pytest

from profiles.schema import ModelProvider, Price
from profiles.setting import Setting
from runtime.gate.replies import WITHHELD_TEXT, Performed
from runtime.gateway.model_reply import used_of
from runtime.gateway.model_wire import ENDPOINTS, most_output
from runtime.models.prices import OVERHEAD_TOKENS, Used, cost_of, most_cost, most_input
from runtime.models.usage import Total, holder_of, of_day, of_run
from tests.runtime.models.conftest import NewShop
from tests.standins.model_door import Wired, plain_client, wired
from tests.standins.model_provider import REAL_MODEL, Answers
from tests.standins.model_shop import door
from tests.standins.workshop import Workshop

pytestmark = pytest.mark.anyio

ASK: Any = [{"role": "user", "content": "hi"}]
CACHED: Any = {"cache_control": {"type": "ephemeral"}}
ONE = most_input(180, 0) + 100
"""More than one call of `ASK` can use, and less than two can."""


async def ask(w: Wired, **more: Any) -> Any:
    return await w.openai.chat.completions.create(model="assistant", messages=ASK, **more)


def run_total(shop: Workshop) -> Total:
    return shop.town.read(lambda conn: of_run(conn, shop.run.run))


def day_total(shop: Workshop) -> Total:
    holder = holder_of(shop.run.agent, Setting.PRODUCTION)
    return shop.town.read(lambda conn: of_day(conn, holder, f"{shop.town.now:%Y-%m-%d}"))


async def test_whole_and_streamed_answers_are_counted_for_run_and_day(new_shop: NewShop) -> None:
    """R-62: by what the provider says, also where the agent did not ask for it."""
    shop = new_shop("price: {input: 2, output: 10}")
    async with door(shop) as w:
        await ask(w)
        _ = [chunk async for chunk in await ask(w, stream=True)]
        await w.openai.responses.create(model="assistant", input="hi")
        await w.openai.embeddings.create(model="assistant", input="hi", encoding_format="float")
    counted = Total(calls=4, input_tokens=20, output_tokens=20, cost_micros=240)
    assert run_total(shop) == day_total(shop) == counted


@pytest.mark.parametrize(
    "limit",
    [
        f"max_tokens: {ONE}",
        f"max_tokens_per_day: {ONE}",
        f"price: {{input: 1, output: 1}}, max_cost: {ONE / 1e6}",
        f"price: {{input: 1, output: 1}}, max_cost_per_day: {ONE / 1e6}",
    ],
)
async def test_calls_side_by_side_never_use_more_than_is_left(new_shop: NewShop, limit: str) -> None:
    """R-23: each is counted by the most it can use while it is under way."""
    shop = new_shop(limit)
    async with door(shop) as w:
        w.provider.pause_s = 0.3
        tries = [asyncio.create_task(_streamed(w)) for _ in range(4)]
        done = await asyncio.gather(*tries, return_exceptions=True)
    refused = [result for result in done if isinstance(result, openai.PermissionDeniedError)]
    assert len(refused) == 3
    assert all(WITHHELD_TEXT in str(error) for error in refused)
    assert run_total(shop).calls == 1
    assert run_total(shop).reserved_tokens == 0
    assert shop.codes() == {"budget"}


async def test_what_was_not_used_is_there_again(new_shop: NewShop) -> None:
    shop = new_shop(f"max_tokens: {ONE + 20}")
    async with door(shop) as w:
        asked = await until_refused(w)
    assert asked > 1
    assert run_total(shop) == Total(calls=asked, input_tokens=5 * asked, output_tokens=5 * asked)


async def test_a_refused_call_costs_nothing_and_one_that_was_cut_off_costs_the_most(
    new_shop: NewShop,
) -> None:
    """What nobody knows stays counted as the most that it could be."""
    shop = new_shop()
    async with door(shop) as w:
        w.provider.failures = [400]
        with pytest.raises(openai.BadRequestError):
            await ask(w)
        assert run_total(shop).reserved_tokens == run_total(shop).input_tokens == 0
        w.provider.cut = 2
        with pytest.raises(openai.APIError):
            await _streamed(w)
    left = run_total(shop)
    assert (left.input_tokens, left.output_tokens) == (0, 0)
    assert left.reserved_tokens > OVERHEAD_TOKENS


async def test_a_call_that_never_reached_its_provider_is_no_call(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        w.provider.failures = [503, 503, 503]
        with pytest.raises(openai.InternalServerError):
            await ask(w)
    assert run_total(shop) == Total(calls=3)


async def test_a_new_day_begins_with_nothing_used(new_shop: NewShop) -> None:
    shop = new_shop(f"max_tokens_per_day: {ONE}")
    async with door(shop) as w:
        before = await until_refused(w)
        shop.town.later(days=1)
        assert day_total(shop) == Total()
    assert run_total(shop).calls == before > 0


async def test_a_tool_call_after_a_model_call_is_decided_as_ever(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        await ask(w)
        await shop.act("list_folders")
        await ask(w)
    assert shop.states() == ["done", "done", "done"]


def test_cost_is_rounded_up_and_none_without_a_price() -> None:
    price = Price(input=0.15, output=0.6)
    assert cost_of(price, 1, 0) == 1
    assert cost_of(price, 1_000_000, 1_000_000) == 750_000
    assert cost_of(None, 9, 9) == 0
    assert most_cost(None, 9, 9, caches=True) == 0
    assert Used() == Used(0, 0, 0)


@pytest.mark.parametrize(("told", "cost"), [({}, 20), ({"cache_write": 1.25}, 17), ({"cache_write": 0}, 12)])
def test_what_goes_into_a_cache_has_its_price_and_without_one_the_dearest(
    told: dict[str, float], cost: int
) -> None:
    """R-23: 3 plain, 4 written, 2 read and 5 answered; a provider charges up to twice for what is written."""
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 4,
        "cache_read_input_tokens": 2,
        "output_tokens": 5,
    }
    price = Price(input=1, output=1.4, **told)
    assert used_of(usage, price) == Used(9, 5, cost)


@pytest.mark.parametrize(("cache_write", "most"), [(None, 25), (1.25, 17.5), (0.5, 15)])
def test_the_most_that_a_request_can_cost_counts_all_of_it_as_written(
    cache_write: float | None, most: float
) -> None:
    price = Price(input=1, output=1, cache_write=cache_write)
    assert most_cost(price, 10, 5, caches=True) == math.ceil(most)
    assert most_cost(price, 10, 5, caches=False) == 15


def test_a_price_that_names_none_for_the_cache_keeps_its_profiles_digest() -> None:
    assert Price(input=1, output=2).model_dump(mode="json") == {"input": 1, "output": 2}
    assert Price(input=1, output=2, cache_write=3).model_dump(mode="json")["cache_write"] == 3


@pytest.mark.parametrize(
    "cached",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", **CACHED}]}]},
        {"messages": ASK, "system": [{"type": "text", "text": "Be kind.", **CACHED}]},
        {"messages": ASK, "tools": [{"name": "get", "input_schema": {"type": "object"}, **CACHED}]},
    ],
)
async def test_a_request_that_is_to_be_cached_reserves_what_that_can_cost(cached: Any) -> None:
    """R-23: else calls side by side could pass `max_cost`."""
    plain = json.loads(
        json.dumps(cached).replace('"cache_control": {"type": "ephemeral"}', '"x": {"y": "z"}')
    )
    async with wired(ModelProvider.ANTHROPIC, price={"input": 1, "output": 1}) as w:
        for body in (cached, plain):
            asked = {"model": "assistant", "max_tokens": 10, **body}
            await w.anthropic.post("/v1/messages", body=asked, cast_to=object)
        dear, cheap = [one.model for one in w.gate.seen]
    assert dear is not None
    assert cheap is not None
    assert dear.cost_micros == 2 * (dear.tokens - 10) + 10
    assert cheap.cost_micros == cheap.tokens


@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_written_is_counted_whole_and_streamed(stream: bool) -> None:
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 40, "output_tokens": 5}
    async with wired(ModelProvider.ANTHROPIC, price={"input": 1, "output": 1}) as w:
        w.provider.whole = {**Answers(["hi"], REAL_MODEL).whole("/messages"), "usage": usage}
        events = list(Answers(["hi"], REAL_MODEL).events("/messages", usage=True))
        begun = {**events[0][1], "message": {**events[0][1]["message"], "usage": usage}}
        w.provider.events = [("message_start", begun), *events[1:]]
        body = {"model": "assistant", "max_tokens": 10, "messages": ASK, "stream": stream}
        async with plain_client() as client:
            await client.post(f"{w.url}/anthropic/v1/messages", json=body)
        done = w.gate.settled[-1][1]
    assert isinstance(done, Performed)
    assert done.used == Used(43, 5, 88)


DODGES: list[dict[str, Any]] = [
    {"max_tokens": -1_000_000},
    {"max_completion_tokens": 0},
    {"max_tokens": 5, "max_completion_tokens": -9},
    {"max_tokens": True},
    {"n": 0},
    {"n": -3},
    {"n": 1000},
    {"n": 1.5},
    {"service_tier": "priority"},
]


@pytest.mark.parametrize("dodge", DODGES, ids=str)
async def test_no_request_makes_its_own_reservation_small(new_shop: NewShop, dodge: dict[str, Any]) -> None:
    """A bound below nothing would make room for calls beside it."""
    shop = new_shop()
    async with door(shop) as w, plain_client() as client:
        body = {"model": "assistant", "messages": ASK, **dodge}
        answer = await client.post(f"{w.url}/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert w.provider.asked == []
    assert run_total(shop) == Total()


async def test_every_bound_of_an_answer_is_bounded_and_every_choice_counts(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        await ask(w, max_tokens=5, max_completion_tokens=10_000, n=3)
        await ask(w, max_tokens=None)
        assert w.provider.asked[-1][2]["max_completion_tokens"] == 100
        (path, _, body), *_ = w.provider.asked
    assert path == "/v1/chat/completions"
    assert (body["max_tokens"], body["max_completion_tokens"]) == (5, 100)
    assert most_output(ENDPOINTS["/v1/chat/completions"], body) == 300


async def until_refused(w: Wired) -> int:
    """Ask as long as there is room; return how often there was."""
    for number in range(20):
        try:
            await ask(w)
        except openai.PermissionDeniedError:
            return number
    raise AssertionError("it was never refused")


async def _streamed(w: Wired) -> None:
    async for _ in await ask(w, stream=True):
        pass
