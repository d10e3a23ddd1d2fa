"""A grant's end moves by a closed review alone, and a grant comes back within the window alone."""

from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from runtime.clock import new_id
from runtime.demotion import DemotionCause
from runtime.grant_chain import Renewal
from runtime.grant_moves import restorable
from runtime.grant_rules import Order
from runtime.grants import Issued, issue_voted
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statements import statements_on
from tests.standins.persons import Person, Town
from tests.standins.power import (
    drop_in,
    granted_draft,
    register,
    renew_by,
    restore_by,
    restored,
    say,
)
from tests.standins.towns import DORA, EVERYONE, LENA, OLGA, ROSA, SVEN, allowed, grant, order, staffed, town

__all__ = ["staffed", "town"]

READ, DRAFT = Effect.READ, Effect.DRAFT


def weeks(asked: Order, count: int = 1) -> Renewal:
    """The next weeks of a grant."""
    return Renewal(asked.id, asked.valid_until, asked.valid_until + timedelta(weeks=count))


@pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.name)
def test_a_closed_review_moves_the_end(staffed: Town, person: Person) -> None:
    asked = granted_draft(staffed)
    staffed.later(days=6)

    answer = renew_by(staffed, person, weeks(asked))
    staffed.later(days=7)

    closes = person in (ROSA, DORA, SVEN)
    assert (answer == (weeks(asked),)) is closes
    assert allowed(staffed) == ({DRAFT} if closes else set())


def test_reviews_move_it_again_and_again_each_from_where_the_last_one_ended(staffed: Town) -> None:
    asked = granted_draft(staffed)
    for week in range(1, 7):
        staffed.later(days=7, seconds=-60)
        step = Renewal(
            asked.id,
            asked.valid_until + timedelta(weeks=week - 1),
            asked.valid_until + timedelta(weeks=week),
        )
        assert renew_by(staffed, DORA, step, obligation=f"obl-{week}") == (step,)

    assert allowed(staffed) == {DRAFT}
    assert staffed.kinds().count("grant.renewed") == 6


@pytest.mark.parametrize("role", ["owner", "requester"])
def test_neither_owner_nor_requester_renews_not_even_reading(staffed: Town, role: str) -> None:
    reading = order(staffed, READ, **{"owner": "olga", "requester": "bot", role: "rosa"})
    grant(staffed, reading, OLGA)

    assert isinstance(renew_by(staffed, ROSA, weeks(reading)), Refused)
    assert isinstance(renew_by(staffed, DORA, weeks(reading)), tuple)


@pytest.mark.parametrize("days", [36, 7, 6])
def test_no_end_is_further_than_35_days_from_its_word_nor_earlier(staffed: Town, days: float) -> None:
    """R-81: nothing permanent, renewed or not."""
    asked = granted_draft(staffed)
    step = Renewal(asked.id, asked.valid_until, staffed.now + timedelta(days=days))

    assert isinstance(renew_by(staffed, DORA, step), Refused)


def test_what_has_ended_is_not_renewed_but_reading_is(staffed: Town) -> None:
    """F3: leases lapsed while nobody kept the clock; writing takes the whole way again."""
    asked = granted_draft(staffed)
    reading = order(staffed, READ)
    grant(staffed, reading, OLGA)
    staffed.later(days=21)
    late = staffed.now + timedelta(days=7)

    refused = renew_by(staffed, DORA, Renewal(asked.id, asked.valid_until, late))
    renewed = renew_by(staffed, DORA, Renewal(reading.id, reading.valid_until, late))

    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.EXPIRED
    assert isinstance(renewed, tuple)
    assert allowed(staffed) == {READ}


def test_a_review_renews_all_that_it_lists_or_nothing(staffed: Town) -> None:
    first, second = granted_draft(staffed), order(staffed, Effect.UPDATE)
    grant(staffed, second, ROSA, DORA)
    wrong = Renewal(second.id, second.valid_until - timedelta(days=1), second.valid_until + timedelta(days=7))

    assert isinstance(renew_by(staffed, SVEN, weeks(first), wrong), Refused)
    staffed.later(days=7)

    assert allowed(staffed) == set()


def test_a_revoked_or_unknown_grant_is_not_renewed(staffed: Town) -> None:
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.PATTERN)

    assert isinstance(renew_by(staffed, DORA, weeks(asked)), Refused)
    unknown = Renewal(new_id("grant"), asked.valid_until, asked.valid_until + timedelta(days=1))
    assert isinstance(renew_by(staffed, DORA, unknown), Refused)
    assert allowed(staffed) == {READ}


def test_a_review_that_lists_a_grant_twice_renews_nothing(staffed: Town) -> None:
    asked = granted_draft(staffed)

    assert isinstance(renew_by(staffed, DORA, weeks(asked), weeks(asked, 2)), Refused)


def test_a_superseded_grant_comes_back_with_one_word_within_the_window(staffed: Town) -> None:
    asked = granted_draft(staffed, days=20)
    drop_in(staffed, DemotionCause.SUPERSEDED)
    staffed.later(days=13)

    answer = restore_by(staffed, ROSA, back := restored(staffed, asked, days=5))

    assert isinstance(answer, Issued)
    assert allowed(staffed) == {DRAFT}
    staffed.later(days=4)
    assert isinstance(renew_by(staffed, DORA, weeks(back)), tuple)
    staffed.later(days=7)
    assert allowed(staffed) == {DRAFT}


@pytest.mark.parametrize("person", [OLGA, DORA, SVEN, LENA], ids=lambda person: person.name)
def test_only_a_rollout_manager_restores(staffed: Town, person: Person) -> None:
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.SUPERSEDED)

    assert isinstance(restore_by(staffed, person, restored(staffed, asked, days=5)), Refused)


