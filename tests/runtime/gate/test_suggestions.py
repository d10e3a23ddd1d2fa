"""Suggestions are recorded, shown and judged; nothing a person says about one executes it."""

import asyncio
from typing import Any

import pytest

from runtime.gate import suggestions
from runtime.gate.actions import digest_of
from runtime.gate.replies import Withheld
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Judged, Suggestion, SuggestionError
from runtime.people.roster import Refused
from runtime.people.statement import Matter, StatementType
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.persons import Person
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN
from tests.standins.workshop import Workshop

MAIL = {"to": ["vendor@evil.example"], "subject": "Invoice", "body": "the details nobody asked for"}
AGREE, HARMFUL = JudgementVerdict.AGREE, JudgementVerdict.HARMFUL


async def _suggested(shop: Workshop) -> Suggestion:
    await shop.act("send_mail", MAIL, rationale="they asked")
    (row,) = await shop.suggestions.listed()
    return await shop.suggestions.show(row.id)


def _judgement(
    shop: Workshop, shown: Suggestion, person: Person, verdict: JudgementVerdict, reason: str = "why"
) -> Any:
    signed = shop.town.signed(person, shown.matter(verdict, reason))
    return shop.suggestions.judge(signed, shown.id)


def test_the_card_says_what_was_wanted_and_why_it_was_not_done(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    shown = asyncio.run(_suggested(shop))

    assert shown.card["args"] == MAIL
    assert shown.card["rationale"] == "they asked"
    assert shown.digest == digest_of(shown.card)
    codes = [reason["code"] for reason in shown.card["reasons"]]  # type: ignore[index,union-attr,call-overload]  # JSON
    assert codes[:2] == ["above_tier", "first_seen"]


@pytest.mark.parametrize("verdict", JudgementVerdict)
def test_no_judgement_ever_executes_anything(new_workshop: NewWorkshop, verdict: JudgementVerdict) -> None:
    """R-31: also when every reviewer agrees, and when the agent tries again."""
    shop = new_workshop(tier=0)

    async def work() -> Any:
        shown = await _suggested(shop)
        answers = [await _judgement(shop, shown, person, verdict) for person in (OLGA, DORA, SVEN)]
        await shop.gate.sweep()
        await shop.gate.close()
        return answers, await shop.act("send_mail", MAIL)

    answers, again = asyncio.run(work())

    assert all(isinstance(answer, Judged) for answer in answers)
    assert again == Withheld()
    assert shop.hands.done == []
    assert shop.rows("SELECT count(*) FROM log_entry WHERE kind = 'action.intent'")[0][0] == 0


def test_suggestions_know_no_way_to_execute() -> None:
    """R-31: the module has nothing in reach that could carry an action out."""
    names = set(vars(suggestions))

    assert not names & {"Executor", "Carrier", "Gate", "Performed", "Ticket"}


def test_one_judgement_for_each_person(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        shown = await _suggested(shop)
        first = await _judgement(shop, shown, DORA, AGREE)
        second = await _judgement(shop, shown, DORA, HARMFUL)
        return first, second, await shop.suggestions.show(shown.id)

    first, second, shown = asyncio.run(work())

    assert first == Judged(shown.id, "dora", AGREE)
    assert isinstance(second, Refused)
    assert [(row.person, row.verdict) for row in shown.judgements] == [("dora", "agree")]


@pytest.mark.parametrize("person", [ROSA, LENA, Person("dora"), Person("stranger")])
def test_only_reviewers_with_their_own_key_judge(new_workshop: NewWorkshop, person: Person) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        return await _judgement(shop, await _suggested(shop), person, AGREE)

    assert isinstance(asyncio.run(work()), Refused)


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"subject": "sug-other"},
        {"body": {"verdict": "approve", "reason": "r"}},
        {"body": {"verdict": "agree", "reason": " "}},
        {"body": {"verdict": "agree"}},
        {"type": StatementType.APPROVAL},
    ],
)
def test_a_judgement_binds_the_card_and_has_a_reason(
    new_workshop: NewWorkshop, change: dict[str, Any]
) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        shown = await _suggested(shop)
        matter = shown.matter(AGREE, "r")
        fields = {
            "type": matter.type,
            "subject": matter.subject,
            "digest": matter.digest,
            "body": matter.body,
        }
        return await shop.suggestions.judge(shop.town.signed(DORA, Matter(**(fields | change))), shown.id)

    assert isinstance(asyncio.run(work()), Refused)


def test_an_identical_suggestion_of_a_run_is_shown_once_and_every_attempt_recorded(
    new_workshop: NewWorkshop,
) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        for _ in range(3):
            await shop.act("send_mail", MAIL)
        await shop.act("send_mail", {**MAIL, "subject": "Another"})
        return await shop.suggestions.listed()

    assert len(asyncio.run(work())) == 2
    assert shop.states() == ["suggested"] * 4


def test_unjudged_ones_and_those_of_one_agent_can_be_listed(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        shown = await _suggested(shop)
        before = await shop.suggestions.listed(unjudged=True, agent="bot")
        await _judgement(shop, shown, DORA, HARMFUL)
        return (
            before,
            await shop.suggestions.listed(unjudged=True),
            await shop.suggestions.listed(agent="other"),
        )

    before, after, other = asyncio.run(work())

    assert (len(before), after, other) == (1, [], [])


def test_a_changed_card_is_an_error(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> None:
        shown = await _suggested(shop)
        await shop.act("send_mail", {**MAIL, "subject": "Another"})
        shop.town.tamper("UPDATE suggestion SET log_seq = (SELECT max(log_seq) FROM suggestion)")
        await shop.suggestions.show(shown.id)

    with pytest.raises(SuggestionError, match="audit verify"):
        asyncio.run(work())


def test_a_suggestion_that_is_not_there_is_named(new_workshop: NewWorkshop) -> None:
    with pytest.raises(SuggestionError, match="sug-none"):
        asyncio.run(new_workshop(tier=0).suggestions.show("sug-none"))
