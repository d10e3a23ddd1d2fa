"""What a sample says, and whose words it rests on."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from rollout.evidence.items import ItemKind
from runtime.gate.states import JudgementVerdict
from tests.standins.evidence import Desk
from tests.standins.persons import START
from tests.standins.towns import DORA, OLGA, ROSA, STAFF, SVEN

AGREE, DISAGREE, HARMFUL, UNCLEAR = (JudgementVerdict(w) for w in ("agree", "disagree", "harmful", "unclear"))


def _drawn(desk: Desk, *messages: str) -> list[str]:
    """Let the agent label messages and draw all of them; ids in the order of the messages."""
    desk.label(*messages)
    desk.draw()
    rows = desk.shop.rows("SELECT id FROM suggestion ORDER BY created_at, log_seq")
    return [row[0] for row in rows][-len(messages) :]


def test_no_verdict_is_no_agreement(desk: Desk) -> None:
    """No evidence is no data: what was drawn and not judged counts as neither, and is told."""
    _drawn(desk, "m1", "m2", "m3")

    sample = desk.sample()

    assert (sample.population, sample.drawn, sample.unjudged) == (3, 3, 3)
    assert (sample.agree, sample.miss, sample.days, sample.reviewers) == (0, 0, 0, ())


def test_verdicts_are_counted_by_what_they_say(desk: Desk) -> None:
    """REQUIREMENTS section 2: unclear is a miss; harmful is one too, and is told apart (R-44)."""
    ids = _drawn(desk, "m1", "m2", "m3", "m4")
    desk.open_all(DORA)
    for item, verdict in zip(ids, (AGREE, DISAGREE, UNCLEAR, HARMFUL), strict=True):
        desk.judge(item, DORA, verdict)

    sample = desk.sample()

    assert (sample.agree, sample.miss, sample.unclear, sample.harmful) == (1, 3, 1, 1)
    assert sample.unjudged == 1  # harmful still waits for a second reviewer
    assert sample.reviewers == ("dora",)


def test_a_cluster_counts_once_and_at_its_worst(desk: Desk) -> None:
    """F14: splitting one piece of work into many items earns nothing, and hides nothing."""
    first, second = _split(desk)
    desk.open_all(DORA)
    desk.judge(first, DORA, AGREE)
    before = desk.sample()
    desk.judge(second, DORA, DISAGREE)
    after = desk.sample()

    assert (before.agree, before.miss) == (1, 0)
    assert (after.agree, after.miss, after.drawn) == (0, 1, 2)


def _split(desk: Desk) -> tuple[str, str]:
    """Two suggestions about one message."""
    desk.label("m1", label="good")
    desk.label("m1", label="bad")
    desk.draw()
    first, second = (row[0] for row in desk.shop.rows("SELECT id FROM suggestion ORDER BY log_seq"))
    return first, second


def test_days_are_those_on_which_judged_items_happened(desk: Desk) -> None:
    """G2: many items of one day are one day."""
    days = [_drawn(desk, f"m{day}") for day in range(3) if desk.town.later(days=1)]
    desk.open_all(DORA)
    for (item,) in days:
        desk.judge(item, DORA)

    assert desk.sample().days == 3
    assert desk.sample(since=START + timedelta(days=2)).days == 2


def test_undrawn_verdicts_count_nothing_except_harm(desk: Desk) -> None:
    """What a reviewer picked by himself is no sample; that something is harmful always counts."""
    desk.label("m1", "m2")
    first, second = (row[0] for row in desk.shop.rows("SELECT id FROM suggestion ORDER BY log_seq"))
    desk.judge(first, DORA, AGREE)
    desk.judge(second, DORA, HARMFUL)

    sample = desk.sample()

    assert (sample.drawn, sample.agree, sample.miss, sample.harmful) == (0, 0, 0, 1)
    assert desk.sample(Effect.SEND).harmful == 0


def test_a_second_reviewer_in_time_makes_harm_a_miss(desk: Desk) -> None:
    (item,) = _drawn(desk, "m1")
    desk.open_all(DORA, SVEN)
    desk.judge(item, DORA, HARMFUL)
    waits = desk.sample()
    desk.town.later(hours=23)
    desk.judge(item, SVEN, AGREE)
    contradicted = desk.sample()

    assert (waits.harmful, waits.unjudged) == (1, 1)
    assert (contradicted.harmful, contradicted.unjudged, contradicted.miss) == (0, 0, 1)


def test_unconfirmed_harm_stays_harm(desk: Desk) -> None:
    (item,) = _drawn(desk, "m1")
    desk.open_all(DORA, SVEN)
    desk.judge(item, DORA, HARMFUL)
    desk.town.later(hours=25)
    desk.judge(item, SVEN, AGREE)

    sample = desk.sample()

    assert (sample.harmful, sample.unjudged) == (1, 0)


def test_a_reviewer_who_lost_the_role_never_spoke(desk: Desk) -> None:
    """F6, F17: verdicts of a person who no longer counts are un-counted, and their items wait again."""
    (item,) = _drawn(desk, "m1")
    desk.open_all(DORA)
    desk.judge(item, DORA)
    before = desk.sample()
    desk.town.change(STAFF.replace("version: 1", "version: 2").replace("[domain]", "[]"), OLGA, ROSA)

    after = desk.sample()

    assert (before.agree, before.unjudged) == (1, 0)
    assert (after.agree, after.unjudged, after.reviewers) == (0, 1, ())
    assert after.digest != before.digest


@pytest.mark.parametrize("verdict", [AGREE, DISAGREE])
def test_another_verdict_is_another_digest(desk: Desk, verdict: JudgementVerdict) -> None:
    """F8: evidence that was added to or edited is not what was signed."""
    first, second = _drawn(desk, "m1", "m2")
    desk.open_all(DORA, SVEN)
    desk.judge(first, DORA)
    before = desk.sample().digest
    same = desk.sample().digest
    desk.judge(second, DORA, verdict)
    more = desk.sample().digest
    desk.judge(first, SVEN, verdict)

    assert same == before
    assert len({before, more, desk.sample().digest}) == 3


def test_a_frozen_sample_does_not_move_with_what_happens_later(desk: Desk) -> None:
    """F8: through its own moment the sample is what it was, whatever the agent does afterwards."""
    (item,) = _drawn(desk, "m1")
    desk.open_all(DORA)
    desk.judge(item, DORA)
    moment = desk.town.later(seconds=1)
    before = desk.sample(through=moment)
    (later,) = _drawn(desk, "m2")
    desk.open_all(DORA)
    desk.judge(later, DORA, DISAGREE)

    assert desk.sample(through=moment) == before
    assert desk.sample().digest != before.digest


def test_executed_harm_counts_in_its_class(draft_desk: Desk) -> None:
    """R-84, R-44: a write that was carried out and did harm fails the class, and never is an agreement."""
    draft_desk.label("m1", "m2")
    made = draft_desk.draw(kind=ItemKind.EXECUTED, executed_share=1)
    assert made is not None
    draft_desk.say(made.items[0], SVEN, AGREE)
    before = draft_desk.sample()
    draft_desk.say(made.items[1], SVEN, HARMFUL)

    after = draft_desk.sample()

    assert (before.agree, before.harmful, before.drawn) == (0, 0, 0)
    assert after.harmful == 1
