"""How runs end: each ending has its name, and nothing is left over (`lived_in` looks at every house)."""

import errno
import os
import socket
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from profiles.effects import Effect
from runtime.runs import store
from runtime.runs.logs import LOG_KEPT_BYTES
from runtime.runs.states import RunState
from sandboxes.outcome import Ending, Outcome
from tests.flows.conftest import furnish
from tests.standins.flow_profiles import CLERK, PLAIN
from tests.standins.house import House, patiently

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

INVOICES = {"call": "list_invoices"}
POOLS_GROW = 10
"""How often pools of threads and connections may still have grown, at most."""
FOR_EVER = ("sh", "-c", "setsid sleep 1000 & sleep 1000")


@pytest.fixture(scope="module")
def plain(shared_house: House, box_images: None) -> str:  # noqa: ARG001 - the image must be there first
    """A deployment without any upstream, in the shared house."""
    return shared_house.deploy(PLAIN, "plain")


@pytest.mark.parametrize(
    ("script", "outcome", "code"),
    [
        ("echo done", "exited", 0),
        ("exit 3", "failed", 3),
        ("kill -SEGV $$", "signalled", 139),
        ("dd if=/dev/zero of=/dev/null bs=200M", "out_of_memory", 137),
        ("no-such-program", "failed", 127),
    ],
)
def test_each_ending_of_an_agent_has_its_name(
    shared_house: House, plain: str, script: str, outcome: str, code: int
) -> None:
    view = shared_house.launch(plain, command=("sh", "-c", script)).ended()
    assert (view.outcome, view.exit_code) == (outcome, code)


def test_a_box_that_somebody_else_removes_takes_its_output_along_and_the_record_says_so(
    shared_house: House, plain: str
) -> None:
    """Whoever reads the record must not take it for an agent that wrote nothing."""
    run = shared_house.launch(plain, command=("sh", "-c", "echo said; sleep 1000"))
    patiently(lambda: run.output() == "said\n")
    shared_house.kernel.driver.remove(run.box)

    run.ended()

    sql = "SELECT leaf FROM log_entry WHERE run = :run AND kind = 'run.ended'"
    ((leaf,),) = shared_house.rows(sql, run=run.id)
    assert b"the engine has nothing left of what it wrote" in leaf


def test_stopping_ends_the_agent_and_the_children_that_left_its_session(
    shared_house: House, plain: str
) -> None:
    run = shared_house.launch(plain, command=FOR_EVER)
    box = run.box
    assert run.stop().outcome == "stopped"
    assert box not in shared_house.boxes()
    assert run.stop().outcome == "stopped", "twice does no harm"


def test_an_ending_meant_for_a_run_that_waits_leaves_a_released_one_alone(
    shared_house: House, plain: str
) -> None:
    """A stop that read the run before its release and writes after it would else leave a box nobody ends."""
    run = shared_house.launch(plain, command=FOR_EVER)
    outcome, waits = Outcome(Ending.STOPPED, "too late"), (RunState.REQUESTED,)
    assert not shared_house.write(lambda tx: store.ended(tx, run.view, outcome, "", now=tx.now, states=waits))
    assert run.view.state is RunState.RUNNING
    assert run.stop().outcome == "stopped"


def test_an_agent_that_stays_too_long_reaches_its_time_limit(shared_house: House) -> None:
    deployment = shared_house.deploy(PLAIN.replace("wall_seconds: 120", "wall_seconds: 4"), "sleeper")
    assert shared_house.launch(deployment, command=FOR_EVER).ended().outcome == "time_limit"


def test_a_flood_of_output_harms_nobody_and_its_tail_is_kept(shared_house: House, plain: str) -> None:
    run = shared_house.launch(plain, command=("sh", "-c", "yes flood | head -c 12000000; echo the end"))
    assert run.ended().outcome == "exited"
    output = run.output()
    assert len(output) == LOG_KEPT_BYTES
    assert output.endswith("flood\nthe end\n")


def test_whoever_follows_a_flood_that_the_engine_cuts_reads_its_last_words(
    shared_house: House, plain: str
) -> None:
    """The engine drops the oldest, and its own stream may skip or end; what it says of that is not shown."""
    run = shared_house.launch(plain, command=("sh", "-c", "yes flood | head -c 30000000; echo the end"))
    said = b"".join(shared_house.kernel.runs.follow(run.id))

    assert said.endswith(b"flood\nthe end\n")
    assert b"Error grabbing logs" not in said


def test_a_box_killed_behind_our_back_is_noticed(shared_house: House, plain: str) -> None:
    run = shared_house.launch(plain, command=FOR_EVER)
    shared_house.kernel.driver.kill(run.box)
    assert (run.ended().outcome, run.view.exit_code) == ("signalled", 137)


