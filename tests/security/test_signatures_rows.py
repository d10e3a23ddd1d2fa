"""Threat: someone who can write to the database gives a deployment power, or ends a stop."""

import pytest

from profiles.effects import Effect
from runtime.freeze import stop
from runtime.freeze_rules import Scope, matter_to_unfreeze
from runtime.grants import Issued, revoke, standing
from runtime.people.quorum import Short, check_quorum
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import Matter, StatementType
from tests.standins.persons import Person, Town, policy_of
from tests.standins.towns import (
    DEPLOYMENT,
    DORA,
    LENA,
    OLGA,
    ROSA,
    SVEN,
    allowed,
    grant,
    hand_in,
    lift,
    order,
    set_freeze,
    staffed,
    stop_of,
    stops,
    town,
)

__all__ = ["staffed", "town"]

OTHER = "d2" * 32
INSERT_GRANT = (
    "INSERT INTO effect_grant (id, deployment, effect, valid_from, valid_until, requester, owner, issued_at)"
    " VALUES ('grant-x', :deployment, :effect, '2020-01-01T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z',"
    " 'bot', 'olga', '2020-01-01T00:00:00.000000Z')"
)
INSERT_FREEZE = (
    "INSERT INTO freeze (id, scope, target, reason, owner, set_at, expires_at, statement)"
    " VALUES ('freeze-x', :scope, 'all', 'x', 'x', '2020-01-01T00:00:00.000000Z', :expires, NULL)"
)


@pytest.mark.parametrize("effect", [*Effect, "root", ""])
def test_a_grant_row_without_a_signed_cause_grants_nothing(staffed: Town, effect: str) -> None:
    staffed.tamper(INSERT_GRANT, deployment=DEPLOYMENT, effect=effect)

    assert allowed(staffed) == set()
    found = staffed.read(
        lambda conn: standing(conn, DEPLOYMENT, now=staffed.now, roster=staffed.state.roster)
    )
    assert [row.fault is not None for row in found] == [True], "it is reported"


def test_a_row_with_the_cause_of_another_grant_grants_nothing(staffed: Town) -> None:
    issued = grant(staffed, order(staffed, Effect.READ), OLGA)
    assert isinstance(issued, Issued)
    staffed.tamper(INSERT_GRANT, deployment=DEPLOYMENT, effect="critical")
    staffed.tamper("INSERT INTO grant_cause VALUES ('grant-x', :id)", id=issued.statements[0])

    assert allowed(staffed) == {Effect.READ}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE effect_grant SET effect = 'critical'",
        "UPDATE effect_grant SET effect = 'draft'",
        "UPDATE effect_grant SET deployment = replace(deployment, 'd1', 'd2')",
        "UPDATE effect_grant SET valid_until = '2030-01-01T00:00:00.000000Z'",
        "UPDATE effect_grant SET valid_from = '2020-01-01T00:00:00.000000Z'",
        "UPDATE effect_grant SET owner = 'nobody'",
        "UPDATE effect_grant SET requester = 'nobody'",
        "UPDATE effect_grant SET id = 'grant-y'",
    ],
)
def test_a_grant_that_differs_from_what_was_signed_grants_nothing(staffed: Town, change: str) -> None:
    grant(staffed, order(staffed, Effect.READ), OLGA)
    assert allowed(staffed) == {Effect.READ}

    staffed.tamper(change)
    if "SET id" in change:
        staffed.tamper("UPDATE grant_cause SET \"grant\" = 'grant-y'")

    assert allowed(staffed) == set()
    assert allowed(staffed, OTHER) == set()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE statement SET signature = 'x' WHERE type = 'grant'",
        "UPDATE statement SET body = CAST(replace(CAST(body AS TEXT), '\"read\"', '\"send\"') AS BLOB)",
        "DELETE FROM statement WHERE type = 'grant'",
        "DELETE FROM grant_cause",
    ],
)
def test_a_grant_whose_cause_was_altered_grants_nothing_at_the_very_next_action(
    staffed: Town, sql: str
) -> None:
    grant(staffed, order(staffed, Effect.READ), OLGA)
    assert allowed(staffed) == {Effect.READ}

    staffed.tamper(sql)

    assert allowed(staffed) == set()


def test_a_second_row_on_the_words_of_a_revoked_grant_grants_nothing(staffed: Town) -> None:
    issued = grant(staffed, order(staffed, Effect.READ), OLGA)
    assert isinstance(issued, Issued)
    staffed.tamper("UPDATE effect_grant SET revoked_at = '2026-11-21T09:00:00.000000Z'")
    staffed.tamper(
        "INSERT INTO effect_grant"
        " (id, deployment, effect, valid_from, valid_until, requester, owner, issued_at)"
        " SELECT 'grant-y', deployment, effect, valid_from, valid_until, requester, owner, issued_at"
        " FROM effect_grant"
    )
    staffed.tamper("INSERT INTO grant_cause VALUES ('grant-y', :id)", id=issued.statements[0])

    assert allowed(staffed) == set()


def test_words_of_different_grants_do_not_add_up_to_one(staffed: Town) -> None:
    """Two persons must sign the same grant, not one each."""
    first, second = order(staffed, Effect.UPDATE), order(staffed, Effect.UPDATE)

    answer = hand_in(
        staffed, first, [staffed.signed(ROSA, first.matter()), staffed.signed(DORA, second.matter())]
    )

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER


