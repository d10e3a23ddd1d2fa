"""Drawn items are judged one by one; blind ones in two phases; harm that was done stops the agent."""

import asyncio

import pytest
from sqlalchemy import update

from profiles.effects import Effect
from rollout.evidence.cards import Card, blind_card
from rollout.evidence.drawing import Drawing
from rollout.evidence.items import EvidenceError, ItemKind
from rollout.evidence.judging import Phase, Shown
from rollout.evidence.taking import Expected
from runtime.clock import random_bytes
from runtime.freeze import standing_stops
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Judged
from runtime.grants import granted
from runtime.people.roster import RefusalCode, Refused
from runtime.tables.agents import AgentRow
from tests.standins.evidence import Desk
from tests.standins.persons import Person
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN

AGREE, DISAGREE, HARMFUL = (JudgementVerdict(word) for word in ("agree", "disagree", "harmful"))


def _blind(desk: Desk) -> str:
    """One suggestion, drawn blind."""
    desk.label("m1")
    made = desk.draw()
    assert made is not None
    (item,) = made.blind
    return item


def _open(desk: Desk) -> str:
    """One drawn suggestion that is not blind."""
    desk.label("m1", "m2")
    made = desk.draw()
    assert made is not None
    (item,) = set(made.items) - made.blind
    return item


def _executed(desk: Desk) -> str:
    desk.label("m1")
    made = desk.draw(kind=ItemKind.EXECUTED)
    assert made is not None
    return made.items[0]


def _next(desk: Desk, person: Person, agent: str | None = None) -> tuple[int, Shown | None]:
    answer = asyncio.run(desk.judging.next(person.name, agent))
    assert not isinstance(answer, Refused)
    return answer[0].left, answer[1]


def test_a_blind_item_is_shown_without_its_proposal(desk: Desk) -> None:
    shown = desk.show(_blind(desk), DORA)

    assert shown.phase is Phase.EXPECT
    assert shown.card.fields["args"] == {"message_id": "m1"}
    assert shown.card.fields["withheld"] == ["label"]
    assert not {"rationale", "reasons", "action_digest"} & shown.card.fields.keys()


def test_without_a_profile_a_blind_card_shows_no_argument(desk: Desk) -> None:
    whole = desk.show(_open(desk), DORA).card

    assert blind_card(whole, None).fields["args"] == {}


def test_the_proposal_opens_to_those_who_said_what_they_would_do(desk: Desk) -> None:
    item = _blind(desk)

    expected = desk.expect(item, DORA, "label it good")

    assert expected == Expected(item, "dora")
    assert desk.show(item, DORA).phase is Phase.JUDGE
    assert desk.show(item, DORA).card.fields["args"] == {"message_id": "m1", "label": "good"}
    assert desk.show(item, DORA).expectation == "label it good"
    assert desk.show(item, SVEN).phase is Phase.EXPECT
    assert desk.show(item).phase is Phase.EXPECT


def test_a_blind_item_is_not_judged_before_the_expectation(desk: Desk) -> None:
    """The expectation must precede that person's judgement; another person's does not help."""
    item = _blind(desk)
    desk.expect(item, SVEN)
    whole = desk.show(item, SVEN).card
    signed = desk.town.signed(DORA, whole.judged(AGREE, "looked at it"))

    early = asyncio.run(desk.judging.judge(signed, item))

    assert isinstance(early, Refused)
    assert early.code is RefusalCode.MISSING
    assert desk.sample().agree == 0
    assert isinstance(desk.expect(item, DORA), Expected)
    assert isinstance(desk.say(item, DORA, AGREE), Judged)
    assert desk.sample().agree == 1


def test_harm_needs_no_ceremony(desk: Desk) -> None:
    """R-44: nothing stands in the way of `harmful`, not even that an item is judged blind."""
    item = _blind(desk)
    desk.expect(item, SVEN)
    signed = desk.town.signed(DORA, desk.show(item, SVEN).card.judged(HARMFUL, "look at this"))

    judged = asyncio.run(desk.judging.judge(signed, item))

    assert judged == Judged(item, "dora", HARMFUL)
    assert desk.sample().harmful == 1


def test_an_expectation_is_said_once_and_never_after_the_verdict(desk: Desk) -> None:
    item = _blind(desk)
    reduced = desk.show(item, DORA).card
    first = desk.expect(item, DORA)
    again = _expect_on(desk, item, DORA, reduced)
    desk.say(item, DORA, AGREE)
    after = _expect_on(desk, item, DORA, reduced)

    assert isinstance(first, Expected)
    assert [one.code for one in (again, after) if isinstance(one, Refused)] == [RefusalCode.USED] * 2


def _expect_on(desk: Desk, item: str, person: Person, card: Card) -> Expected | Refused:
    signed = desk.town.signed(person, card.expected("another"))
    return asyncio.run(desk.judging.expect(signed, item))


def test_an_expectation_over_the_whole_card_is_refused(desk: Desk) -> None:
    """Who has seen the proposal cannot say afterwards that they had not."""
    item = _blind(desk)
    desk.expect(item, SVEN)

    refused = _expect_on(desk, item, DORA, desk.show(item, SVEN).card)

    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.OTHER_MATTER


