"""A house: an installation with everything that `serve` runs, on an event loop in a thread of its own.

Nothing in it is a stand-in but the people, who are tests, and the agents, who follow a script.
"""

import asyncio
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from console.kernel import Kernel, open_kernel
from profiles.effects import Effect
from profiles.load import parse_profile
from profiles.setting import Setting
from runtime import agents, drafting, freeze, grants
from runtime.clock import new_id, utc_now
from runtime.freeze_rules import Freeze, Scope, Stop
from runtime.gate.cards import HoldCard
from runtime.gate.holds import Voted
from runtime.gate.parts import HOLD_WAIT_SECONDS
from runtime.gate.states import HoldState
from runtime.gate.suggestions import Suggestions
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.memory.loading import pinned
from runtime.people.changes import first_version, init_policy
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.roster import Refused, Roster
from runtime.people.statement import SignedStatement, StatementType
from runtime.record.batch import Tx
from runtime.record.keys import load_keys
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.verify import verify_state
from runtime.runs import store
from runtime.runs.states import LaunchRequest, RunState, RunView
from runtime.settings import Settings
from sandboxes.driver import Box
from sandboxes.spec import Runtime
from tests.standins.databases import lay_out
from tests.standins.patience import PATIENT
from tests.standins.persons import Person
from tests.standins.towns import DORA, EVERYONE, LENA, OLGA, ROSA, STAFF, SVEN

T = TypeVar("T")
AGENT_SCRIPT = (Path(__file__).parent / "scripted_agent.py").read_text()
BOX_UID = 65534
OWNER = "olga"
OPERATOR = "root"
PATIENCE_S = 120.0
GRANTERS: dict[Effect, tuple[Person, ...]] = {
    Effect.READ: (OLGA,),
    Effect.DRAFT: (ROSA,),
    Effect.UPDATE: (ROSA, DORA),
    Effect.SEND: (DORA, SVEN),
    Effect.CRITICAL: (ROSA, SVEN, LENA),
}
Step = dict[str, Any]


