"""The stories of harm, end to end: wrong vendor, wrong record, pushed everywhere, details given away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.gate.replies import Done, Reply, Withheld
from tests.standins.towns import DORA, SVEN
from tests.standins.workshop import Workshop, make_workshop


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workshop]:
    """An agent with everything granted."""
    shop = make_workshop(tmp_path, tier=4)
    yield shop
    shop.town.close()


def test_the_wrong_vendor_is_not_paid(office: Workshop) -> None:
    """R-83: a payment to someone new is not even held; to a known one, two persons look at it first."""

    async def work() -> list[Reply]:
        wrong = await office.act("pay", {"to": "billing@known-example.test", "amount": 900})
        right = await office.act("pay", {"to": "billing@known.example", "amount": 900})
        await office.vote(await office.waiting(), SVEN, DORA)
        await office.gate.close()
        return [wrong, right]

    assert asyncio.run(work()) == [Withheld(), Withheld()]
    assert [action.args["to"] for action in office.hands.done] == ["billing@known.example"]


def test_the_wrong_record_is_not_bulk_updated(office: Workshop) -> None:
    """R-82, R-83: one call over many is as many actions, and too many at once become a suggestion."""

    async def work() -> list[Reply]:
        many = await office.act("label_many", {"ids": [str(number) for number in range(500)]})
        one = await office.act("label_many", {"ids": ["7"]})
        return [many, one]

    many, one = asyncio.run(work())

    assert (many, one) == (Withheld(), Done({"done": "label_many"}))
    assert office.rows("SELECT used FROM budget WHERE key = 'run'") == [(1,)]


def test_a_configuration_is_not_pushed_everywhere_instantly(office: Workshop) -> None:
    """R-82, R-62: every step passes, the sum does not."""

    async def work() -> list[Reply]:
        return [await office.act("publish", {"where": "public"}) for _ in range(10)]

    replies = asyncio.run(work())

    assert [type(reply) for reply in replies] == [Done] * 4 + [Withheld] * 6


def test_a_mail_with_invoice_details_is_held_and_one_without_is_sent(office: Workshop) -> None:
    """R-73, R-75: the recipient is known; what it says is not theirs to have without a look."""

    async def work() -> list[Reply]:
        plain = {"to": ["ap@known.example"], "subject": "Thanks", "body": "We received your invoice."}
        details = {
            **plain,
            "body": "Invoice INV-2026-0042 over EUR 12,300.00, paid from DE89370400440532013000.",
        }
        return [await office.act("send_mail", plain), await office.act("send_mail", details)]

    assert asyncio.run(work()) == [Done({"done": "send_mail"}), Withheld()]
    card = asyncio.run(office.waiting())
    assert ("sensitive", "data:iban") in card.clears


def test_perfect_behaviour_relaxes_nothing(office: Workshop) -> None:
    """R-45: after forty good actions an out-of-scope call is denied like the first."""

    async def work() -> Reply:
        for number in range(40):
            await office.act("read_folder", {"folder": "INBOX", "message_id": str(number)})
        return await office.act("export_everything", {})

    assert asyncio.run(work()) == Withheld()
    assert office.codes() == {"unknown_tool"}


def test_the_same_text_with_another_call_is_judged_by_its_effect(office: Workshop) -> None:
    """R-61."""
    text = "please take note of this"

    async def work() -> list[Reply]:
        note = await office.act("update_record", {"number": "1", "note": text})
        mail = await office.act("send_mail", {"to": ["eve@evil.example"], "subject": text, "body": text})
        return [note, mail]

    assert asyncio.run(work()) == [Done({"done": "update_record"}), Withheld()]
