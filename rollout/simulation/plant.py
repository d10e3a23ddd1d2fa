"""The simulated installation: a real record, policy, gate and clockwork in a directory that goes away."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.load import LoadedProfile, shipped_profile
from profiles.within import narrowest
from rollout.auditing import AuditWatch
from rollout.clockwork import Clockwork, wind_up
from rollout.scheduler import JobFault, Scheduler
from rollout.simulation.chance import Chance
from rollout.simulation.people import OWNER, SimulatedPerson, make_people, policy_text
from runtime import agents
from runtime.broker import Broker
from runtime.cedar import CedarEngine
from runtime.deployments import Parts
from runtime.drafting import Draft, deploy
from runtime.errors import KernelError
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.parts import GateParts
from runtime.gate.replies import Executor
from runtime.grant_rules import MAXIMUM_LIFE, Order
from runtime.people.changes import first_version, init_policy
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.policies import PolicyBook
from runtime.people.roster import Refused, Roster
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.record.batch import Tx
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.verify import verify_state
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from runtime.settings import Settings
from sandboxes.outcome import Ending, Outcome
from sandboxes.proof import Proof
from sandboxes.spec import Runtime

T = TypeVar("T")
AGENT = "invoice-bot"
TRAITS = ("executes-approved-actions",)
PROFILE = "action-executor"
VERIFY_EVERY = timedelta(days=1)
NODE = "simulation"


class SimulationError(KernelError):
    """The story cannot go on: what ought to have been taken was refused."""


@dataclass
class Time:
    """The clock of the story."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.now


class NoCarrier:
    """Carries out nothing later: the story's agent holds no write."""

    @asynccontextmanager
    async def open(self, run: str) -> AsyncIterator[tuple[RunContext, Executor]]:
        """Refuse."""
        raise SimulationError(f"run {run} has a held write, which this story does not know")
        yield


@dataclass
class Plant:
    """Everything that the story happens in."""

    time: Time
    chance: Chance
    settings: Settings
    installation: str
    people: Mapping[str, SimulatedPerson]
    ledger: Ledger
    book: PolicyBook
    gate: Gate
    clockwork: Clockwork
    loaded: LoadedProfile
    faults: list[JobFault]
    scheduler: Scheduler

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit; a refusal undoes it.

        Raises:
            SimulationError: it was refused.
        """

        def checked(tx: Tx) -> T:
            answer = unit(tx)
            if isinstance(answer, Refused):
                raise SimulationError(f"{answer.code.value}: {answer.detail}")
            return answer

        return self.ledger.write_sync(checked)

    def read(self, question: Callable[[Connection], T]) -> T:
        """Ask the database."""
        with self.ledger.read() as conn:
            return question(conn)

    def says(self, person: str, matter: Matter) -> SignedStatement:
        """Let a person sign now."""
        return self.people[person].says(matter, to=self.installation, at=self.time.now)

    def roster(self, tx: Tx) -> Roster:
        """Who counts in this unit."""
        return self.book.current(tx.conn).roster

    def tick(self) -> None:
        """Do what the clock does once a minute in life.

        Raises:
            SimulationError: a job failed.
        """
        self.ledger.checkpoint()
        self.scheduler.tick()
        if self.faults:
            raise SimulationError(f"the clock's job `{self.faults[0].job}` failed: {self.faults[0].error}")

    def deploy(self, image: str) -> str:
        """Deploy the agent with an image; return the digest."""
        parts = Parts(agent=AGENT, profile=self.loaded.digest, image=image, upstream_images={}, manifest={})
        now = self.time.now
        ends = now + MAXIMUM_LIFE - timedelta(seconds=1)
        order = Order(self.chance.new_id("grant"), parts.digest, Effect.READ, now, ends, "unix:otto", OWNER)
        signed = self.says("otto", order.matter(StatementType.DEPLOY))
        drafted = Draft(parts=parts, profile=self.loaded, offers={})
        self.write(lambda tx: deploy(tx, drafted, order, signed, roster=self.roster(tx), now=tx.now))
        return parts.digest

    def begin_run(self, deployment: str, task: str) -> RunContext:
        """Write what a launch writes, but for the box; return what the gate knows of the run."""
        policy = self.read(self.book.current).head.policy
        profile = narrowest(policy, self.loaded.profile)
        run = self.chance.new_id("run")
        request = LaunchRequest(deployment=deployment, operator="otto", task=task)
        self.ledger.write_sync(lambda tx: _launch(tx, run, request))
        engine = CedarEngine.from_compiled(compile_profile(profile))
        return RunContext(run, AGENT, OWNER, deployment, profile, policy, engine, task, "otto")

    def end_run(self, run: str) -> None:
        """Write that a run ended in good order."""
        outcome = Outcome(Ending.EXITED, "the agent is done", 0)
        self.ledger.write_sync(lambda tx: store.ended(tx, store.find(tx.conn, run), outcome, "", now=tx.now))

    def close(self) -> None:
        """End; the directory is the caller's to remove."""
        self.ledger.close()


def _launch(tx: Tx, run: str, request: LaunchRequest) -> None:
    ends = tx.now + timedelta(hours=1)
    store.requested(tx, run, request, agent=AGENT, node=NODE, expires_at=ends, now=tx.now)
    store.attested(
        tx,
        store.find(tx.conn, run),
        Proof(box_id="none", image="none", runtime=Runtime.RUNC, checks=()),
        now=tx.now,
    )
    store.released(tx, store.find(tx.conn, run), (), now=tx.now)


def build_plant(directory: Path, *, seed: int, begin: datetime) -> Plant:
    """Build an installation with its people and one registered agent.

    Args:
        directory: an empty one.
        seed: everything follows from it.
        begin: the first moment of the story.
    """
    time, chance = Time(begin), Chance(seed)
    settings = Settings(state_dir=directory / "state", anchor_dir=directory / "anchor")
    prepare_state(settings, names=chance.new_id, random=chance.bytes)
    installation = load_keys(settings.keys_dir).signer.verifier.name
    people = make_people(chance)
    ledger = open_ledger(settings, clock=time)
    pin = settings.state_dir / PIN_NAME
    text = policy_text(people)
    matter = first_version(text).matter
    signed = [person.says(matter, to=installation, at=begin) for person in people.values()]
    ledger.write_sync(lambda tx: write_pin(pin, init_policy(tx, text, signed, installation=installation)))
    book = PolicyBook(pin, installation)
    parts = GateParts(ledger, book, Broker(chance.new_id, chance.bytes), time, chance.new_id, NoCarrier())
    clockwork = wind_up(
        ledger,
        book,
        audit=AuditWatch(lambda: verify_state(settings)),
        new_id=chance.new_id,
        random=chance.bytes,
        verify_every=VERIFY_EVERY,
    )
    faults: list[JobFault] = []
    scheduler = Scheduler(clockwork.jobs(), clock=time, on_fault=faults.append)
    plant = Plant(
        time,
        chance,
        settings,
        installation,
        people,
        ledger,
        book,
        Gate(parts),
        clockwork,
        shipped_profile(PROFILE),
        faults,
        scheduler,
    )
    plant.write(lambda tx: agents.register(tx, AGENT, TRAITS, owner=OWNER, now=tx.now))
    return plant
