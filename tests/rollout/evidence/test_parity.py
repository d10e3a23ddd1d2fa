"""What a promotion asks of context isolation: a proof under each runtime that the deployment's runs had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.setting import Setting
from rollout.evidence.model import Parity
from rollout.gates.evaluate import evaluate
from rollout.gates.model import GateId, Outcome
from runtime.context.proofs import ProofFault
from sandboxes.spec import Runtime
from tests.standins.proving import Proving


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    made = Proving(tmp_path)
    try:
        yield made
    finally:
        made.close()


def parity(ground: Proving) -> dict[str, str | None]:
    """By runtime: why there is no proof that counts."""
    found: tuple[Parity, ...] = ground.evidence().assessment.parity
    return {one.runtime: one.fault for one in found}


def ran(ground: Proving, runtime: str, setting: Setting = Setting.PRODUCTION) -> None:
    """Record a run that was released under a runtime."""
    ground.ran(Runtime(runtime), setting)


def g9(ground: Proving) -> tuple[Outcome, str]:
    evidence = ground.evidence()
    gates = evaluate(evidence, approvals=None, now=evidence.at)
    said = next(one for one in gates if one.gate is GateId.G9)
    return said.outcome, "; ".join((said.there, *said.missing))


def test_without_a_proof_an_assessed_deployment_is_not_promoted(ground: Proving) -> None:
    """Issue 4, item 5: a missing proof blocks promotion, and the gate says what to type."""
    ground.assess_all()
    assert g9(ground)[0] is Outcome.PASS

    ran(ground, "runsc")

    outcome, said = g9(ground)
    assert outcome is Outcome.NO_DATA
    image = ground.deployment.profile.image
    assert f"run `handrail context verify --image {image} --runtime runsc`" in said


def test_a_failed_proof_fails_the_gate_whatever_was_proven_before(ground: Proving) -> None:
    ground.assess_all()
    ground.prove(ok=False, differing=("environment:variable TIER",))

    assert g9(ground)[0] is Outcome.FAIL


def test_a_proof_gets_too_old_by_the_policy(ground: Proving) -> None:
    ground.assess_all()
    ground.town.later(days=31)

    assert parity(ground) == {"runc": ProofFault.STALE.value}
    assert g9(ground)[0] is Outcome.NO_DATA


def test_a_proof_about_other_code_is_none(ground: Proving) -> None:
    ground.prove(code="0" * 16)

    assert parity(ground) == {"runc": ProofFault.OTHER_CODE.value}


def test_a_proof_about_another_image_is_none(ground: Proving) -> None:
    ground.prove(image="sha256:bb")

    assert parity(ground) == {"runc": ProofFault.MISSING.value}


def test_every_runtime_that_runs_had_needs_its_own(ground: Proving) -> None:
    ran(ground, "runsc")
    ground.prove()

    assert parity(ground)["runsc"] == ProofFault.MISSING.value

    ground.prove(runtime="runsc")
    assert set(parity(ground).values()) == {None}


def test_runs_of_evaluations_ask_for_nothing(ground: Proving) -> None:
    """R-43: evidence is taken on production."""
    ran(ground, "runsc", Setting.EVALUATION)

    assert "runsc" not in parity(ground)
