"""Kill -9 in the middle of the review job, again and again: every review is owed and printed once."""

import subprocess
import sys
from pathlib import Path

from rollout.reviews import printing
from runtime.record.verify import verify_state
from tests.standins.crashing_desk import LATER, reopen
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.towns import EVERYONE, STAFF

STEPS = ("batch.begun", "batch.run", "batch.flushed", "batch.committed")
KILLED = -9


def test_a_job_that_is_killed_anywhere_owes_and_prints_each_review_once(tmp_path: Path) -> None:
    """F4: one packet for each deployment, period and kind."""
    _settle(tmp_path)
    endings = _crash(tmp_path, [f"{step} {count}" for count in range(1, 7) for step in STEPS])
    town, desk = reopen(tmp_path, lambda _step: None)
    try:
        desk.run(LATER)
        again = desk.run(LATER)
        owed = town.read(
            lambda conn: conn.exec_driver_sql("SELECT deployment, kind, period_start FROM obligation").all()
        )
        due = town.read(
            lambda conn: conn.exec_driver_sql("SELECT id FROM obligation WHERE state = 'overdue'").all()
        )
        shown = [
            town.read(lambda conn, id_=row[0]: printing.read(conn, desk.keyring, id_))  # type: ignore[misc]
            for row in due
        ]
        kinds = town.kinds()
    finally:
        town.close()

    assert KILLED in endings
    assert (again.owed, again.overdue, again.printed) == ((), (), ())
    assert len(owed) == len(set(owed)) == kinds.count("review.owed") == 8
    assert len(due) == 2
    assert all(one is not None for one in shown)
    assert kinds.count("review.printed") == 2
    assert verify_state(town.settings).intact


def _settle(directory: Path) -> None:
    """Found an installation with two agents that owe nothing yet."""
    town = Town(directory)
    try:
        town.begin(STAFF, *EVERYONE)
        for agent in ("bot", "other"):
            deployed(town, agent, image=f"sha256:{agent}")
    finally:
        town.close()


def _crash(directory: Path, orders: list[str]) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.standins.crashing_desk", str(directory)],
        input="\n".join(orders),
        text=True,
        capture_output=True,
        check=True,
        timeout=600,
    )
    return [int(line) for line in done.stdout.split()]
