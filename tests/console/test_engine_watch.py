"""A proof is held against the engine as it is when power is asked for, not as it was when serve started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.engine import SILENT, EngineWatch, assessors
from profiles.effects import Effect
from rollout.evidence.model import AuditState
from runtime.context.proofs import ProofFault
from sandboxes.errors import EngineUnavailableError
from tests.standins.proving import Proving


class Engine:
    """An engine that is upgraded, and stopped, while somebody watches."""

    version: str | None = "20.10 on 6.1"

    def ask(self) -> str:
        """Say its version, while it runs."""
        if self.version is None:
            raise EngineUnavailableError("no answer from the engine")
        return self.version


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    made = Proving(tmp_path)
    yield made
    made.close()


def test_an_engine_that_is_upgraded_under_serve_no_longer_matches_its_proof(ground: Proving) -> None:
    """R-43: each request asks; one that does not answer matches nothing."""
    engine = Engine()
    watch = EngineWatch(engine.ask)
    assess, town = assessors(watch), ground.town
    ground.prove(engine="20.10 on 6.1")

    def found() -> tuple[str | None, str]:
        eyes = assess(town.book, lambda now: AuditState(100, 100, (), now))
        seen = town.read(lambda conn: eyes.collect(conn, ground.digest, Effect.DRAFT, now=town.now))
        return seen.assessment.parity[0].fault, seen.assessment.parity[0].detail

    assert found()[0] is None
    engine.version = "24.0 on 6.1"
    fault, said = found()
    assert fault == ProofFault.OTHER_ENGINE.value
    assert said.endswith("another engine or kernel, 20.10 on 6.1; here is 24.0 on 6.1")
    engine.version = None
    fault, said = found()
    assert fault == ProofFault.OTHER_ENGINE.value
    assert SILENT in said
    engine.version = "20.10 on 6.1"
    assert found()[0] is None


def test_who_may_not_ask_is_told_what_was_found_last() -> None:
    engine = Engine()
    watch = EngineWatch(engine.ask)

    assert watch.last() == SILENT
    assert watch.now() == watch.last() == "20.10 on 6.1"
    engine.version = "24.0 on 6.1"
    assert watch.last() == "20.10 on 6.1"
