"""The model that answered first is pinned; another one is a transition (R-40)."""

from typing import Any

import openai
import pytest
from sqlalchemy import delete, update

from profiles.effects import Effect
from runtime.alerts.rules import AlertRule
from runtime.gate.replies import WITHHELD_TEXT
from runtime.models.pins import fingerprint_of, pinned
from runtime.tables.models import ModelPinRow
from tests.runtime.models.conftest import NewShop
from tests.standins.alarms import alerts_in
from tests.standins.model_door import Wired
from tests.standins.model_provider import REAL_MODEL
from tests.standins.model_shop import door
from tests.standins.towns import allowed
from tests.standins.workshop import Workshop

pytestmark = pytest.mark.anyio

ASK: Any = [{"role": "user", "content": "hi"}]


async def ask(w: Wired, *, stream: bool = False) -> None:
    answer = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=stream)
    if stream:
        async for _ in answer:  # type: ignore[union-attr]  # it streams
            pass


def kinds(shop: Workshop, kind: str) -> list[Any]:
    return shop.rows("SELECT seq FROM log_entry WHERE kind = :kind ORDER BY seq", kind=kind)


async def test_the_first_reply_pins_once(new_shop: NewShop) -> None:
    """R-40: the readable part holds a digest, the provider's own words are encrypted."""
    shop = new_shop()
    async with door(shop) as w:
        await ask(w)
        await ask(w, stream=True)
    ((seq,),) = kinds(shop, "model.pinned")
    entry = shop.town.ledger.entry(seq)
    assert dict(entry.leaf.data) == {"fingerprint": fingerprint_of(REAL_MODEL)}
    assert REAL_MODEL not in str(entry.leaf)


@pytest.mark.parametrize("stream", [False, True])
async def test_another_model_is_withheld_and_takes_every_grant(new_shop: NewShop, stream: bool) -> None:
    """R-40: the deployment is another one now, so nothing that it was granted holds."""
    shop = new_shop(tier=2)
    async with door(shop) as w:
        await ask(w)
        w.provider.named = "real-model-2027-01"
        w.provider.words = ["not to be seen"]
        with pytest.raises(openai.PermissionDeniedError, match=WITHHELD_TEXT) as caught:
            await ask(w, stream=stream)
        assert "not to be seen" not in str(caught.value)
        assert allowed(shop.town, shop.run.deployment) == set()
        with pytest.raises(openai.PermissionDeniedError, match=WITHHELD_TEXT):
            await ask(w)
    assert len(w.provider.asked) == 2
    assert len(kinds(shop, "model.changed")) == 1
    assert [alert.rule for alert in alerts_in(shop.town)] == [AlertRule.CHANGED.value]


async def test_a_pin_outlives_the_process(new_shop: NewShop) -> None:
    shop = new_shop(tier=0)
    async with door(shop) as w:
        await ask(w)
    async with door(shop) as w:
        w.provider.named = "another"
        with pytest.raises(openai.PermissionDeniedError):
            await ask(w)
    assert Effect.READ not in allowed(shop.town, shop.run.deployment)


@pytest.mark.parametrize("by_hand", [delete(ModelPinRow), update(ModelPinRow).values(fingerprint="0" * 64)])
async def test_a_row_changed_by_hand_pins_nothing(new_shop: NewShop, by_hand: Any) -> None:
    """The record's entry is the pin; the row is only there to be looked at."""
    shop = new_shop()
    async with door(shop) as w:
        await ask(w)
    shop.town.write(lambda tx: tx.conn.execute(by_hand) and None)
    found = shop.town.read(lambda conn: pinned(conn, shop.run.deployment))
    assert found == fingerprint_of(REAL_MODEL)
    async with door(shop) as w:
        w.provider.named = "another"
        with pytest.raises(openai.PermissionDeniedError):
            await ask(w)


async def test_an_error_with_the_status_of_a_success_is_no_other_model(new_shop: NewShop) -> None:
    """R-40: neither at first, when it would be pinned, nor later, when it would take every grant."""
    shop = new_shop(tier=2)
    async with door(shop) as w:
        for _ in range(2):
            w.provider.whole = {"error": {"message": f"{REAL_MODEL} is overloaded", "code": 502}}
            with pytest.raises(openai.InternalServerError, match="not available") as caught:
                await ask(w)
            assert REAL_MODEL not in str(caught.value)
            w.provider.whole = None
            await ask(w)
    assert len(kinds(shop, "model.pinned")) == 1
    assert kinds(shop, "model.changed") == []


async def test_counting_tokens_and_errors_pin_nothing(new_shop: NewShop) -> None:
    shop = new_shop()
    async with door(shop) as w:
        w.provider.failures = [400]
        with pytest.raises(openai.BadRequestError):
            await ask(w)
    assert kinds(shop, "model.pinned") == []
