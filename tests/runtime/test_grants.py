"""A grant permits what enough persons signed, for as long as they signed it, and nothing else."""

from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from runtime.grant_rules import MAXIMUM_LIFE, effective_tier
from runtime.grants import Issued, revoke, standing
from runtime.people.revocation import matter_to_revoke, revoke_keys
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import StatementType
from runtime.record.events import EventKind
from runtime.tables.log import REVOCATION
from tests.standins.databases import RULE_BROKEN
from tests.standins.persons import Person, Town
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
    order,
    staffed,
    town,
)

__all__ = ["staffed", "town"]

READ, DRAFT, UPDATE, SEND, CRITICAL = Effect
ENOUGH = {
    READ: (OLGA,),
    DRAFT: (ROSA,),
    UPDATE: (ROSA, DORA),
    SEND: (DORA, SVEN),
    CRITICAL: (ROSA, SVEN, LENA),
}


def test_nothing_is_granted_to_begin_with(staffed: Town) -> None:
    assert allowed(staffed) == set()


@pytest.mark.parametrize("effect", Effect)
def test_the_persons_whom_the_policy_names_can_grant(staffed: Town, effect: Effect) -> None:
    answer = grant(staffed, order(staffed, effect), *ENOUGH[effect])

    assert isinstance(answer, Issued)
    assert allowed(staffed) == {effect}


@pytest.mark.parametrize(
    ("effect", "signers"),
    [
        (READ, ()),
        (READ, (ROSA,)),
        (DRAFT, (OLGA,)),
        (UPDATE, (ROSA,)),
        (UPDATE, (ROSA, ROSA)),
        (UPDATE, (ROSA, OLGA)),
        (SEND, (DORA, ROSA)),
        (SEND, (SVEN,)),
        (CRITICAL, (ROSA, SVEN)),
        (CRITICAL, (SVEN, LENA)),
    ],
)
def test_fewer_or_other_persons_grant_nothing(
    staffed: Town, effect: Effect, signers: tuple[Person, ...]
) -> None:
    answer = grant(staffed, order(staffed, effect), *signers)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_PERMITTED
    assert allowed(staffed) == set()
    assert staffed.count("effect_grant") == 0


@pytest.mark.parametrize("role", ["requester", "owner"])
def test_the_requester_and_the_owner_never_count(staffed: Town, role: str) -> None:
    """F7: nobody promotes what they asked for or own."""
    asked = order(staffed, DRAFT, requester="bot", owner="olga")
    own = order(staffed, DRAFT, **{"requester": "bot", "owner": "olga", role: "rosa"})

    assert isinstance(grant(staffed, own, ROSA), Refused)
    assert isinstance(grant(staffed, asked, ROSA), Issued)


def test_deploy_create_signed_by_an_operator_grants_reading_only(staffed: Town) -> None:
    reading = order(staffed, READ, owner="olga", requester="olga")
    drafting = order(staffed, DRAFT)

    assert isinstance(grant(staffed, reading, OLGA, type_=StatementType.DEPLOY), Issued)
    assert isinstance(grant(staffed, drafting, ROSA, type_=StatementType.DEPLOY), Refused)
    assert allowed(staffed) == {READ}


def test_a_grant_is_for_one_deployment(staffed: Town) -> None:
    """R-40: a new deployment has nothing."""
    grant(staffed, order(staffed, READ), OLGA)

    assert allowed(staffed, "d2" * 32) == set()


def test_a_grant_ends_by_itself(staffed: Town) -> None:
    """R-81: no permanent privilege."""
    grant(staffed, order(staffed, READ, days=7), OLGA)

    staffed.later(days=7, seconds=-1)
    assert allowed(staffed) == {READ}
    staffed.later(seconds=1)
    assert allowed(staffed) == set()


@pytest.mark.parametrize("days", [0, -1, MAXIMUM_LIFE.days + 1])
def test_a_grant_without_a_near_end_is_refused(staffed: Town, days: float) -> None:
    """R-81."""
    answer = grant(staffed, order(staffed, READ, days=days), OLGA)

    assert isinstance(answer, Refused)


def test_the_database_itself_refuses_a_grant_that_does_not_end(staffed: Town) -> None:
    """R-81: every grant row has an expiry (CHECK)."""
    grant(staffed, order(staffed, READ), OLGA)

    with pytest.raises(RULE_BROKEN):
        staffed.tamper("UPDATE effect_grant SET valid_until = NULL")
    with pytest.raises(RULE_BROKEN):
        staffed.tamper("UPDATE effect_grant SET valid_until = valid_from")