def test_an_item_that_is_not_blind_takes_no_expectation(desk: Desk) -> None:
    item = _open(desk)

    refused = _expect_on(desk, item, DORA, desk.show(item, DORA).card)

    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.NOT_PERMITTED


@pytest.mark.parametrize("person", [ROSA, LENA, Person("dora"), Person("stranger")])
def test_only_reviewers_with_their_own_key_judge(desk: Desk, person: Person) -> None:
    assert isinstance(desk.say(_open(desk), person, AGREE), Refused)


@pytest.mark.parametrize("owner", ["dora", "unix:olga"])
def test_the_owner_judges_nothing_of_the_agent(desk: Desk, owner: str) -> None:
    """F7: the owner under any account; their verdict is refused, and would not count."""
    item = _open(desk)
    desk.town.write(lambda tx: tx.conn.execute(update(AgentRow).values(owner=owner)) and None)
    person = {"dora": DORA, "unix:olga": OLGA}[owner]
    desk.judge(item, person, AGREE)  # by the kernel's way, which knows no owners

    refused = desk.say(item, person, AGREE)

    assert isinstance(refused, Refused)
    assert desk.sample().agree == 0
    assert desk.sample().reviewers == ()


def test_nobody_judges_twice(desk: Desk) -> None:
    """F5: one person, one verdict."""
    item = _open(desk)

    answers = [desk.say(item, DORA, AGREE), desk.judge(item, DORA, DISAGREE)]

    assert isinstance(answers[0], Judged)
    assert isinstance(answers[1], Refused)
    assert desk.show(item, DORA).phase is Phase.DONE


def test_harm_that_was_done_stops_the_agent_at_once(draft_desk: Desk) -> None:
    """R-84: a harmful executed action is quarantine and tier 0, in the unit that takes the verdict."""
    item, town = _executed(draft_desk), draft_desk.town
    deployment = draft_desk.shop.run.deployment

    judged = draft_desk.say(item, SVEN, HARMFUL)

    assert judged == Judged(item, "sven", HARMFUL)
    roster = town.state.roster
    stops = town.read(lambda conn: standing_stops(conn, now=town.now, roster=roster))
    left = town.read(lambda conn: granted(conn, deployment, now=town.now, roster=roster))
    assert [(one.scope, one.target, one.owner) for one in stops] == [("agent", "bot", "quarantine")]
    assert left == {Effect.READ}
    assert "executed.judged" in town.kinds()


def test_an_executed_write_is_shown_as_it_was_carried_out(draft_desk: Desk) -> None:
    shown = draft_desk.show(_executed(draft_desk), SVEN)

    assert shown.kind is ItemKind.EXECUTED
    assert shown.card.fields["args"] == {"message_id": "m1", "label": "good"}
    assert shown.card.fields["task"] is None  # the workshop's run has none in its row
    assert shown.card.fields["effect"] == "draft"


def test_a_good_executed_write_is_settled_by_one_verdict(draft_desk: Desk) -> None:
    item = _executed(draft_desk)

    assert isinstance(draft_desk.say(item, SVEN, AGREE), Judged)
    assert isinstance(draft_desk.say(item, SVEN, AGREE), Refused)
    assert _next(draft_desk, DORA) == (0, None)


def test_the_desk_offers_second_looks_first_then_blind_ones(desk: Desk) -> None:
    desk.label(*[f"m{number}" for number in range(6)])
    made = desk.draw()
    assert made is not None
    called = min(set(made.items) - made.blind)
    desk.say(called, DORA, HARMFUL)

    left, first = _next(desk, SVEN)
    assert (left, first is not None and first.card.item) == (6, called)
    desk.say(called, SVEN, DISAGREE)
    left, second = _next(desk, SVEN)
    assert (left, second is not None and second.phase) == (5, Phase.EXPECT)
    assert _next(desk, DORA)[0] == 5
    assert _next(desk, SVEN, "another-agent") == (0, None)


def test_a_second_look_that_nobody_took_ends(desk: Desk) -> None:
    """Unconfirmed stays harmful, and no longer waits."""
    item = _open(desk)
    desk.say(item, DORA, HARMFUL)
    drawing = Drawing(desk.town.ledger, desk.town.book, random_bytes)
    drawing.daily(desk.town.later(hours=23))
    in_time = _next(desk, SVEN)[0]

    drawing.daily(desk.town.later(hours=2))

    assert in_time == 2
    assert desk.sample().harmful == 1
    assert _next(desk, SVEN)[0] == 1  # the blind one


def test_a_person_without_the_role_has_no_desk(desk: Desk) -> None:
    assert isinstance(asyncio.run(desk.judging.next(ROSA.name)), Refused)


def test_an_item_that_is_not_there_is_named(draft_desk: Desk) -> None:
    item = _executed(draft_desk)
    draft_desk.town.tamper("UPDATE action SET state = 'failed'")

    with pytest.raises(EvidenceError, match=item):
        draft_desk.show(item, SVEN)
