"""A promotion takes a request, frozen evidence, enough signatures, and every gate when it is applied."""

from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from rollout.gates.model import GateId
from rollout.promotions import rows
from rollout.promotions.applying import Applied, Over, Standing
from rollout.promotions.asking import REQUEST_LIFE
from rollout.promotions.demoting import Demoted
from rollout.promotions.frozen import Frozen, thaw
from rollout.promotions.states import PromotionState
from rollout.promotions.voting import Voted
from runtime.people.roster import RefusalCode, Refused
from runtime.record.events import EventKind
from tests.standins.deployed import deployed
from tests.standins.persons import Person
from tests.standins.promoting import AGENT, Stage, failing
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, grant, order

READ, DRAFT, _, SEND, CRITICAL = Effect


def test_a_request_with_good_evidence_and_enough_signatures_is_applied(stage: Stage) -> None:
    """R-91: a rollout manager promotes on evidence."""
    frozen = stage.approved()

    applied = stage.apply(frozen)

    assert isinstance(applied, Applied)
    assert applied.signers == ("rosa",)
    assert stage.allowed == {READ, DRAFT}
    assert stage.state(frozen) == PromotionState.APPLIED


def test_a_request_alone_grants_nothing_and_neither_does_an_approval(stage: Stage) -> None:
    frozen = stage.asked()
    assert stage.state(frozen) == PromotionState.EVIDENCE_FROZEN
    assert isinstance(stage.apply(frozen), Standing)

    stage.approve(frozen)

    assert stage.state(frozen) == PromotionState.AWAITING
    assert stage.allowed == {READ}


def test_what_is_frozen_has_one_spelling_and_everything_that_was_looked_at(stage: Stage) -> None:
    frozen = stage.asked()

    assert thaw(frozen.to_bytes()) == frozen
    at, effect = frozen.valid_from, frozen.effect
    seen = stage.town.read(lambda conn: stage.eyes.collect(conn, stage.deployment, effect, now=at))
    assert frozen.evidence == seen.as_json()
    assert {gate["gate"] for gate in frozen.gates if isinstance(gate, dict)} == set(GateId)
    assert frozen.order.basis == frozen.basis


def test_a_grant_ends_soon_after_the_next_review_was_due(stage: Stage) -> None:
    """Lease = min(next review due + 48 h, 35 d)."""
    frozen = stage.asked()

    assert frozen.valid_until == stage.eyes.due + timedelta(hours=48)


def test_a_grant_lasts_at_most_35_days(stage: Stage) -> None:
    """R-81."""
    stage.eyes.next_review = timedelta(days=80)
    frozen = stage.asked()

    assert frozen.valid_until - frozen.valid_from == timedelta(days=35)


@pytest.mark.parametrize(
    ("who", "effect", "said"),
    [
        (DORA, DRAFT, "takes one of the roles"),
        (OLGA, READ, "takes no promotion"),
        (OLGA, CRITICAL, "nothing of the class critical"),
    ],
)
def test_what_cannot_be_asked_for(stage: Stage, who: Person, effect: Effect, said: str) -> None:
    refused = stage.ask(who, effect)

    assert isinstance(refused, Refused)
    assert said in refused.detail
    assert stage.town.count("promotion") == 0


def test_what_is_granted_already_cannot_be_asked_for(stage: Stage) -> None:
    stage.apply(stage.approved())
    stage.town.later(hours=1)

    refused = stage.ask()

    assert isinstance(refused, Refused)
    assert "granted to bot already" in refused.detail


def test_without_a_review_to_come_nothing_can_be_asked_for(stage: Stage) -> None:
    """R-85: a grant ends after a review, so there must be one."""
    stage.eyes.unplanned = True

    refused = stage.ask()

    assert isinstance(refused, Refused)
    assert "no review" in refused.detail


def test_there_is_one_open_request_for_a_class(stage: Stage) -> None:
    stage.asked()

    refused = stage.ask(ROSA)

    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.USED


def test_a_request_for_a_higher_class_waits_for_the_lower_one(stage: Stage) -> None:
    """R-33."""
    frozen = stage.asked(effect=SEND)
    stage.approve(frozen, DORA)
    stage.approve(frozen, SVEN)

    assert failing(stage.apply(frozen)) == {GateId.G13}
    assert stage.allowed == {READ}


def test_one_no_ends_a_request_also_of_who_said_yes(stage: Stage) -> None:
    frozen = stage.approved()

    voted = stage.reject(frozen, ROSA)

    assert isinstance(voted, Voted)
    assert voted.state is PromotionState.REJECTED
    assert isinstance(stage.apply(frozen), Over)
    assert stage.allowed == {READ}
    assert isinstance(stage.ask(), Frozen), "the way is free for a new one"


