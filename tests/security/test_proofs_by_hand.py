"""Threat: rows or a moved clock make a proof count that is none, or evaluations as production (R-43)."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from profiles.setting import Setting
from rollout.activity import active_days, scan_activity
from rollout.evidence.piles import waiting
from runtime.context.proofs import ProofFault
from runtime.gate.suggestions import SuggestionError
from runtime.record.verify import verify_state
from sandboxes.spec import Runtime
from tests.standins.evidence import Desk
from tests.standins.persons import START
from tests.standins.proving import Proving
from tests.standins.settings import evaluating
from tests.standins.towns import DORA
from tests.standins.workshop import make_workshop


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    made = Proving(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    shop = make_workshop(tmp_path)
    yield Desk(shop)
    shop.town.close()


def parity(ground: Proving) -> dict[str, str | None]:
    return {one.runtime: one.fault for one in ground.evidence().assessment.parity}


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE run SET runtime = 'runc'",
        "UPDATE run SET setting = 'evaluation'",
        "UPDATE run SET released_at = NULL",
        "UPDATE run SET deployment = 'other'",
        "DELETE FROM run",
    ],
)
def test_no_row_takes_away_the_walls_that_must_be_proven(ground: Proving, attack: str) -> None:
    """R-43: the record says under which runtime a deployment ran."""
    ground.prove()
    ground.ran(Runtime.RUNSC)
    assert parity(ground) == {"runc": None, "runsc": ProofFault.MISSING.value}
    ground.town.tamper(attack)
    assert parity(ground) == {"runc": None, "runsc": ProofFault.MISSING.value}


@pytest.mark.parametrize("setting", Setting)
def test_only_runs_of_production_say_which_walls(ground: Proving, setting: Setting) -> None:
    ground.ran(Runtime.RUNSC, setting)
    also = {"runsc"} if setting is Setting.PRODUCTION else set()
    assert set(parity(ground)) == {"runc", *also}


def test_a_proof_written_as_a_row_is_none(ground: Proving) -> None:
    """Issue 4, item 5: the record's entry is the proof."""
    ground.prove(ok=False, differing=("names:hostname",))
    ground.town.tamper("UPDATE context_proof SET ok = 1")
    ground.town.tamper(
        "INSERT INTO context_proof (id, image, runtime, ok, log_seq, proved_at) "
        "SELECT 'proof-2', image, runtime, 1, log_seq, proved_at FROM context_proof"
    )
    assert parity(ground) == {"runc": ProofFault.FAILED.value}


@pytest.mark.parametrize(
    "looked", [{"facts": 149}, {"facts": 0}, {"statuses": ("setting", "tier")}, {"statuses": ()}]
)
def test_a_proof_that_hardly_looked_counts_nothing(ground: Proving, looked: dict[str, object]) -> None:
    """Issue 4, item 5: an image could answer the probe itself, with a few constants."""
    ground.prove(**looked)
    assert parity(ground) == {"runc": ProofFault.INCOMPLETE.value}


def test_a_proof_of_a_day_to_come_counts_nothing(ground: Proving) -> None:
    """F14: a clock that was ahead once would make it count for ever."""
    now = ground.town.now
    ground.town.later(days=400)
    ground.prove()
    ground.town.now = now
    assert parity(ground) == {"runc": ProofFault.STALE.value}


def test_a_failure_after_a_success_stays(ground: Proving) -> None:
    """A row that says otherwise, or another runtime's success, is no help."""
    ground.prove()
    ground.prove(ok=False)
    ground.prove(runtime="runsc")
    assert parity(ground) == {"runc": ProofFault.FAILED.value}


def test_a_row_that_names_an_evaluations_entry_makes_no_day_active(desk: Desk) -> None:
    """R-43, F14: the day is proven by an entry of production, or not at all."""
    asyncio.run(evaluating(desk.shop).act("list_folders"))
    scan_activity(desk.town.ledger)
    query = text("SELECT max(seq) FROM log_entry WHERE kind = 'action.intent'")
    proof = desk.town.read(lambda conn: conn.execute(query).scalar_one())
    digest, now = desk.shop.run.deployment, desk.town.now
    desk.town.tamper(
        "INSERT INTO activity_day (deployment, day, intents, denied, held, suggested, proof) "
        "VALUES (:d, :day, 5000, 0, 0, 0, :proof)",
        d=digest,
        day=now.date().isoformat(),
        proof=proof,
    )
    assert desk.town.read(lambda conn: active_days(conn, digest, START, now)) == frozenset()


