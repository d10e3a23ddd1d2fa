"""The disk of the record is full while a run ends: the run has its ending once there is room again."""

import shutil
import signal
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from console.client import Client
from console.errors import ProblemError
from runtime.clock import utc_now
from runtime.errors import LedgerUnavailableError
from runtime.record.batch import Tx
from runtime.record.events import Event as Entry
from runtime.record.events import EventKind
from runtime.record.ledger import Limits
from runtime.runs.states import LaunchRequest, RunState
from sandboxes.driver import Phase
from tests.flows.conftest import deploy_with_a_late_upstream, lived_in
from tests.standins.disks import fill_up, mounted
from tests.standins.flow_profiles import PLAIN
from tests.standins.house import OPERATOR, PATIENCE_S, House, Launched, patiently
from tests.standins.office import Office

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

UNTIL_TOLD = ("sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last words; exit 4")
NOT_YET = "its ending is not on record yet and is tried again"


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
    event = Entry(kind=EventKind.SERVE_STARTED, at=utc_now(), actor="a test")
    with pytest.raises(LedgerUnavailableError, match="full"):
        _write_for_ever(house, event)


def _write_for_ever(house: House, event: Entry) -> None:
    while True:
        house.write(lambda tx: tx.append(event))


def test_a_run_that_ends_while_the_disk_is_full_has_its_ending_once_there_is_room(
    house: House, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """F23: what is told meanwhile is why, and neither `runs stop` nor the end of serve hangs or fails."""
    run = house.launch(house.deploy(PLAIN), command=UNTIL_TOLD)
    box = run.box
    _fill(house, disk)
    run.tell("/tmp/go")
    patiently(lambda: NOT_YET in caplog.text)
    assert house.kernel.driver.inspect(box).phase is Phase.EXITED

    with pytest.raises(LedgerUnavailableError, match="its ending is not on record yet"):
        run.stop()
    assert run.view.state is RunState.RUNNING
    (disk / "ballast").unlink()

    ended = run.ended()
    assert (ended.outcome, ended.exit_code, run.output()) == ("failed", 4, "last words\n")
    patiently(lambda: house.boxes() == [])
    assert run.stop().outcome == "failed"
    assert house.verified()


def test_serve_ends_in_good_order_while_an_ending_cannot_be_recorded(
    house: House, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = house.launch(house.deploy(PLAIN), command=UNTIL_TOLD)
    _fill(house, disk)
    run.tell("/tmp/go")
    patiently(lambda: NOT_YET in caplog.text)

    house.shut(stop_runs=True)
    (disk / "ballast").unlink()
    house.open()

    assert (run.view.outcome, run.view.exit_code) == ("failed", 4)


def test_a_launch_that_fails_on_a_full_disk_has_its_ending_once_there_is_room(
    house: House, disk: Path
) -> None:
    """F23: nobody need stop it or start anew, and nothing of it stays at the engine meanwhile."""
    deployment, late = deploy_with_a_late_upstream(house)
    request = LaunchRequest(deployment=deployment, operator=OPERATOR, command=UNTIL_TOLD)
    launch = house.start(house.kernel.runs.start(request))
    ((run,),) = patiently(lambda: house.rows("SELECT id FROM run WHERE box IS NOT NULL"))
    _fill(house, disk)
    late.unlink()

    with pytest.raises(LedgerUnavailableError, match="full"):
        launch.result(PATIENCE_S)
    assert house.boxes() == []
    assert house.rows("SELECT state FROM run") == [(RunState.REQUESTED.value,)]
    (disk / "ballast").unlink()

    assert Launched(house, run).ended().outcome == "never_started"
    assert house.verified()


def test_a_launch_whose_request_is_recorded_too_late_never_started(house: House) -> None:
    """Its operator was told of a failure by then, so what is on record after all needs its ending, too."""
    deployment, wait, begun = house.deploy(PLAIN), Limits().wait_seconds, Event()
    house.kernel.ledger.submit(partial(_take_long, wait - 2, begun))
    assert begun.wait(PATIENCE_S)
    house.kernel.ledger.submit(partial(_take_long, wait, begun))  # in one batch with the request
    with pytest.raises(LedgerUnavailableError, match="it may still be written"):
        house.launch(deployment, command=("true",))
    patiently(lambda: house.rows("SELECT state, outcome FROM run") == [("ended", "never_started")])


def test_serve_that_is_told_to_end_on_a_full_disk_says_so_and_has_not_failed(
    founded: Path, disk: Path
) -> None:
    """F23: what it cannot record is said on its error stream, and the next serve goes on from there."""
    shutil.copytree(founded, disk, dirs_exist_ok=True)
    office = Office(disk)
    with office.serving() as serve:
        fill_up(disk / "ballast")
        assert serve.stdout is not None
        _register_until_refused(office)
        serve.send_signal(signal.SIGTERM)
        said = serve.stdout.read()
        assert serve.wait(PATIENCE_S) == 0, said
    assert "serve has ended in order, but the record does not say so" in said
    assert "full" in said
    assert "next: make room, then handrail serve" in said
    (disk / "ballast").unlink()

    with office.serving():
        assert office.type("runs", "list").code == 0
    assert office.type("audit", "verify").code == 0


def _take_long(seconds: float, begun: Event, _tx: Tx) -> None:
    begun.set()
    time.sleep(seconds)


def _register_until_refused(office: Office) -> None:
    """Have an entry refused: until then the database may still have room of its own."""
    client, about = Client(office.state / "serve.sock"), {"traits": ["internal-docs"], "owner": "bob"}
    bodies = ({"name": f"agent-{number}", **about} for number in range(10_000))
    with pytest.raises(ProblemError, match="full"):
        deque((client.post("agents", body=body) for body in bodies), maxlen=0)
