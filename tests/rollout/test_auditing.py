"""The record verifies itself, and a wrong one stops everything."""

from collections.abc import Callable
from datetime import timedelta

from profiles.effects import Effect
from rollout.auditing import AuditWatch, stop_all
from rollout.evidence.model import AuditState
from runtime.clock import new_id
from runtime.freeze import unfreeze
from runtime.freeze_rules import matter_to_unfreeze
from runtime.grants import Issued
from runtime.record.findings import VerifyReport
from runtime.record.verify import verify_state
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Town
from tests.standins.towns import OLGA, ROSA, allowed, grant, order, staffed, stops, town

__all__ = ["staffed", "town"]


class Counted:
    """Verifies for real, and counts how often."""

    def __init__(self, verify: Callable[[], VerifyReport]) -> None:
        self.times = 0
        self._verify = verify

    def __call__(self) -> VerifyReport:
        self.times += 1
        return self._verify()


def look(town: Town) -> AuditState:
    town.ledger.checkpoint()
    return AuditWatch(lambda: verify_state(town.settings)).state(town.now)


def stop(town: Town, state: AuditState) -> int:
    policy = town.state.roster.policy
    return len(town.write(lambda tx: stop_all(tx, state, policy=policy, new_id=new_id)))


def drafting(town: Town) -> str:
    digest = deployed(town)
    asked = order(town, Effect.DRAFT, deployment=digest, owner=OWNER)
    assert isinstance(grant(town, asked, ROSA), Issued)
    return digest


def test_a_sound_record_stops_nothing(staffed: Town) -> None:
    """G10."""
    drafting(staffed)
    state = look(staffed)

    assert state.faults == ()
    assert state.anchored == state.size > 0
    assert stop(staffed, state) == 0
    assert stops(staffed) == ()


def test_a_changed_record_freezes_all_and_takes_every_write_once(staffed: Town) -> None:
    """REQUIREMENTS section 2, demotion: audit verify failure."""
    deployment = drafting(staffed)
    staffed.tamper("UPDATE log_entry SET actor = 'somebody' WHERE kind = 'agent.registered'")
    state = look(staffed)

    assert any("actor" in fault for fault in state.faults)
    assert stop(staffed, state) == 1
    assert stop(staffed, state) == 0
    assert allowed(staffed, deployment) == {Effect.READ}
    (found,) = stops(staffed)
    assert "the record is wrong" in found.reason


def test_a_stop_that_was_lifted_comes_again_while_the_record_is_wrong(staffed: Town) -> None:
    staffed.tamper("UPDATE log_entry SET actor = 'somebody' WHERE kind = 'log.opened'")
    state = look(staffed)
    stop(staffed, state)
    (first,) = stops(staffed)
    signed = staffed.signed(OLGA, matter_to_unfreeze(first.id, reason="looked"))
    staffed.write(lambda tx: unfreeze(tx, signed, roster=staffed.state.roster, now=staffed.now))
    assert stops(staffed) == ()

    stop(staffed, state)
    assert len(stops(staffed)) == 1


def test_what_was_verified_is_remembered_for_a_while_and_never_for_a_clock_that_went_back(
    staffed: Town,
) -> None:
    """F2."""
    verify = Counted(lambda: verify_state(staffed.settings))
    watch = AuditWatch(verify)
    for moment in (0, 14, 16, 15):
        watch.state(staffed.now + timedelta(minutes=moment))

    assert verify.times == 3
