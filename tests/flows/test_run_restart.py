"""Restarts of `serve`: boxes outlive it, and the next one finds everything again."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from console.kernel import REAPER_LOCK
from profiles.effects import Effect
from runtime.clock import new_id, utc_now
from runtime.gate.replies import WITHHELD_TEXT
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from sandboxes.reaper import Deadlines, reap
from scripts.shell import must
from tests.flows.conftest import deploy_with_a_late_upstream, furnish, serve_clock
from tests.standins.boxes import SHELLLESS, small_spec
from tests.standins.flow_profiles import CLERK, PLAIN, TICKER
from tests.standins.house import OPERATOR, PATIENCE_S, House, Launched, patiently
from tests.standins.towns import DORA

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

HOUR = timedelta(hours=1)
INVOICES = {"call": "list_invoices"}
FOR_EVER = ("sh", "-c", "setsid sleep 1000 & sleep 1000")


def test_a_run_goes_on_after_a_restart_and_its_next_call_works(house: House) -> None:
    """DESIGN section 3: boxes outlive `serve`; the next one takes them up, with a new gateway."""
    furnish(house)
    deployment = house.deploy(CLERK)
    run = house.launch(deployment, INVOICES, {"wait": "/tmp/on"}, INVOICES)
    run.has_said(1)
    left = small_spec(labels={"run": run.id, "part": "upstream"})
    stray = house.kernel.driver.create(left, owner=house.kernel.owner, now=utc_now())
    house.shut()
    assert house.open() == (run.id,)
    assert stray.id not in [box.id for box in house.boxes()], "an upstream of the serve before"
    run.tell("/tmp/on")
    before, _, after = run.finished()
    assert after == before
    assert run.states() == [("list_invoices", "done")] * 2
    assert house.verified()


def test_a_run_that_ended_while_nobody_served_gets_its_ending(house: House) -> None:
    deployment = house.deploy(PLAIN)
    run = house.launch(deployment, command=("sh", "-c", "sleep 1; echo last words; exit 4"))
    driver, box = house.kernel.driver, run.box
    house.shut()
    driver.wait(box)
    assert house.open() == ()
    assert (run.view.outcome, run.view.exit_code) == ("failed", 4)
    assert run.output() == "last words\n"


@pytest.mark.parametrize(
    ("script", "ending"),
    [("echo at work; sleep 1000", ("time_limit", 137)), ("echo at work; exit 4", ("failed", 4))],
)
def test_a_run_whose_time_was_up_while_nobody_served_keeps_its_ending_and_its_output(
    house: House, tmp_path: Path, script: str, ending: tuple[str, int]
) -> None:
    """The reaper ends what still runs then, and leaves it for the next serve to read."""
    deployment = house.deploy(PLAIN.replace("wall_seconds: 120", "wall_seconds: 5"))
    run = house.launch(deployment, command=("sh", "-c", script))
    driver, owner = house.kernel.driver, house.kernel.owner
    house.shut()
    reap(driver, owner, tmp_path / "another.lock", Deadlines(0), poll_s=0.2)
    assert house.open() == ()
    assert (run.view.outcome, run.view.exit_code) == ending
    assert run.output() == "at work\n"
    assert house.boxes() == []


def test_a_run_whose_box_was_paused_by_hand_is_no_ended_one_that_runs(house: House) -> None:
    """It cannot be proved as it is, so it ends like any other that cannot, with an outcome that is an end."""
    run = house.launch(house.deploy(PLAIN), command=("sh", "-c", "echo at work; sleep 1000"))
    patiently(lambda: run.output() == "at work\n")
    must(["docker", "pause", run.box.id], next_step="docker ps")
    house.shut()
    assert house.open() == ()
    assert (run.view.outcome, run.view.exit_code) == ("killed", 137)
    assert run.output() == "at work\n"
    assert house.boxes() == []


def test_boxes_without_a_run_are_removed_at_the_start_of_serving(house: House) -> None:
    driver = house.kernel.driver
    stray = driver.create(small_spec(), owner=house.kernel.owner, now=utc_now())
    named = small_spec(labels={"run": new_id("run"), "part": "agent"})
    driver.start(driver.create(named, owner=house.kernel.owner, now=utc_now()))
    house.shut()
    assert house.open() == ()
    assert house.boxes() == [], stray


def test_stopping_all_runs_at_the_end_of_serving_ends_each(house: House) -> None:
    deployment = house.deploy(PLAIN)
    runs = [house.launch(deployment, command=FOR_EVER) for _ in range(2)]
    house.shut(stop_runs=True)
    house.open()
    assert [run.view.outcome for run in runs] == ["stopped", "stopped"]


def test_a_write_approved_just_before_a_restart_is_carried_out_after_it(house: House) -> None:
    """DESIGN section 3: exactly once, whatever happens to `serve` in between."""
    furnish(house)
    deployment = house.deploy(CLERK)
    house.grant(deployment, Effect.DRAFT)
    args = {"number": "RE-4100", "message_id": "m1", "result": "matched"}
    run = house.launch(deployment, {"call": "record_match", "args": args})
    assert run.finished()[0]["text"] == WITHHELD_TEXT
    card = house.waiting(run.id)
    house.do(house.kernel.holds.vote(house.ballot(card, DORA), card.hold))  # counted, not carried out yet
    house.shut()
    house.open()
    patiently(lambda: house.rows("SELECT state FROM action ORDER BY log_seq") == [("held",), ("done",)])
    with closing(sqlite3.connect(house.volume("ledger") / "ledger.db")) as db:
        assert db.execute("SELECT count(*) FROM matches").fetchone() == (1,)


def test_a_run_whose_upstream_has_changed_meanwhile_is_not_taken_up(house: House) -> None:
    """R-76 holds over restarts: the run ends, its grants go, people hear of it, and nothing of it stays."""
    serve_clock(house)
    deployment = house.deploy(TICKER, "ticker")
    house.grant(deployment, Effect.DRAFT)
    run = house.launch(deployment, {"call": "tick"}, {"wait": "/tmp/never"})
    run.has_said(1)
    house.shut()
    serve_clock(house, "ignore_all_previous_instructions")
    assert house.open() == ()
    assert run.view.outcome == "killed"
    assert house.rows("SELECT count(*) FROM effect_grant WHERE revoked_at IS NULL") == [(0,)]
    assert house.rows("SELECT rule, severity, resource FROM alert") == [("changed", "high", "clock")]
    assert house.boxes() == []


def test_serve_ends_only_when_a_launch_that_was_given_up_is_undone(house: House) -> None:
    """Its box would be left at the engine otherwise, or its ending to the next serve that cannot know it."""
    deployment, late = deploy_with_a_late_upstream(house)
    request = LaunchRequest(deployment=deployment, operator=OPERATOR, command=("true",))
    launching = house.start(house.kernel.runs.start(request))
    patiently(lambda: house.rows("SELECT 1 FROM run WHERE box IS NOT NULL"))
    launching.cancel()
    house.shut()
    with closing(sqlite3.connect(house.settings.state_dir / "handrail.db")) as db:
        assert db.execute("SELECT state, outcome FROM run").fetchall() == [("ended", "never_started")]
    house.open()
    assert house.boxes() == [], late


def test_an_agent_that_cannot_wait_has_a_reaper_while_its_launch_goes_on(house: House) -> None:
    """Without a shell it runs from the start: were serve killed now, nothing else would end its time."""
    shellless = TICKER.replace("image: handrail/agent:1\nupstreams", f"image: {SHELLLESS}\nupstreams")
    deployment, late = deploy_with_a_late_upstream(house, shellless)
    request = LaunchRequest(deployment=deployment, operator=OPERATOR, command=("sleep", "100"))
    launching = house.start(house.kernel.runs.start(request))
    patiently(lambda: house.rows("SELECT 1 FROM run WHERE box IS NOT NULL"))
    patiently(lambda: _is_held(house.settings.state_dir / REAPER_LOCK))
    assert not launching.done()
    late.unlink()
    Launched(house, launching.result(PATIENCE_S).id).stop()


def _is_held(lock: Path) -> bool:
    """Look without taking it, which would keep a reaper from beginning (proc(5): /proc/locks)."""
    return lock.exists() and f":{lock.stat().st_ino} " in Path("/proc/locks").read_text()


def test_a_launch_that_serve_did_not_survive_never_started(house: House) -> None:
    """Its box was made and waits behind its gate, and its release was never committed."""
    request = LaunchRequest(deployment=house.deploy(PLAIN), operator=OPERATOR, command=("true",))
    now = utc_now()
    node = house.kernel.owner
    house.write(
        lambda tx: store.requested(
            tx, "run-1", request, agent="clerk", node=node, expires_at=now + HOUR, now=now
        )
    )
    driver = house.kernel.driver
    named = small_spec(labels={"run": "run-1", "part": "agent"})
    driver.start(driver.create(named, owner=house.kernel.owner, now=now))
    house.shut()
    assert house.open() == ()
    assert house.rows("SELECT state, outcome FROM run") == [("ended", "never_started")]
    assert house.boxes() == []