@pytest.mark.parametrize("role", ["owner", "requester"])
def test_neither_owner_nor_requester_restores(staffed: Town, role: str) -> None:
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.SUPERSEDED)

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5, **{role: "rosa"})), Refused)


def test_a_restored_grant_lasts_no_longer_than_the_earlier_one(staffed: Town) -> None:
    asked = granted_draft(staffed, days=7)
    drop_in(staffed, DemotionCause.SUPERSEDED)

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=8)), Refused)
    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=7)), Issued)


def test_the_window_ends(staffed: Town) -> None:
    asked = granted_draft(staffed, days=30)
    drop_in(staffed, DemotionCause.SUPERSEDED)
    staffed.later(days=14)

    answer = restore_by(staffed, ROSA, restored(staffed, asked, days=5))

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.EXPIRED


@pytest.mark.parametrize("cause", sorted(set(DemotionCause) - {DemotionCause.SUPERSEDED}))
def test_what_was_taken_away_for_cause_does_not_come_back(staffed: Town, cause: DemotionCause) -> None:
    asked = granted_draft(staffed)
    drop_in(staffed, cause)

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5)), Refused)


def test_nor_does_what_stood_beside_it(staffed: Town) -> None:
    """One class was taken away for cause; the other left with the deployment."""
    asked = granted_draft(staffed)
    grant(staffed, order(staffed, Effect.UPDATE), ROSA, DORA)
    drop_in(staffed, DemotionCause.PATTERN, to=Tier.DRAFT)
    drop_in(staffed, DemotionCause.SUPERSEDED)

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5)), Refused)


def test_a_standing_grant_is_not_restored(staffed: Town) -> None:
    asked = granted_draft(staffed)

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5)), Refused)


def test_what_can_be_restored_is_listed_with_its_renewed_end(staffed: Town) -> None:
    asked = granted_draft(staffed)
    renew_by(staffed, DORA, weeks(asked, 3))
    before = staffed.read(
        lambda conn: restorable(conn, asked.deployment, roster=staffed.state.roster, now=staffed.now)
    )
    drop_in(staffed, DemotionCause.SUPERSEDED)

    after = staffed.read(
        lambda conn: restorable(conn, asked.deployment, roster=staffed.state.roster, now=staffed.now)
    )

    assert before == ()
    assert [(one.id, one.valid_until) for one in after] == [(asked.id, weeks(asked, 3).until)]


def test_votes_that_were_cast_earlier_issue_a_grant_once(staffed: Town) -> None:
    """G12: an approval counts for 72 hours; the word that was stored is the approval."""
    asked = order(staffed, DRAFT)
    vote(staffed, ROSA, asked)
    staffed.later(hours=72)

    assert isinstance(issue_on_votes(staffed, asked), Issued)
    again = issue_on_votes(staffed, asked)

    assert isinstance(again, Refused)
    assert again.code is RefusalCode.USED
    assert allowed(staffed) == {DRAFT}


def test_a_vote_that_is_too_old_is_none(staffed: Town) -> None:
    asked = order(staffed, DRAFT)
    vote(staffed, ROSA, asked)
    staffed.later(hours=72, seconds=1)

    assert isinstance(issue_on_votes(staffed, asked), Refused)


def test_a_vote_on_other_evidence_is_none(staffed: Town) -> None:
    """F8: approve, then edit the evidence."""
    asked = order(staffed, DRAFT)
    vote(staffed, ROSA, asked)
    edited = Order(**{**{n: getattr(asked, n) for n in Order.__slots__}, "basis": "ee" * 32})

    assert isinstance(issue_on_votes(staffed, edited), Refused)


def test_a_grant_on_evidence_stands_with_its_basis(staffed: Town) -> None:
    asked = order(staffed, DRAFT)
    based = Order(**{**{n: getattr(asked, n) for n in Order.__slots__}, "basis": "ee" * 32})

    assert isinstance(grant(staffed, based, ROSA), Issued)
    assert allowed(staffed) == {DRAFT}


def test_a_grant_that_restores_is_not_issued(staffed: Town) -> None:
    asked = granted_draft(staffed)
    back = restored(staffed, asked, days=5)

    assert isinstance(grant(staffed, back, ROSA), Refused)


def test_a_drop_takes_what_is_above_the_tier_and_leaves_reading(staffed: Town) -> None:
    granted_draft(staffed)
    grant(staffed, order(staffed, Effect.UPDATE), ROSA, DORA)
    register(staffed, "olga")

    assert len(drop_in(staffed, DemotionCause.PATTERN, to=Tier.DRAFT)) == 1
    assert allowed(staffed) == {READ, DRAFT}
    assert len(drop_in(staffed, DemotionCause.CONTRADICTION)) == 1
    assert allowed(staffed) == {READ}
    assert drop_in(staffed, DemotionCause.CONTRADICTION) == ()

    entry = staffed.entry("deployment.demoted", -1).leaf
    assert entry.data == {"from": 1, "to": 0, "cause": "contradiction"}
    assert entry.agent == "bot"
    assert staffed.kinds().count("deployment.demoted") == 2


def vote(town: Town, who: Person, asked: Order) -> None:
    """Store a vote as a promotion would."""
    matter = asked.matter()
    say(town, who, matter.type, matter.subject, digest=matter.digest, **matter.body)


def issue_on_votes(town: Town, asked: Order) -> Issued | Refused:
    return town.write(
        lambda tx: issue_voted(
            tx,
            asked,
            statements_on(tx.conn, asked.id),
            roster=town.book.current(tx.conn).roster,
            now=tx.now,
        )
    )
