"""Threat: someone who can write to the database ends a suspension, or moves a grant's end."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from runtime.demotion import DemotionCause
from runtime.grant_chain import RENEWS, Renewal
from runtime.grants import Issued
from runtime.people.roster import Refused
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.statements import statements_on
from runtime.suspension_rules import SuspensionCode, matter_to_resume
from runtime.suspensions import Resumed
from tests.standins.persons import Person, Town
from tests.standins.power import (
    DIGEST,
    drop_in,
    granted_draft,
    register,
    renew_by,
    restore_by,
    restored,
    resume_by,
    suspend_in,
    suspensions_of,
)
from tests.standins.towns import DEPLOYMENT, DORA, OLGA, ROSA, SVEN, allowed, staffed, town

__all__ = ["staffed", "town"]

READ, DRAFT = Effect.READ, Effect.DRAFT
INSERT_SUSPENSION = (
    "INSERT INTO suspension (id, deployment, effect, code, subject, reason, set_at)"
    " VALUES ('susp-x', :deployment, :effect, :code, 'x', 'x', '2020-01-01T00:00:00.000000Z')"
)


def insert_statement(town: Town, signed: SignedStatement, type_: str, subject: str) -> None:
    town.tamper(
        "INSERT INTO statement VALUES (:id, :nonce, :type, 'x', :subject, :body, :signature, :at)",
        id=signed.id,
        nonce=signed.id[:32],
        type=type_,
        subject=subject,
        body=signed.body,
        signature=signed.signature,
        at="2026-11-21T09:00:00.000000Z",
    )


@pytest.mark.parametrize(
    ("effect", "code"), [(None, "harmful"), ("draft", "harmful"), ("galaxy", "x"), ("", "")]
)
def test_a_suspension_inserted_by_hand_suspends_all_the_same(
    staffed: Town, effect: str | None, code: str
) -> None:
    """A suspension is believed without proof; one of an unknown class takes all writes."""
    granted_draft(staffed)
    staffed.tamper(INSERT_SUSPENSION, deployment=DEPLOYMENT, effect=effect, code=code)

    assert allowed(staffed) == {READ}
    assert isinstance(resume_by(staffed, SVEN, "susp-x"), Resumed)
    assert allowed(staffed) == {READ, DRAFT}


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM suspension",
        "UPDATE suspension SET deployment = 'd9'",
        "UPDATE suspension SET effect = 'critical'",
        "UPDATE suspension SET effect = 'read'",
        "UPDATE suspension SET code = 'heartbeat'",
        "UPDATE suspension SET subject = 'else'",
        "UPDATE suspension SET id = 'susp-y'",
        "UPDATE suspension SET set_at = '2020-01-01T00:00:00.000000Z'",
    ],
)
def test_no_change_by_hand_ends_a_suspension(staffed: Town, sql: str) -> None:
    """What was recorded counts as it was recorded; a row that is gone suspends every write."""
    granted_draft(staffed)
    suspend_in(staffed, SuspensionCode.HARMFUL, effect=DRAFT)

    staffed.tamper(sql)

    assert allowed(staffed) == {READ}


def test_outdated_rules_that_were_renamed_by_hand_still_end_by_no_word(staffed: Town) -> None:
    granted_draft(staffed)
    found = suspend_in(staffed, SuspensionCode.OUTDATED) or ""
    staffed.tamper("UPDATE suspension SET code = 'heartbeat'")

    assert isinstance(resume_by(staffed, SVEN, found), Refused)
    signed = staffed.signed(SVEN, matter_to_resume(found, reason="x"))
    insert_statement(staffed, signed, "resume", found)

    assert allowed(staffed) == {READ}


def test_a_suspension_whose_row_is_gone_ends_by_a_signed_word(staffed: Town) -> None:
    granted_draft(staffed)
    found = suspend_in(staffed, SuspensionCode.HARMFUL, effect=Effect.UPDATE) or ""
    staffed.tamper("DELETE FROM suspension")
    assert allowed(staffed) == {READ}

    assert isinstance(resume_by(staffed, ROSA, found), Resumed)

    assert allowed(staffed) == {READ, DRAFT}


@pytest.mark.parametrize("who", [OLGA, DORA, Person("mallory"), Person("sven")], ids=lambda who: who.name)
def test_a_resumption_of_no_worth_inserted_by_hand_is_worth_nothing(staffed: Town, who: Person) -> None:
    granted_draft(staffed)
    found = suspend_in(staffed, SuspensionCode.HEARTBEAT) or ""
    signed = staffed.signed(who, matter_to_resume(found, reason="let me"))

    insert_statement(staffed, signed, "resume", found)

    assert allowed(staffed) == {READ}


def test_the_resumption_of_one_suspension_does_not_end_another(staffed: Town) -> None:
    """F9."""
    first = suspend_in(staffed, SuspensionCode.HEARTBEAT, "a") or ""
    second = suspend_in(staffed, SuspensionCode.HEARTBEAT, "b")
    resume_by(staffed, SVEN, first)

    staffed.tamper("UPDATE statement SET subject = :other WHERE type = 'resume'", other=second)

    assert len(suspensions_of(staffed)) == 2


def test_a_changed_owner_lets_the_owner_resume_nothing(staffed: Town) -> None:
    """The grants name the owner too, and what they name is signed."""
    asked = granted_draft(staffed)
    register(staffed, "olga")
    assert asked.owner == "olga"
    staffed.tamper("UPDATE agent SET owner = 'nobody'")
    found = suspend_in(staffed, SuspensionCode.ALERT_OVERDUE, "alert-1")
    signed = staffed.signed(OLGA, Matter(StatementType.DISPOSITION, "alert-1", DIGEST, {}))

    insert_statement(staffed, signed, "disposition", "alert-1")

    assert [one.id for one in suspensions_of(staffed)] == [found]


@pytest.mark.parametrize(
    "end", ["2026-11-29T09:00:00.000000Z", "2026-11-27T09:00:00.000000Z", "2036-01-01T00:00:00.000000Z"]
)
def test_a_row_whose_end_was_moved_by_hand_permits_nothing(staffed: Town, end: str) -> None:
    """R-81."""
    granted_draft(staffed)
    staffed.tamper("UPDATE effect_grant SET valid_until = :end", end=end)

    assert allowed(staffed) == set()


def test_nor_does_one_that_was_renewed_and_then_moved(staffed: Town) -> None:
    asked = granted_draft(staffed)
    step = Renewal(asked.id, asked.valid_until, asked.valid_until + timedelta(days=7))
    renew_by(staffed, DORA, step)
    assert allowed(staffed) == {READ, DRAFT}

    staffed.tamper(
        "UPDATE effect_grant SET valid_until = '2026-12-06T09:00:00.000000Z' WHERE effect = 'draft'"
    )

    assert allowed(staffed) == {READ}


@pytest.mark.parametrize(
    ("who", "from_days", "until_days", "works"),
    [
        (DORA, 7, 14, True),
        (OLGA, 7, 14, False),  # the owner
        (Person("mallory"), 7, 14, False),
        (DORA, 6, 14, False),  # not where the grant ends
        (DORA, 7, 36, False),  # too far
    ],
)
def test_a_review_inserted_by_hand_moves_an_end_only_if_it_really_does(
    staffed: Town, who: Person, from_days: float, until_days: float, works: bool
) -> None:
    """The row is written by the attacker, the words are not."""
    asked = granted_draft(staffed)
    until = staffed.now + timedelta(days=until_days)
    body = {RENEWS: [Renewal(asked.id, staffed.now + timedelta(days=from_days), until).as_json()]}
    signed = staffed.signed(who, Matter(StatementType.REVIEW, "obl-1", DIGEST, body))  # type: ignore[arg-type]  # lists of JSON are JSON
    insert_statement(staffed, signed, "review", "obl-1")
    staffed.tamper("INSERT INTO grant_cause VALUES (:grant, :id)", grant=asked.id, id=signed.id)
    staffed.tamper(
        "UPDATE effect_grant SET valid_until = :end WHERE id = :id",
        end=until.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        id=asked.id,
    )

    assert (DRAFT in allowed(staffed)) is works


def test_the_review_of_one_grant_does_not_move_another(staffed: Town) -> None:
    """F9: the renewal names the grant."""
    first, second = granted_draft(staffed), granted_draft(staffed, days=6)
    step = Renewal(first.id, first.valid_until, first.valid_until + timedelta(days=7))
    renew_by(staffed, DORA, step)
    staffed.tamper(
        'UPDATE grant_cause SET "grant" = :other WHERE "grant" = :one AND statement IN'
        " (SELECT id FROM statement WHERE type = 'review')",
        other=second.id,
        one=first.id,
    )
    staffed.tamper(
        "UPDATE effect_grant SET valid_until = '2026-12-05T09:00:00.000000Z' WHERE effect = 'draft'"
    )

    assert allowed(staffed) == {READ}


def test_a_grant_falls_with_the_reviewer_who_renewed_it(staffed: Town) -> None:
    """F6, F17: who closed the review is looked up again at every action."""
    asked = granted_draft(staffed)
    renew_by(staffed, DORA, Renewal(asked.id, asked.valid_until, asked.valid_until + timedelta(days=7)))
    staffed.tamper(
        "INSERT INTO key_revocation VALUES (:key, 'x', 'dora', '2026-11-21T09:00:00.000000Z')",
        key=DORA.fingerprint,
    )

    assert allowed(staffed) == {READ}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE effect_grant SET restores = NULL WHERE restores IS NOT NULL",
        "UPDATE effect_grant SET restores = 'grant-x' WHERE restores IS NOT NULL",
        "UPDATE effect_grant SET effect = 'update' WHERE restores IS NOT NULL",
        "UPDATE effect_grant SET basis = 'ee' WHERE restores IS NOT NULL",
        "DELETE FROM statement WHERE type = 'rollback'",
        "DELETE FROM statement WHERE type = 'grant' AND subject IN (SELECT restores FROM effect_grant)",
    ],
)
def test_a_restored_grant_that_was_changed_permits_nothing(staffed: Town, sql: str) -> None:
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.SUPERSEDED)
    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5)), Issued)
    assert allowed(staffed) == {READ, DRAFT}

    staffed.tamper(sql)

    assert allowed(staffed) == {READ}


def test_a_cause_that_was_rewritten_by_hand_restores_nothing(staffed: Town) -> None:
    """The record knows why power was taken away."""
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.NEVER)
    staffed.tamper("UPDATE effect_grant SET revoke_cause = 'superseded' WHERE revoke_cause = 'never'")

    assert isinstance(restore_by(staffed, ROSA, restored(staffed, asked, days=5)), Refused)


def test_a_rollback_is_used_once(staffed: Town) -> None:
    """F9."""
    asked = granted_draft(staffed)
    drop_in(staffed, DemotionCause.SUPERSEDED)
    back = restored(staffed, asked, days=5)
    restore_by(staffed, ROSA, back)
    drop_in(staffed, DemotionCause.SUPERSEDED)

    assert isinstance(restore_by(staffed, ROSA, back), Refused)
    assert allowed(staffed) == {READ}
    assert len(staffed.read(lambda conn: statements_on(conn, back.id))) == 1
