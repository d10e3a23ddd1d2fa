"""R-60: whatever an agent is told of a model call is in the ledger of context, also where the call failed."""

from typing import Any

import openai
import pytest

from runtime.context.entered import Entered, entered
from runtime.context.note import Taint
from runtime.context.scrubbing import shown_digest
from runtime.gate.replies import WITHHELD_TEXT
from sandboxes.constants import INTERRUPTED_TEXT, NO_MODEL_TEXT, TOO_MANY_TEXT
from tests.runtime.models.conftest import NewShop
from tests.standins.model_door import Wired
from tests.standins.model_shop import door
from tests.standins.workshop import Workshop

pytestmark = pytest.mark.anyio

ASK: Any = [{"role": "user", "content": "hi"}]


async def ask(w: Wired) -> str:
    answer = await w.openai.chat.completions.create(model="assistant", messages=ASK)
    return answer.choices[0].message.content or ""


async def streamed(w: Wired) -> str:
    stream = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def ledger(shop: Workshop) -> list[Entered]:
    rows = shop.rows("SELECT seq FROM log_entry WHERE run = :run ORDER BY seq", run=shop.run.run)
    return entered(shop.town.ledger.entry(row[0]) for row in rows)


def told(shop: Workshop) -> list[tuple[Any, Taint]]:
    """What was told beside answers, as the record keeps it, with whose words it is."""
    kept = [(shop.town.ledger.entry(one.kept), one) for one in ledger(shop) if one.kept is not None]
    found = [((entry.payload or {}).get("payload"), one) for entry, one in kept]
    assert all(one.digest == shown_digest(text) for text, one in found if isinstance(text, str))
    return [(text, one.taint) for text, one in found if isinstance(text, str)]


async def test_a_refusal_that_is_told_is_told_once_however_often_it_was_tried(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        w.provider.error = "there are too many messages in it"
        w.provider.failures = [400]
        with pytest.raises(openai.BadRequestError, match="too many messages"):
            await ask(w)
        w.provider.failures = [429, 429, 429]
        with pytest.raises(openai.RateLimitError):
            await ask(w)
        w.provider.failures = [503, 503]
        await ask(w)
        w.provider.whole = {"error": {"message": "no"}}
        with pytest.raises(openai.InternalServerError):
            await ask(w)
    assert told(shop) == [
        ("there are too many messages in it", Taint.MODEL),
        (TOO_MANY_TEXT, Taint.TRUSTED),
        (NO_MODEL_TEXT, Taint.TRUSTED),
    ]
    assert len(ledger(shop)) == 4  # with the answer


async def test_what_was_seen_of_an_answer_that_broke_off_is_kept(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        w.provider.cut = 3
        with pytest.raises(openai.APIError):
            await streamed(w)
    assert told(shop) == [("Hello from the", Taint.MODEL), (INTERRUPTED_TEXT, Taint.TRUSTED)]


async def test_what_was_seen_before_the_client_left_is_kept(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        w.provider.pause_s = 0.3
        stream = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=True)
        assert (await anext(aiter(stream))).choices[0].delta.content == "Hello"
        await stream.close()
        await w.provider.ended.wait()
    ((text, taint),) = told(shop)
    assert text.startswith("Hello")
    assert taint is Taint.MODEL


@pytest.mark.parametrize("call", [ask, streamed])
async def test_an_answer_of_another_model_is_told_as_withheld(new_shop: NewShop, call: Any) -> None:
    shop = new_shop()
    async with door(shop) as w:
        await ask(w)
        w.provider.named = "another"
        with pytest.raises(openai.PermissionDeniedError):
            await call(w)
    assert told(shop) == [(WITHHELD_TEXT, Taint.TRUSTED)]


@pytest.mark.parametrize("call", [ask, streamed])
async def test_half_a_pair_of_surrogates_in_an_answer_does_not_lose_it(new_shop: NewShop, call: Any) -> None:
    """A client reads it, so the record has it, spelled out."""
    shop = new_shop()
    async with door(shop) as w:
        w.provider.words = ["half \ud83d of it"]
        assert await call(w) == "half \ud83d of it"
    (answer,) = (one for one in ledger(shop) if one.source == "model:assistant")
    assert answer.kept is not None
    assert "half \\\\ud83d of it" in str(shop.town.ledger.entry(answer.kept).payload)
