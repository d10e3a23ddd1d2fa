"""Nobody with a database shell changes how a run began or ended unseen by `audit verify`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.record.verify import verify_state
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from sandboxes.outcome import Ending, Outcome
from tests.standins.workshop import Workshop, make_workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A run that failed, beside the workshop's own."""
    made = make_workshop(tmp_path)
    request = LaunchRequest(deployment=made.run.deployment, operator="olga")
    ends = made.town.now + timedelta(hours=1)
    made.town.write(
        lambda tx: store.requested(
            tx, "run-failed", request, agent="mail-bot", node="n", expires_at=ends, now=tx.now
        )
    )
    view = made.town.read(lambda conn: store.find(conn, "run-failed"))
    outcome = Outcome(Ending.FAILED, "exit code 3", 3)
    made.town.write(lambda tx: store.ended(tx, view, outcome, "", now=tx.now))
    yield made
    made.town.close()


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        ("UPDATE run SET outcome = 'exited' WHERE id = 'run-failed'", "column changed: run.outcome"),
        ("UPDATE run SET exit_code = 0 WHERE id = 'run-failed'", "column changed: run.exit_code"),
        ("UPDATE run SET exit_code = NULL WHERE id = 'run-failed'", "column changed: run.exit_code"),
        ("UPDATE run SET state = 'running' WHERE id = 'run-failed'", "column changed: run.state"),
        ("UPDATE run SET operator = 'rosa' WHERE id = 'run-failed'", "column changed: run.operator"),
        ("UPDATE run SET single_user = 'x' WHERE id = 'run-failed'", "column changed: run.single_user"),
        ("UPDATE run SET runtime = 'runsc' WHERE id = 'run-failed'", "column changed: run.runtime"),
        ("DELETE FROM run WHERE id = 'run-failed'", "row deleted: run"),
    ],
)
def test_what_was_changed_of_a_run_is_named(shop: Workshop, attack: str, named: str) -> None:
    """R-10: people read in these rows who launched what, and how it ended."""
    assert verify_state(shop.town.settings).findings == ()
    shop.town.tamper(attack)

    assert any(str(one).startswith(named) for one in verify_state(shop.town.settings).findings)
