"""Attacks on reviews: power is prolonged by words of those who may, over the packet that stands, and once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.effects import Effect
from rollout.reviews.closing import Closed
from rollout.reviews.closure import matter_to_close
from rollout.reviews.obligations import review_state
from rollout.reviews.rows import ReviewError
from runtime.clock import random_bytes
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import SignedStatement
from runtime.record.events import EventKind
from tests.standins.persons import Person, Town
from tests.standins.reviewing import Reviewing
from tests.standins.towns import DORA, LENA, OLGA, ROSA, allowed, staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def reviewing(staffed: Town) -> Reviewing:
    """A review that is overdue, with something unexpected in it; the agent has a draft grant."""
    reviewing = Reviewing(staffed)
    reviewing.draft(days=12)
    reviewing.happens(EventKind.ACTION_OUTCOME, status="unknown")
    reviewing.later(days=7)
    staffed.later(hours=1)
    return reviewing


def still_owed(reviewing: Reviewing, obligation: str) -> bool:
    """Whether the review is owed, writes are suspended, and no grant was moved."""
    town = reviewing.town
    state = town.read(
        lambda conn: review_state(conn, reviewing.deployment, roster=town.state.roster, now=town.now)
    )
    return (
        obligation in state.overdue
        and allowed(town, reviewing.deployment) == {Effect.READ}
        and "grant.renewed" not in town.kinds()
    )


def refusal(reviewing: Reviewing, signed: SignedStatement, obligation: str) -> Refused:
    answer = reviewing.hand_in(obligation, signed)
    assert isinstance(answer, Refused), answer
    assert still_owed(reviewing, obligation)
    return answer


def test_a_missing_disposition_closes_nothing(reviewing: Reviewing) -> None:
    """R-36."""
    packet = reviewing.packet(reviewing.owed())
    closure = reviewing.says(packet, words=())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, closure))

    assert "a disposition of pat-" in refusal(reviewing, signed, packet.head.obligation).detail


def test_an_unanswered_question_closes_nothing(reviewing: Reviewing) -> None:
    """R-39."""
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, reviewing.says(packet, answers=("no", " "))))

    assert "an answer to: Is a metric" in refusal(reviewing, signed, packet.head.obligation).detail


@pytest.mark.parametrize(("who", "why"), [(OLGA, "the agent's owner"), (LENA, "takes one of the roles")])
def test_owner_and_strangers_to_the_role_close_nothing(reviewing: Reviewing, who: Person, why: str) -> None:
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(who, matter_to_close(packet, reviewing.says(packet)))
    answer = refusal(reviewing, signed, packet.head.obligation)

    assert answer.code is RefusalCode.NOT_PERMITTED
    assert why in answer.detail


def test_a_forged_signature_closes_nothing(reviewing: Reviewing) -> None:
    packet = reviewing.packet(reviewing.owed())
    matter = matter_to_close(packet, reviewing.says(packet))
    mallory = Person("rosa")  # her name, another key

    assert refusal(reviewing, reviewing.town.signed(mallory, matter), packet.head.obligation).code is (
        RefusalCode.NOT_THEIR_KEY
    )


def test_an_edited_statement_closes_nothing(reviewing: Reviewing) -> None:
    """F8."""
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, reviewing.says(packet)))
    edited = SignedStatement(signed.body.replace(b"looked at it", b"all is well!"), signed.signature)

    assert refusal(reviewing, edited, packet.head.obligation).code is RefusalCode.BAD_SIGNATURE


def test_a_packet_that_was_printed_again_cannot_be_closed_by_the_old_one(reviewing: Reviewing) -> None:
    """F8: more happened since it was shown."""
    old = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(old, reviewing.says(old)))
    reviewing.town.later(minutes=1)
    reviewing.packet(reviewing.owed())

    assert "its digest is" in refusal(reviewing, signed, old.head.obligation).detail


def test_a_packet_replaced_between_reading_and_closing_is_noticed(reviewing: Reviewing) -> None:
    """The unit itself looks: whoever prints in between is not overlooked."""
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, reviewing.says(packet)))
    unit = reviewing.desk.closing(packet.head.obligation, signed)
    reviewing.town.later(minutes=1)
    reviewing.packet(reviewing.owed())
    answer = reviewing.town.write(unit)

    assert isinstance(answer, Refused)
    assert "was printed again" in answer.detail


def test_a_review_is_closed_once(reviewing: Reviewing) -> None:
    """F9: neither the same word nor a second one closes, or renews, again."""
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, reviewing.says(packet)))
    assert isinstance(reviewing.hand_in(packet.head.obligation, signed), Closed)

    again = reviewing.hand_in(packet.head.obligation, signed)
    other = reviewing.close(packet, DORA)
    assert [one.code for one in (again, other) if isinstance(one, Refused)] == [RefusalCode.USED] * 2
    assert reviewing.town.kinds().count("grant.renewed") == 1


def test_words_on_one_review_close_no_other(reviewing: Reviewing) -> None:
    """F9."""
    packet = reviewing.packet(reviewing.owed())
    signed = reviewing.town.signed(ROSA, matter_to_close(packet, reviewing.says(packet)))
    other = reviewing.owed("specification")
    reviewing.packet(other)

    answer = reviewing.hand_in(other, signed)
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER
    assert still_owed(reviewing, packet.head.obligation)


def test_a_signer_cannot_ask_for_a_longer_life(reviewing: Reviewing) -> None:
    """R-81: the end is the packet's, not the signer's."""
    packet = reviewing.packet(reviewing.owed())
    assert packet.renews_until is not None
    longer = replace(packet, renews_until=packet.renews_until + timedelta(days=7))
    matter = replace(matter_to_close(longer, reviewing.says(longer)), digest=packet.digest)

    assert (
        "its body is"
        in refusal(reviewing, reviewing.town.signed(ROSA, matter), packet.head.obligation).detail
    )


def test_whoever_asked_for_a_grant_does_not_renew_it(staffed: Town) -> None:
    """Nobody prolongs power that they asked for; without that grant they may close the review."""
    reviewing = Reviewing(staffed)
    reviewing.draft(days=9, requester="dora")
    staffed.later(days=6)
    packet = reviewing.packet(reviewing.owed())

    refused = reviewing.close(packet, DORA)
    assert isinstance(refused, Refused)
    assert "renewing draft lacks" in refused.detail
    assert isinstance(reviewing.close(packet, DORA, reviewing.says(packet, renews=())), Closed)


def test_a_row_set_to_closed_by_hand_is_still_owed(reviewing: Reviewing) -> None:
    """A row decides nothing: nobody signed."""
    obligation = reviewing.owed()
    reviewing.town.tamper("UPDATE obligation SET state = 'closed' WHERE id = :id", id=obligation)

    assert still_owed(reviewing, obligation)


def test_a_statement_row_put_in_by_hand_closes_nothing(reviewing: Reviewing) -> None:
    obligation = reviewing.owed()
    town = reviewing.town
    town.tamper("UPDATE obligation SET state = 'closed' WHERE id = :id", id=obligation)
    town.tamper(
        "INSERT INTO statement (id, nonce, type, person, subject, body, signature, made_at) "
        "VALUES (:id, :nonce, 'review', 'rosa', :subject, :body, 'no signature', :at)",
        id="ab" * 32,
        nonce=random_bytes(16).hex(),
        subject=obligation,
        body=b"{}",
        at="2026-11-28T09:00:00.000000Z",
    )

    assert still_owed(reviewing, obligation)


def test_a_grant_whose_end_was_moved_by_hand_permits_nothing(reviewing: Reviewing) -> None:
    """R-81."""
    town = reviewing.town
    packet = reviewing.packet(reviewing.owed())
    assert isinstance(reviewing.close(packet), Closed)
    assert Effect.DRAFT in allowed(town, reviewing.deployment)
    town.tamper("UPDATE effect_grant SET valid_until = '2027-01-01T00:00:00.000000Z' WHERE effect = 'draft'")

    assert allowed(town, reviewing.deployment) == {Effect.READ}


def test_a_packet_row_that_points_elsewhere_is_no_packet(reviewing: Reviewing) -> None:
    """What people sign is what was recorded, or nothing."""
    obligation = reviewing.owed()
    reviewing.packet(obligation)
    reviewing.town.tamper("UPDATE packet SET log_seq = 1 WHERE obligation = :id", id=obligation)

    with pytest.raises(ReviewError, match="audit verify"):
        reviewing.desk.shown(obligation)
