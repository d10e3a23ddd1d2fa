"""A suspension takes writes away until signed words end it; reading stays."""

import pytest

from profiles.effects import Effect
from profiles.policy import Role
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import StatementType
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import Resumed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.power import granted_draft, register, resume_by, say, suspend_in, suspensions_of
from tests.standins.towns import (
    DEPLOYMENT,
    DORA,
    EVERYONE,
    LENA,
    OLGA,
    ROSA,
    SVEN,
    allowed,
    grant,
    order,
    staffed,
    town,
)

__all__ = ["staffed", "town"]

READ, DRAFT = Effect.READ, Effect.DRAFT
CODES = tuple(SuspensionCode)
CLOSING = [
    (SuspensionCode.REVIEW_OVERDUE, StatementType.REVIEW, {"rosa", "dora", "sven"}),
    (SuspensionCode.ALERT_OVERDUE, StatementType.DISPOSITION, {"olga", "dora", "sven"}),
    (SuspensionCode.UNEXPLAINED, StatementType.INCIDENT, {"lena"}),
]


@pytest.mark.parametrize("code", CODES)
def test_writes_are_gone_at_once_and_reading_stays(staffed: Town, code: SuspensionCode) -> None:
    granted_draft(staffed)
    assert allowed(staffed) == {READ, DRAFT}

    suspend_in(staffed, code)

    assert allowed(staffed) == {READ}
    assert [one.code for one in suspensions_of(staffed)] == [code]


def test_a_suspension_of_one_class_leaves_the_others(staffed: Town) -> None:
    granted_draft(staffed)
    grant(staffed, order(staffed, Effect.UPDATE), ROSA, DORA)

    suspend_in(staffed, SuspensionCode.HARMFUL, effect=Effect.UPDATE)

    assert allowed(staffed) == {READ, DRAFT}


def test_reading_cannot_be_suspended(staffed: Town) -> None:
    granted_draft(staffed)

    suspend_in(staffed, SuspensionCode.HARMFUL, effect=READ)

    assert allowed(staffed) == {READ, DRAFT}


def test_a_suspension_of_everything_reaches_every_deployment(staffed: Town) -> None:
    granted_draft(staffed)

    suspend_in(staffed, SuspensionCode.CLOCK, deployment=EVERYTHING)

    assert allowed(staffed) == {READ}
    assert suspensions_of(staffed, "d2" * 32)


def test_a_suspension_of_another_deployment_takes_nothing(staffed: Town) -> None:
    granted_draft(staffed)

    suspend_in(staffed, SuspensionCode.HARMFUL, deployment="d2" * 32)

    assert allowed(staffed) == {READ, DRAFT}


def test_the_same_cause_suspends_once_and_another_one_again(staffed: Town) -> None:
    first = suspend_in(staffed, SuspensionCode.REVIEW_OVERDUE, "obl-1")

    assert first is not None
    assert suspend_in(staffed, SuspensionCode.REVIEW_OVERDUE, "obl-1") is None
    assert suspend_in(staffed, SuspensionCode.REVIEW_OVERDUE, "obl-2") is not None
    assert suspend_in(staffed, SuspensionCode.REVIEW_OVERDUE, "obl-1", effect=DRAFT) is not None
    assert staffed.kinds().count("writes.suspended") == 3


def test_a_cause_that_lasts_suspends_again_after_it_was_resumed(staffed: Town) -> None:
    first = suspend_in(staffed, SuspensionCode.HEARTBEAT) or ""
    resume_by(staffed, SVEN, first)
    staffed.later(seconds=1)

    second = suspend_in(staffed, SuspensionCode.HEARTBEAT)

    assert second not in {None, first}
    assert [one.id for one in suspensions_of(staffed)] == [second]


@pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.name)
def test_a_rollout_manager_or_security_resumes(staffed: Town, person: Person) -> None:
    granted_draft(staffed)
    found = suspend_in(staffed, SuspensionCode.HEARTBEAT) or ""

    answer = resume_by(staffed, person, found)

    if person in (ROSA, SVEN):
        assert answer == Resumed(found, DEPLOYMENT, person.name)
        assert allowed(staffed) == {READ, DRAFT}
        assert staffed.kinds()[-2:] == ["statement.made", "writes.resumed"]
    else:
        assert isinstance(answer, Refused)
        assert allowed(staffed) == {READ}


def test_the_agents_owner_resumes_nothing_whatever_their_role(staffed: Town) -> None:
    register(staffed, "rosa")
    found = suspend_in(staffed, SuspensionCode.HEARTBEAT) or ""

    assert isinstance(resume_by(staffed, ROSA, found), Refused)
    assert isinstance(resume_by(staffed, SVEN, found), Resumed)


