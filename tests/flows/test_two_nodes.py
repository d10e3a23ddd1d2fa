"""Two nodes: two real `serve`, each with its own state directory and anchor, on one real PostgreSQL."""

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from profiles.effects import Effect
from runtime.gate.states import HoldState
from tests.flows.conftest import furnish, lived_in
from tests.standins.boxes import BUSYBOX
from tests.standins.databases import Database
from tests.standins.flow_profiles import CLERK, PLAIN
from tests.standins.house import House, join, patiently
from tests.standins.office import Office
from tests.standins.towns import DORA

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

SLEEPER = f"""
profile: sleeper
version: 1
purpose: Sleep in a box.
image: {BUSYBOX}
command: [sh, -c, "sleep 1000"]
never:
  - {{id: nothing-critical, text: Never do anything critical., effects: [critical]}}
limits: {{wall_seconds: 300}}
"""
FOR_EVER = ("sh", "-c", "sleep 1000")


@dataclass(frozen=True)
class Site:
    """Two nodes as people use them."""

    one: Office
    two: Office


@pytest.fixture
def site(tmp_path: Path, postgresql: Database) -> Site:
    one, two = (Office(tmp_path / name, postgresql.url) for name in ("one", "two"))
    assert one.begin().code == 0
    join(two.root, one.root)
    for key in ("alice", "alice.pub", "bob", "bob.pub"):
        shutil.copy(one.root / key, two.root / key)
    return Site(one, two)


@pytest.fixture
def houses(tmp_path: Path, postgresql: Database) -> Iterator[tuple[House, House]]:
    with ExitStack() as stack:
        first = stack.enter_context(lived_in(tmp_path / "one", database_url=postgresql.url))
        second = stack.enter_context(lived_in(tmp_path / "two", database_url=postgresql.url, beside=first))
        yield first, second


def test_two_serves_write_one_record_that_each_of_them_proves(site: Site) -> None:
    """Issue item 9: the entries of both stand in one tree, anchored at both."""
    with site.one.serving(), site.two.serving():
        for number in range(6):
            office = (site.one, site.two)[number % 2]
            words = ("agent", "register", f"bot-{number}", "--trait", "internal-docs", "--owner", "bob")
            assert office.type(*words).code == 0
        seen = [[agent["name"] for agent in o.ask("agent", "list")["agents"]] for o in (site.one, site.two)]

    assert seen[0] == seen[1] == [f"bot-{number}" for number in range(6)]
    for office in (site.one, site.two):
        verified = office.type("audit", "verify")
        assert verified.out.endswith("\nintact\n"), verified


def test_a_freeze_said_to_one_stops_at_the_other(site: Site) -> None:
    with site.one.serving(), site.two.serving():
        path = site.one.root / "sleeper.yaml"
        path.write_text(SLEEPER)
        assert site.one.deploy("sleeper", path).code == 0
        frozen = site.two.type("freeze", "--agent", "sleeper", "--reason", "odd", person="bob")
        assert frozen.code == 0, frozen
        refused = site.one.type("launch", "sleeper", "--task", "sleep")

    assert refused.code != 0
    assert "frozen" in refused.err


def test_a_node_that_is_killed_and_comes_back_takes_up_its_own_runs_and_no_others(site: Site) -> None:
    path = site.one.root / "sleeper.yaml"
    path.write_text(SLEEPER)
    with site.one.serving():
        assert site.one.deploy("sleeper", path).code == 0
        assert site.one.type("launch", "sleeper", "--task", "sleep", "--detach").code == 0
        (run,) = site.one.ask("runs", "list")["runs"]
        with site.two.serving(end=signal.SIGKILL):
            assert site.two.ask("runs", "show", run["id"])["run"]["state"] == "running"
        with site.two.serving():
            assert site.one.ask("runs", "show", run["id"])["run"]["state"] == "running"
            assert site.two.type("runs", "stop", run["id"]).code == 0
            ended = site.one.until(run["id"], state="ended")

    assert ended["outcome"] == "stopped"


def test_what_is_approved_at_one_node_happens_once_and_at_the_node_of_the_run(
    houses: tuple[House, House],
) -> None:
    """R-10: an approved write is carried out where its run, its volumes and its upstreams are."""
    here, there = houses
    furnish(here)
    deployment = here.deploy(CLERK)
    here.grant(deployment, Effect.DRAFT)
    ask = {"call": "record_match", "args": {"number": "RE-4100", "message_id": "m-1", "result": "matched"}}
    run = here.launch(deployment, ask)
    run.finished()
    card = patiently(lambda: there.waiting(run.id))

    assert there.vote(card, DORA).state is HoldState.APPROVED
    patiently(lambda: ("record_match", "done") in run.states())
    there.do(there.kernel.gate.sweep())

    ledger = here.volume("ledger") / "ledger.db"
    with closing(sqlite3.connect(ledger)) as db:
        assert db.execute("SELECT count(*) FROM matches WHERE number = 'RE-4100'").fetchall() == [(1,)]
    assert here.rows("SELECT state FROM hold") == there.rows("SELECT state FROM hold") == [("used",)]
    assert here.verified()
    assert there.verified()


def test_a_read_that_waits_at_one_node_goes_on_when_it_is_approved_at_the_other(
    houses: tuple[House, House],
) -> None:
    here, there = houses
    furnish(here)
    run = here.launch(here.deploy(CLERK), {"call": "get_vendor", "args": {"vendor": "FR40303265045"}})
    there.vote(there.waiting(run.id), DORA)

    (said,) = run.finished()
    assert said["data"]["name"] == "Moreau Emballages SARL"


def test_a_restart_of_one_node_leaves_what_is_under_way_at_the_other(houses: tuple[House, House]) -> None:
    """Its boxes, its runs, and its intents, which are not unknown."""
    here, there = houses
    run = here.launch(here.deploy(PLAIN), command=FOR_EVER)
    boxes = here.boxes()
    there.shut()
    assert there.open() == ()

    assert here.boxes() == boxes
    assert run.view.state.value == "running"
    assert run.stop().outcome == "stopped"