def test_a_suggestion_moved_from_an_evaluation_is_never_drawn(desk: Desk) -> None:
    """R-43: under the name of production's run; with production's entry it can be shown to nobody."""
    asyncio.run(desk.shop.act("set_label", {"message_id": "p1", "label": "good"}))
    asyncio.run(evaluating(desk.shop).act("set_label", {"message_id": "e1", "label": "good"}))
    ((moved,),) = desk.shop.rows("SELECT id FROM suggestion WHERE run = 'run-2'")
    desk.town.tamper("UPDATE suggestion SET run = 'run-1'")
    made = desk.draw()
    assert made is not None
    assert (made.population, moved in made.items) == (1, False)
    desk.town.tamper("UPDATE suggestion SET log_seq = (SELECT min(log_seq) FROM suggestion)")
    with pytest.raises(SuggestionError, match="its card is gone"):
        desk.show(moved, DORA)


HIDING = [
    "UPDATE run SET setting = 'evaluation'",
    "UPDATE suggestion SET run = 'run-2'",
    "DELETE FROM run WHERE id = 'run-1'",
]


@pytest.mark.parametrize("attack", HIDING)
def test_no_row_of_a_run_keeps_its_suggestions_out_of_a_draw(desk: Desk, attack: str) -> None:
    """R-43: a suggestion's own entry says its setting; what nobody judges would never speak against it."""
    evaluating(desk.shop)
    asyncio.run(desk.shop.act("set_label", {"message_id": "p1", "label": "good"}))
    ((kept,),) = desk.shop.rows("SELECT id FROM suggestion")
    desk.town.tamper(attack)

    assert desk.sample().population == 1
    (pile,) = desk.town.read(lambda conn: waiting(conn, before=desk.town.later(days=1), limit=9))
    made = desk.draw()

    assert pile.deployment == desk.shop.run.deployment
    assert made is not None
    assert (made.population, made.items) == (1, (kept,))


def test_an_evaluations_suggestions_wait_for_nobody_whatever_its_row_says(desk: Desk) -> None:
    """R-43: they are counted in no pile and no population."""
    asyncio.run(evaluating(desk.shop).act("set_label", {"message_id": "e1", "label": "good"}))
    desk.town.tamper("UPDATE run SET setting = 'production'")

    assert desk.sample().population == 0
    assert desk.town.read(lambda conn: waiting(conn, before=desk.town.later(days=1), limit=9)) == []
    assert desk.draw() is None


CHANGED = {
    "setting": ("UPDATE run SET setting = 'evaluation' WHERE id = :run", "'evaluation'", "'production'"),
    "runtime": ("UPDATE run SET runtime = 'runc' WHERE id = :run", "'runc'", "'runsc'"),
    "deployment": ("UPDATE run SET deployment = 'other' WHERE id = :run", "'other'", "'"),
    "agent": ("UPDATE run SET agent = 'other' WHERE id = :run", "'other'", "'bot'"),
}


@pytest.mark.parametrize("column", CHANGED)
def test_verify_names_a_runs_row_that_was_changed(ground: Proving, column: str) -> None:
    """R-10, R-43: the record of its launch says what it was."""
    attack, got, expected = CHANGED[column]
    run = ground.ran(Runtime.RUNSC)

    def found() -> list[str]:
        return [str(one) for one in verify_state(ground.town.settings).findings if one.where == "run"]

    assert found() == []
    ground.town.tamper(attack, run=run)
    (told,) = found()
    changed = re.escape(f"column changed: run.{column} [{run}]: got {got}; entry ")
    assert re.match(rf"{changed}\d+ says {re.escape(expected)}", told)