def test_resuming_one_leaves_the_others(staffed: Town) -> None:
    granted_draft(staffed)
    first = suspend_in(staffed, SuspensionCode.HEARTBEAT, "a") or ""
    second = suspend_in(staffed, SuspensionCode.HEARTBEAT, "b")

    resume_by(staffed, ROSA, first)

    assert [one.id for one in suspensions_of(staffed)] == [second]
    assert allowed(staffed) == {READ}


def test_there_must_be_a_suspension_to_resume(staffed: Town) -> None:
    answer = resume_by(staffed, ROSA, "susp-none")

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER


def test_outdated_rules_end_by_no_word_at_all(staffed: Town) -> None:
    """R-38: never run on outdated rules; a new deployment is the way."""
    granted_draft(staffed)
    found = suspend_in(staffed, SuspensionCode.OUTDATED, "said-1") or ""

    assert isinstance(resume_by(staffed, ROSA, found), Refused)
    say(staffed, ROSA, StatementType.RESUME, found, suspension=found, reason="x")
    for type_ in StatementType:
        say(staffed, SVEN, type_, "said-1")

    assert allowed(staffed) == {READ}


@pytest.mark.parametrize(("code", "type_", "who"), CLOSING)
def test_what_dealt_with_the_cause_ends_it_from_those_who_may(
    staffed: Town, code: SuspensionCode, type_: StatementType, who: set[str]
) -> None:
    for person in EVERYONE:
        suspend_in(staffed, code, f"cause-{person.name}")
        say(staffed, person, type_, f"cause-{person.name}")

    left = {one.subject.removeprefix("cause-") for one in suspensions_of(staffed)}

    assert left == {person.name for person in EVERYONE} - who


@pytest.mark.parametrize(("code", "type_", "who"), CLOSING)
def test_neither_the_owners_word_nor_another_type_nor_another_cause_ends_it(
    staffed: Town, code: SuspensionCode, type_: StatementType, who: set[str]
) -> None:
    owner = min(who)
    by_name = {person.name: person for person in EVERYONE}
    register(staffed, owner)
    suspend_in(staffed, code, "cause-1")

    say(staffed, by_name[owner], type_, "cause-1")
    for other in set(StatementType) - {type_}:
        for person in EVERYONE:
            say(staffed, person, other, "cause-1")
    for person in EVERYONE:
        say(staffed, person, type_, "cause-2")

    assert len(suspensions_of(staffed)) == 1


@pytest.fixture
def reviewed(town: Town) -> Town:
    """Four who may judge: dora, sven, rita and ralf; olga operates."""
    people = [
        OLGA.enrolled("operations", "policy"),
        ROSA.enrolled("rollout", "policy"),
        DORA.enrolled("domain"),
        SVEN.enrolled("security"),
        RITA.enrolled(roles=[Role.REVIEWER]),
        LENA.enrolled("leadership"),
    ]
    town.begin(policy_of(*people), OLGA, ROSA, DORA, SVEN, RITA, LENA)
    return town


RITA = Person("rita")


def judge(town: Town, who: Person, verdict: str) -> None:
    say(town, who, StatementType.JUDGEMENT, "sug-1", verdict=verdict, reason="r")


@pytest.mark.parametrize(
    ("said", "hours", "ends"),
    [
        ([], 0, False),
        ([(DORA, "agree")], 1, True),
        ([(DORA, "disagree")], 23, True),
        ([(DORA, "unclear")], 24, True),
        ([(DORA, "agree")], 25, False),
        ([(RITA, "agree")], 1, False),
        ([(ROSA, "agree")], 1, False),
        ([(DORA, "harmful")], 1, False),
        ([(DORA, "harmful"), (SVEN, "agree")], 1, False),
    ],
)
def test_harmful_ends_by_another_reviewers_other_verdict_in_time(
    reviewed: Town, said: list[tuple[Person, str]], hours: float, ends: bool
) -> None:
    """R-44: a second reviewer confirms within 24 h; unconfirmed, and confirmed, it stays harmful."""
    judge(reviewed, RITA, "harmful")
    suspend_in(reviewed, SuspensionCode.HARMFUL, "sug-1", effect=DRAFT)
    reviewed.later(hours=hours)

    for person, verdict in said:
        judge(reviewed, person, verdict)

    assert (suspensions_of(reviewed) == ()) is ends


def test_a_verdict_from_before_contradicts_nothing(reviewed: Town) -> None:
    judge(reviewed, DORA, "agree")
    reviewed.later(hours=1)
    judge(reviewed, RITA, "harmful")
    suspend_in(reviewed, SuspensionCode.HARMFUL, "sug-1", effect=DRAFT)

    assert suspensions_of(reviewed)
