"""When a box's time is up, on clocks that may step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from threading import Thread

from sandboxes.driver import Box
from sandboxes.errors import EngineUnavailableError
from sandboxes.labels import box_from, labels_of
from sandboxes.reaper import Deadlines, due, reap
from sandboxes.spec import BoxLimits, BoxSpec, Runtime

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SPEC = BoxSpec(image="i", limits=BoxLimits(wall_seconds=100), labels={"run": "run-1"}, runtime=Runtime.RUNSC)
BOX: Box = box_from("a" * 64, "sha256:1", labels_of(SPEC, owner="o", now=NOW))
BOXES = (BOX,)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_handle_survives_its_labels() -> None:
    assert BOX.expires_at == later(100)
    assert (BOX.owner, BOX.user, BOX.gated, BOX.runtime) == ("o", "65534:65534", True, Runtime.RUNSC)
    assert dict(BOX.labels) == {"run": "run-1"}


def test_a_box_is_due_at_its_expiry_and_not_before() -> None:
    assert due(BOXES, now=later(99)) == ()
    assert due(BOXES, now=later(100)) == BOXES


def test_a_living_serve_has_its_grace() -> None:
    deadlines = Deadlines(15)

    assert deadlines.overdue(BOXES, now=later(114), uptime_s=1114) == ()
    assert deadlines.overdue(BOXES, now=later(115), uptime_s=1115) == BOXES


def test_a_clock_stepping_back_revives_nothing() -> None:
    """F2: the deadline once seen stands on the clock since boot."""
    deadlines = Deadlines(0)
    assert deadlines.overdue(BOXES, now=NOW, uptime_s=1000) == ()

    assert deadlines.overdue(BOXES, now=NOW - timedelta(days=30), uptime_s=1100) == BOXES


def test_a_clock_stepping_forward_only_shortens() -> None:
    assert Deadlines(0).overdue(BOXES, now=later(86400), uptime_s=5) == BOXES


def test_a_box_no_longer_listed_is_forgotten() -> None:
    deadlines = Deadlines(0)
    deadlines.overdue(BOXES, now=NOW, uptime_s=1000)
    deadlines.overdue((), now=NOW, uptime_s=1001)

    assert deadlines.overdue((replace(BOX, expires_at=later(500)),), now=NOW, uptime_s=1200) == ()


class LostEngine:
    """Has a box, and then never answers again; after a while the state directory is removed, too."""

    def __init__(self, state: Path, looks: int) -> None:
        self.state = state
        self.left = looks

    def list_boxes(self, owner: str) -> tuple[Box, ...]:
        del owner
        self.left -= 1
        if self.left == 0:
            rmtree(self.state)
        if self.left < 4:
            raise EngineUnavailableError("nobody listens")
        return BOXES


def test_a_reaper_whose_engine_and_state_directory_are_gone_does_not_stay(tmp_path: Path) -> None:
    """With the engine alone gone it stays, for the boxes may live on."""
    state = tmp_path / "state"
    state.mkdir()
    engine = LostEngine(state, looks=5)
    words = (engine, "o", state / "reaper.lock", Deadlines(0), 0.01)
    reaper = Thread(target=reap, args=words, daemon=True)

    reaper.start()
    reaper.join(30)

    assert not reaper.is_alive()
    assert engine.left <= 0