def test_a_box_removed_behind_our_back_is_lost(shared_house: House, plain: str) -> None:
    run = shared_house.launch(plain, command=FOR_EVER)
    shared_house.kernel.driver.remove(run.box)
    assert run.ended().outcome in {"lost", "signalled"}


def test_runs_beside_each_other_have_doors_of_their_own(shared_house: House, plain: str) -> None:
    ask = "nc 127.0.0.1 8080 </dev/null && echo open; sleep 1000"
    runs = [shared_house.launch(plain, command=("sh", "-c", ask)) for _ in range(2)]
    for run in runs:
        patiently(lambda run=run: "open" in run.output())
    runs[0].stop()
    assert runs[1].view.state is RunState.RUNNING
    runs[1].stop()


def test_nothing_of_a_run_stays_in_this_process(shared_house: House, plain: str) -> None:
    """Listeners, streams, files and threads: as many after three more runs as before, for each of them.

    On a busy machine a pool may grow to its bound meanwhile, so it is asked again; a leak grows each time.
    """
    shared_house.launch(plain, command=("true",)).ended()
    assert any(_as_many_after_runs(shared_house, plain) for _ in range(POOLS_GROW))


def _as_many_after_runs(house: House, deployment: str) -> bool:
    before = held()
    for _ in range(3):
        house.launch(deployment, command=("true",)).ended()
    try:
        patiently(lambda: no_more_than(before), seconds=3)
    except AssertionError:
        return False
    return True


def no_more_than(before: tuple[int, int]) -> bool:
    files, threads = held()
    return files <= before[0] and threads <= before[1]


def held() -> tuple[int, int]:
    """The files and threads of this process; the engine's idle connections, a bounded pool, aside."""
    files = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return sum(not is_idle(number) for number in files), threading.active_count()


def is_idle(number: int) -> bool:
    """Whether an open file is a connection to the engine, or was closed while we looked."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return False
        with socket.socket(fileno=os.dup(number)) as copy:
            return copy.getpeername() == "/var/run/docker.sock"
    except OSError as error:
        return error.errno == errno.EBADF


@pytest.fixture(scope="module")
def ledger(shared_house: House) -> House:
    """The shared house, with a ledger in it."""
    furnish(shared_house)
    return shared_house


def test_an_upstream_that_dies_in_mid_run_is_an_error_and_no_silence(ledger: House) -> None:
    deployment = ledger.deploy(CLERK, "orphan")
    run = ledger.launch(deployment, INVOICES, {"wait": "/tmp/dead"}, INVOICES, INVOICES)
    run.has_said(1)
    (upstream,) = ledger.boxes("upstream")
    ledger.kernel.driver.remove(upstream)
    run.tell("/tmp/dead")
    first, _, second, third = run.finished()
    assert first["error"] is False
    assert second["text"] == third["text"] == "Internal error"
    states = [state for _, state in run.states()]
    assert states[0] == "done"
    assert set(states[1:]) <= {"failed", "unknown"}
    assert ledger.verified()


def test_agents_at_work_at_once_get_each_their_own_answers(ledger: House) -> None:
    """R-10: what four of them do at the same time stands in the record once each."""
    deployment = ledger.deploy(CLERK, "crowd")
    ledger.grant(deployment, Effect.DRAFT)
    note = {"until": "add_note", "times": 25}
    runs = [
        ledger.launch(deployment, INVOICES, {**note, "args": {"number": f"RE-{n}", "text": "{}"}})
        for n in range(4)
    ]
    for run in runs:
        invoices, noted = run.finished()
        assert len(invoices["data"]["result"]) == 4
        assert noted["after"] == 25
        assert run.states() == [("list_invoices", "done"), *[("add_note", "done")] * 25]
    with closing(sqlite3.connect(ledger.volume("ledger") / "ledger.db")) as db:
        found = db.execute("SELECT number, count(*) FROM notes GROUP BY number").fetchall()
    assert found == [(f"RE-{n}", 25) for n in range(4)]
    assert ledger.verified()


def test_a_hold_ends_with_the_agent_that_waited_for_it(ledger: House) -> None:
    """DESIGN section 3: a disconnect before "pending" voids."""
    ask = {"call": "get_vendor", "args": {"vendor": "FR40303265045"}}
    run = ledger.launch(ledger.deploy(CLERK, "waiter"), ask)
    ledger.waiting(run.id)
    run.stop()
    patiently(lambda: ledger.rows("SELECT state FROM hold") == [("voided",)])