def test_a_revoked_grant_permits_nothing_from_the_next_action_on(staffed: Town) -> None:
    grant(staffed, order(staffed, READ), OLGA)
    grant(staffed, order(staffed, DRAFT), ROSA)

    ended = staffed.write(
        lambda tx: revoke(tx, DEPLOYMENT, effects=[DRAFT], cause="alert-1", actor="gate", now=staffed.now)
    )

    assert len(ended) == 1
    assert allowed(staffed) == {READ}


def test_a_revoked_grant_does_not_come_back_by_the_same_words(staffed: Town) -> None:
    """F9: a signed word is used once."""
    asked = order(staffed, READ)
    signed = [staffed.signed(OLGA, asked.matter())]
    first = hand_in(staffed, asked, signed)
    staffed.write(lambda tx: revoke(tx, DEPLOYMENT, effects=[READ], cause="x", actor="gate", now=staffed.now))

    assert isinstance(first, Issued)
    again = hand_in(staffed, asked, signed)
    renewed = grant(staffed, asked, OLGA)

    assert [isinstance(answer, Refused) and answer.code for answer in (again, renewed)] == [
        RefusalCode.USED
    ] * 2
    assert allowed(staffed) == set()


def test_a_grant_falls_with_the_key_of_its_signer(staffed: Town) -> None:
    """F6: who signed is looked up again at every action."""
    grant(staffed, order(staffed, READ), OLGA)
    signed = staffed.signed(ROSA, matter_to_revoke(staffed.state, "olga", reason="stolen"))

    staffed.write(lambda tx: revoke_keys(tx, staffed.book.current(tx.conn), signed, now=staffed.now))

    assert allowed(staffed) == set()
    faults = staffed.read(
        lambda conn: standing(conn, DEPLOYMENT, now=staffed.now, roster=staffed.state.roster)
    )
    assert [found.fault is not None for found in faults] == [True]


def test_a_clock_that_steps_back_revives_nothing_when_the_high_water_mark_is_given(staffed: Town) -> None:
    """F2: the caller passes the later of the clock and the record's mark."""
    grant(staffed, order(staffed, READ, days=7), OLGA)
    mark = staffed.later(days=8)
    staffed.now -= timedelta(days=5)
    staffed.now = max(staffed.now, mark)

    assert allowed(staffed) == set()


def test_a_grant_does_not_begin_before_its_time(staffed: Town) -> None:
    asked = order(staffed, READ)
    grant(staffed, asked, OLGA)
    staffed.now -= timedelta(seconds=1)

    assert allowed(staffed) == set()


def test_every_grant_and_its_end_stand_in_the_record(staffed: Town) -> None:
    """R-10."""
    grant(staffed, order(staffed, READ), OLGA)
    staffed.write(lambda tx: revoke(tx, DEPLOYMENT, effects=[READ], cause="x", actor="gate", now=staffed.now))

    assert staffed.kinds()[-3:] == ["statement.made", "grant.issued", "grant.revoked"]


@pytest.mark.parametrize(
    ("effects", "used", "tier"),
    [
        ([], [READ], None),
        ([DRAFT, UPDATE], [READ, DRAFT], None),
        ([READ], [READ, DRAFT], Tier.OBSERVE),
        ([READ, DRAFT], [READ, DRAFT, UPDATE], Tier.DRAFT),
        ([READ, UPDATE], [READ, DRAFT, UPDATE], Tier.OBSERVE),
        ([READ, UPDATE], [READ, UPDATE], Tier.UPDATE),
        ([READ, DRAFT, UPDATE, SEND], list(Effect), Tier.EXTERNAL),
        (list(Effect), list(Effect), Tier.CRITICAL),
        ([READ, CRITICAL], [READ, CRITICAL], Tier.CRITICAL),
        ([READ, CRITICAL], [READ, SEND, CRITICAL], Tier.OBSERVE),
    ],
)
def test_the_tier_is_the_highest_class_with_every_lower_class_in_use(
    effects: list[Effect], used: list[Effect], tier: Tier | None
) -> None:
    """R-33: no higher class while a lower one that the profile uses is missing."""
    assert effective_tier(effects, used) == tier


def test_the_literal_in_the_query_is_the_kind_that_is_recorded() -> None:
    assert str(REVOCATION) == f"'{EventKind.GRANT_REVOKED.value}'"