class House:
    """One installation; `open` and `shut` may be called in turn, as restarts of `serve`."""

    def __init__(
        self,
        directory: Path,
        *,
        hold_wait_seconds: float = HOLD_WAIT_SECONDS,
        beside: "House | None" = None,
        **settings: Any,
    ) -> None:
        self._hold_wait_seconds = hold_wait_seconds
        where = {"state_dir": directory / "state", "anchor_dir": directory / "anchor"}
        self.settings = Settings(**where, **settings)
        if beside is None:
            self.installation = _found(self.settings)
        else:
            join(directory, beside.settings.state_dir.parent)
            self.installation = beside.installation
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="house")
        self._thread.start()
        self._kernel: Kernel | None = None
        self.open()

    @property
    def kernel(self) -> Kernel:
        assert self._kernel is not None, "the house is shut"
        return self._kernel

    # --- its life

    def open(self) -> tuple[str, ...]:
        """Start what `serve` starts; return the runs that were taken up."""
        self._kernel = open_kernel(self.settings, hold_wait_seconds=self._hold_wait_seconds)
        return self.do(self.kernel.begin())

    def shut(self, *, stop_runs: bool = False) -> None:
        """End what `serve` ends; the boxes keep running unless asked otherwise."""
        kernel, self._kernel = self.kernel, None
        self.do(kernel.runs.close(stop_runs=stop_runs))
        self.do(kernel.end())
        kernel.close()

    def leave(self) -> list[Box]:
        """Shut for good and return what was left over at the engine, which should be nothing."""
        if self._kernel is None:
            self.open()
        driver, owner = self.kernel.driver, self.kernel.owner
        self.shut(stop_runs=True)
        left = list(driver.list_boxes(owner))
        for box in left:
            driver.remove(box)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        return left

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the house's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something on the house's loop and go on."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # --- what it knows

    def write(self, unit: Callable[[Tx], T]) -> T:
        return self.kernel.ledger.write_sync(unit)

    def read(self, question: Callable[[Connection], T]) -> T:
        with self.kernel.ledger.read() as conn:
            return question(conn)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        return self.read(lambda conn: list(conn.execute(text(sql), values)))

    def boxes(self, part: str | None = None) -> list[Box]:
        """The house's boxes at the engine, all or of one part."""
        found = self.kernel.driver.list_boxes(self.kernel.owner)
        return [box for box in found if part in (None, box.labels.get("part"))]

    def verified(self) -> bool:
        """Whether the record holds, as somebody sees it who does not trust this process."""
        self.kernel.ledger.checkpoint()
        report = verify_state(self.settings)
        assert report.findings == (), report
        return report.entries > 0 and report.anchor.anchored

    def volume(self, name: str) -> Path:
        """The directory of a volume; make and fill it, then give it to the boxes."""
        self.settings.volumes_dir.mkdir(exist_ok=True)
        return self.settings.volumes_dir / name

    # --- what its people do

    def deploy(self, profile: str, agent: str = "clerk") -> str:
        """Register an agent if need be, draft its deployment, sign and create it; return the digest."""
        if not self.rows("SELECT 1 FROM agent WHERE name = :name", name=agent):
            self.write(lambda tx: agents.register(tx, agent, [], owner=OWNER, now=tx.now))
        loaded = parse_profile(profile.encode(), source=agent)
        policy = self.kernel.ground.policy()
        driver, opener = self.kernel.driver, self.kernel.opener
        book = self.kernel.policies
        memory = self.read(lambda c: pinned(c, agent, loaded.profile, roster=book.current(c).roster))
        drafted = self.do(drafting.draft(agent, loaded, policy, driver=driver, opener=opener, memory=memory))
        order = self.order(drafted.parts.digest, Effect.READ)
        signed = OLGA.says(order.matter(StatementType.DEPLOY), to=self.installation, at=utc_now())
        issued = self.write(
            lambda tx: drafting.deploy(tx, drafted, order, signed, roster=self._roster(tx), now=tx.now)
        )
        assert isinstance(issued, Issued), issued
        return order.deployment

    def order(self, deployment: str, effect: Effect, *, life: timedelta = timedelta(days=7)) -> Order:
        now = utc_now()
        return Order(new_id("grant"), deployment, effect, now, now + life, f"unix:{OPERATOR}", OWNER)

    def grant(self, deployment: str, *effects: Effect, life: timedelta = timedelta(days=7)) -> list[Order]:
        """Issue grants, each signed by those whom the policy asks for."""
        return [self._grant(self.order(deployment, effect, life=life)) for effect in effects]

    def _grant(self, order: Order) -> Order:
        now = utc_now()
        signed = [p.says(order.matter(), to=self.installation, at=now) for p in GRANTERS[order.effect]]
        issued = self.write(lambda tx: grants.issue(tx, order, signed, roster=self._roster(tx), now=tx.now))
        assert isinstance(issued, Issued), issued
        return order

    def revoke(self, deployment: str, *effects: Effect) -> tuple[str, ...]:
        return self.write(
            lambda tx: grants.revoke(
                tx, deployment, effects=effects, cause="a test", actor="rosa", now=tx.now
            )
        )

    def freeze(self, agent: str, by: Person = OLGA) -> Stop | Refused:
        order = Freeze(new_id("freeze"), Scope.AGENT, agent, "a test", utc_now() + timedelta(days=1))
        signed = by.says(order.matter, to=self.installation, at=utc_now())
        return self.write(lambda tx: freeze.freeze(tx, order, signed, roster=self._roster(tx), now=tx.now))

    def waiting(self, run: str) -> HoldCard:
        """The one hold of a run that waits; waits for it."""
        rows = patiently(
            lambda: [row for row in self.do(self.kernel.holds.listed((HoldState.WAITING,))) if row.run == run]
        )
        (row,) = rows
        return self.do(self.kernel.holds.card(row.id))

    def ballot(self, card: HoldCard, person: Person, *, yes: bool = True) -> SignedStatement:
        type_ = StatementType.APPROVAL if yes else StatementType.REJECTION
        return person.says(card.matter(type_, reason="looked"), to=self.installation, at=utc_now())

    def vote(self, card: HoldCard, person: Person, *, yes: bool = True) -> Voted | Refused:
        return self.do(self.kernel.gate.vote(self.ballot(card, person, yes=yes), card.hold))

    @property
    def suggestions(self) -> Suggestions:
        return Suggestions(self.kernel.ledger, self.kernel.policies)

    # --- what its agents do

    def launch(
        self,
        deployment: str,
        *steps: Step,
        command: Sequence[str] = (),
        task: str | None = None,
        runtime: Runtime = Runtime.RUNC,
        setting: Setting = Setting.PRODUCTION,
    ) -> "Launched":
        """Launch a scripted agent that takes these steps, or any other command."""
        script = ("python3", "-c", AGENT_SCRIPT) if steps else ()
        request = LaunchRequest(
            deployment=deployment,
            operator=OPERATOR,
            task=json.dumps(steps) if steps else task,
            command=tuple(command) or script,
            runtime=runtime,
            setting=setting,
        )
        return Launched(self, self.do(self.kernel.runs.start(request)).id)

    def _roster(self, tx: Tx) -> Roster:
        return self.kernel.policies.current(tx.conn).roster