def test_a_judgement_is_no_grant(staffed: Town) -> None:
    """Agreeing with a suggestion never executes it, and never grants (R-31)."""
    asked = order(staffed, Effect.READ)
    matter = asked.matter()

    for type_ in StatementType:
        said = staffed.signed(OLGA, Matter(type_, matter.subject, matter.digest, matter.body))
        permitted = type_ in {StatementType.GRANT, StatementType.DEPLOY}
        answer = hand_in(staffed, order(staffed, Effect.READ) if permitted else asked, [said])
        assert isinstance(answer, Refused)


def test_a_second_key_of_the_same_person_is_no_second_signer(town: Town) -> None:
    """F7."""
    token = Person("rosa")
    policy = policy_of(
        OLGA.enrolled("operations", "policy"), ROSA.enrolled("rollout", "domain", "policy", also=[token])
    )
    town.begin(policy, OLGA, ROSA, token)

    assert isinstance(grant(town, order(town, Effect.UPDATE), ROSA, token), Refused)


def test_an_approver_who_is_the_requester_by_another_account_does_not_count(staffed: Town) -> None:
    """F7: `unix:olga` is olga."""
    quorum = staffed.state.head.policy.holds[Effect.READ].model_copy(update={"roles": ("operator",)})

    assert isinstance(check_quorum(quorum, ["olga"], staffed.state.roster, excluded=["unix:olga"]), Short)


@pytest.mark.parametrize("scope", ["all", "galaxy"])
def test_a_freeze_row_inserted_by_hand_stops_all_the_same(staffed: Town, scope: str) -> None:
    """A stop is believed without proof, and one of an unknown scope stops everything."""
    staffed.tamper(INSERT_FREEZE, scope=scope, expires="2020-01-02T00:00:00.000000Z")

    assert [found.id for found in stops(staffed)] == ["freeze-x"], "its unsigned end does not count"
    assert isinstance(lift(staffed, "freeze-x", SVEN), Refused)
    lift(staffed, "freeze-x", OLGA)
    assert stops(staffed) == ()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE freeze SET expires_at = '2020-01-01T00:00:00.000000Z'",
        "UPDATE freeze SET scope = 'agent', target = 'other'",
        "UPDATE freeze SET statement = NULL",
        "UPDATE freeze SET statement = 'x'",
        "DELETE FROM freeze",
        "DELETE FROM statement WHERE type = 'freeze'",
        "INSERT INTO freeze_lift SELECT 'x', id, set_at FROM freeze",
        "INSERT INTO freeze_lift SELECT statement, id, set_at FROM freeze",
    ],
)
def test_no_change_by_hand_ends_a_freeze(staffed: Town, sql: str) -> None:
    set_freeze(staffed, stop_of(Scope.ALL, "all", staffed), LENA)

    staffed.tamper(sql)

    assert stops(staffed)


def test_a_lift_by_someone_who_may_not_is_worth_nothing_when_inserted_by_hand(staffed: Town) -> None:
    asked = stop_of(Scope.ALL, "all", staffed)
    set_freeze(staffed, asked, LENA)
    signed = staffed.signed(SVEN, matter_to_unfreeze(asked.id, reason="let me"))
    staffed.tamper(
        "INSERT INTO statement VALUES (:id, 'n', 'unfreeze', 'sven', 'x', :body, :signature, 'x')",
        id=signed.id,
        body=signed.body,
        signature=signed.signature,
    )
    staffed.tamper("INSERT INTO freeze_lift VALUES (:id, :freeze, 'x')", id=signed.id, freeze=asked.id)

    assert stops(staffed)


def test_the_lift_of_one_freeze_does_not_lift_another(staffed: Town) -> None:
    """F9."""
    first, second = stop_of(Scope.ALL, "all", staffed), stop_of(Scope.ALL, "all", staffed)
    set_freeze(staffed, first, LENA)
    set_freeze(staffed, second, LENA)
    lift(staffed, first.id, OLGA)

    staffed.tamper("UPDATE freeze_lift SET freeze = :other", other=second.id)

    assert {found.id for found in stops(staffed)} == {first.id, second.id}


def test_a_stop_by_handrail_does_not_end_by_a_date_written_by_hand(staffed: Town) -> None:
    asked = stop_of(Scope.ALL, "all", staffed, days=None)
    staffed.write(lambda tx: stop(tx, asked, owner="gate", now=staffed.now))

    staffed.tamper("UPDATE freeze SET expires_at = '2020-01-01T00:00:00.000000Z'")

    assert stops(staffed)


def test_a_revocation_taken_out_of_the_row_still_stands(staffed: Town) -> None:
    """The record knows what was revoked; without that entry the record itself is broken."""
    issued = grant(staffed, order(staffed, Effect.READ), OLGA)
    assert isinstance(issued, Issued)
    staffed.write(
        lambda tx: revoke(tx, DEPLOYMENT, effects=[Effect.READ], cause="t", actor="t", now=staffed.now)
    )

    staffed.tamper("UPDATE effect_grant SET revoked_at = NULL, revoke_cause = NULL")

    assert allowed(staffed) == set()