@pytest.mark.parametrize(
    ("who", "taken"), [(OLGA, False), (LENA, False), (SVEN, True), (ROSA, True), (DORA, False)]
)
def test_who_may_say_no(stage: Stage, who: Person, taken: bool) -> None:
    assert isinstance(stage.reject(stage.asked(), who), Voted) is taken


@pytest.mark.parametrize(("who", "taken"), [(OLGA, True), (ROSA, True), (SVEN, False), (DORA, False)])
def test_who_may_withdraw(stage: Stage, who: Person, taken: bool) -> None:
    frozen = stage.approved()

    assert isinstance(stage.withdraw(frozen, who), Voted) is taken
    assert isinstance(stage.apply(frozen), Over if taken else Applied)


def test_a_request_ends_by_itself(stage: Stage) -> None:
    frozen = stage.approved()
    stage.eyes.next_review = timedelta(days=30)
    stage.town.now = frozen.expires_at

    assert isinstance(stage.approve(frozen, ROSA), Refused)
    over = stage.apply(frozen)

    assert isinstance(over, Over)
    assert over.state is PromotionState.EXPIRED
    assert stage.state(frozen) == PromotionState.EXPIRED


def test_a_request_lives_for_a_week_but_never_longer_than_its_grant(stage: Stage) -> None:
    stage.eyes.next_review = timedelta(days=20)
    assert stage.asked().expires_at == stage.town.now - timedelta(minutes=1) + REQUEST_LIFE
    stage.eyes.next_review = timedelta(days=1)
    short = stage.asked(effect=SEND)
    assert short.expires_at == short.valid_until


def test_the_clock_ends_what_expired_and_what_was_overtaken(stage: Stage) -> None:
    stage.eyes.next_review = timedelta(days=20)
    draft = stage.asked()
    stage.town.later(days=3)
    send = stage.asked(effect=SEND)
    assert stage.sweep() == ()

    stage.town.now = draft.expires_at
    assert stage.sweep() == (draft.promotion,)
    deployed(stage.town, AGENT, profile="action-executor", image="sha256:bb")
    assert stage.sweep() == (send.promotion,)

    assert (stage.state(draft), stage.state(send)) == (PromotionState.EXPIRED, PromotionState.STALE)
    assert stage.sweep() == ()


def test_a_person_demotes_and_it_holds_at_once(stage: Stage) -> None:
    stage.apply(stage.approved())
    stage.town.later(hours=1)

    demoted = stage.demote(SVEN)

    assert isinstance(demoted, Demoted)
    assert len(demoted.revoked) == 1
    assert stage.allowed == {READ}
    assert EventKind.DEPLOYMENT_DEMOTED in stage.town.kinds()


def test_a_demotion_to_a_tier_leaves_the_classes_up_to_it(stage: Stage) -> None:
    stage.apply(stage.approved())
    for effect, who in ((SEND, (DORA, SVEN)),):
        grant(stage.town, order(stage.town, effect, deployment=stage.deployment), *who)
    assert stage.allowed == {READ, DRAFT, SEND}

    stage.demote(OLGA, Tier.UPDATE)

    assert stage.allowed == {READ, DRAFT}


@pytest.mark.parametrize(
    ("who", "may"), [(OLGA, True), (ROSA, True), (SVEN, True), (LENA, False), (DORA, False)]
)
def test_who_may_demote(stage: Stage, who: Person, may: bool) -> None:
    stage.apply(stage.approved())

    assert isinstance(stage.demote(who), Demoted) is may
    assert stage.allowed == ({READ} if may else {READ, DRAFT})


def test_every_step_stands_in_the_record(stage: Stage) -> None:
    """R-10."""
    stage.apply(stage.approved())

    kinds = [kind for kind in stage.town.kinds() if kind.startswith(("promotion.", "grant."))]
    assert kinds == [
        "grant.issued",
        "promotion.requested",
        "promotion.voted",
        "grant.issued",
        "promotion.applied",
    ]


def test_a_list_shows_open_requests_and_with_past_all(stage: Stage) -> None:
    first = stage.approved()
    stage.apply(first)
    second = stage.asked(effect=SEND)

    def ids(*, past: bool) -> list[str]:
        found, faults = stage.town.read(lambda conn: rows.listed(conn, past=past))
        assert faults == []
        return [one.frozen.promotion for one in found]

    assert ids(past=False) == [second.promotion]
    assert ids(past=True) == [first.promotion, second.promotion]