def join(node: Path, other: Path) -> None:
    """Make the directories of one more node on the database of another, as docs/operating.md says."""
    (node / "state").mkdir(mode=0o700, parents=True)
    (node / "anchor").mkdir()
    shutil.copytree(other / "state" / "keys", node / "state" / "keys")
    shutil.copy(other / "state" / PIN_NAME, node / "state" / PIN_NAME)


def _found(settings: Settings) -> str:
    """Do what `handrail init` does; return the installation's name."""
    if settings.database_url is None:
        lay_out(settings.state_dir / "handrail.db")
    prepare_state(settings)
    installation = load_keys(settings.keys_dir).signer.verifier.name
    matter = first_version(STAFF).matter
    signed = [person.says(matter, to=installation, at=utc_now()) for person in EVERYONE]
    ledger = open_ledger(settings, limits=PATIENT)
    try:
        pin_path = settings.state_dir / PIN_NAME
        ledger.write_sync(
            lambda tx: write_pin(pin_path, init_policy(tx, STAFF, signed, installation=installation))
        )
    finally:
        ledger.close()
    return installation


def give_to_boxes(directory: Path) -> None:
    """Let the boxes' user read and write a volume."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, BOX_UID, BOX_UID, follow_symlinks=False)


@dataclass(frozen=True)
class Launched:
    """A run of this house."""

    house: House
    id: str

    @property
    def view(self) -> RunView:
        return self.house.read(lambda conn: store.find(conn, self.id))

    @property
    def box(self) -> Box:
        """The agent's own box."""
        (found,) = [box for box in self.house.boxes("agent") if box.labels["run"] == self.id]
        return found

    def ended(self) -> RunView:
        """Wait for the recorded ending."""
        patiently(lambda: self.view.state is RunState.ENDED)
        return self.view

    def output(self) -> str:
        return self.house.do(self.house.kernel.runs.logs(self.id)).decode()

    def said(self) -> list[dict[str, Any]]:
        """What the scripted agent printed, a step each."""
        return [json.loads(line) for line in self.output().splitlines()]

    def finished(self) -> list[dict[str, Any]]:
        """Wait for the end, which must be an orderly one, and return what the agent printed."""
        view = self.ended()
        assert (view.outcome, view.exit_code) == ("exited", 0), self.output()
        return self.said()

    def has_said(self, steps: int) -> list[dict[str, Any]]:
        """Wait until the agent has taken so many steps."""
        return patiently(lambda: said if len(said := self.said()) >= steps else [])

    def tell(self, path: str) -> None:
        """Make a file in the agent's box, for which it waits."""
        self.house.kernel.driver.exec(self.box, ["touch", path])

    def progress(self, least: int) -> None:
        """Wait until the agent's repeated call was carried out so often."""
        driver = self.house.kernel.driver
        patiently(lambda: int(driver.exec(self.box, ["cat", "/tmp/progress"]).stdout or b"0") >= least)

    def states(self) -> list[tuple[str, str]]:
        """Each action of the run: its tool and what became of it, in order."""
        query = "SELECT tool, state FROM action WHERE run = :run ORDER BY log_seq"
        return [tuple(row) for row in self.house.rows(query, run=self.id)]

    def stop(self) -> RunView:
        return self.house.do(self.house.kernel.runs.stop(self.id))


def patiently(look: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Look again and again until something is there."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.03)
    return found
