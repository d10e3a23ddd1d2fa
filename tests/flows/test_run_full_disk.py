"""The disk of the record is full while a run ends: the run has its ending once there is room again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import utc_now
from runtime.errors import LedgerUnavailableError
from runtime.record.events import Event, EventKind
from runtime.runs.states import RunState
from sandboxes.driver import Phase
from tests.flows.conftest import lived_in
from tests.standins.disks import fill_up, mounted
from tests.standins.flow_profiles import PLAIN
from tests.standins.house import House, patiently

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

UNTIL_TOLD = ("sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last words; exit 4")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", "24m") as place:
        yield place


@pytest.fixture
def house(disk: Path) -> Iterator[House]:
    """A house on that disk, which has room when it is left."""
    with lived_in(disk) as made:
        try:
            yield made
        finally:
            (disk / "ballast").unlink(missing_ok=True)


def _fill(house: House, disk: Path) -> None:
    """Leave no room for the smallest entry, also not in what the database holds in reserve."""
    fill_up(disk / "ballast")
    event = Event(kind=EventKind.SERVE_STARTED, at=utc_now(), actor="a test")
    with pytest.raises(LedgerUnavailableError, match="full"):
        _write_for_ever(house, event)


def _write_for_ever(house: House, event: Event) -> None:
    while True:
        house.write(lambda tx: tx.append(event))


def test_a_run_that_ends_while_the_disk_is_full_has_its_ending_once_there_is_room(
    house: House, disk: Path
) -> None:
    """F23: what is told meanwhile is why, and neither `runs stop` nor the end of serve hangs or fails."""
    run = house.launch(house.deploy(PLAIN), command=UNTIL_TOLD)
    box = run.box
    _fill(house, disk)
    run.tell("/tmp/go")
    patiently(lambda: house.kernel.driver.inspect(box).phase is Phase.EXITED)

    with pytest.raises(LedgerUnavailableError, match="its ending is not on record yet"):
        run.stop()
    assert run.view.state is RunState.RUNNING
    (disk / "ballast").unlink()

    ended = run.ended()
    assert (ended.outcome, ended.exit_code, run.output()) == ("failed", 4, "last words\n")
    patiently(lambda: house.boxes() == [])
    assert run.stop().outcome == "failed"
    assert house.verified()


def test_serve_ends_in_good_order_while_an_ending_cannot_be_recorded(house: House, disk: Path) -> None:
    run = house.launch(house.deploy(PLAIN), command=UNTIL_TOLD)
    box, driver = run.box, house.kernel.driver
    _fill(house, disk)
    run.tell("/tmp/go")
    patiently(lambda: driver.inspect(box).phase is Phase.EXITED)

    house.shut(stop_runs=True)
    (disk / "ballast").unlink()
    house.open()

    assert (run.view.outcome, run.view.exit_code) == ("failed", 4)
