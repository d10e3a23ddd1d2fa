"""The composition root: from settings to all that `serve` runs. Parts are chosen here and nowhere else."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from console.engine import Assess, EngineWatch, assessors
from console.ground import Ground
from profiles.schema import Profile
from rollout.auditing import AuditWatch
from rollout.evidence.assessor import Assessor as EvidenceAssessor
from rollout.scheduler import JobFault
from runtime.alerts.book import RaisedAlert, raise_alert
from runtime.alerts.rules import SYSTEM, AlertRule, Deviation
from runtime.broker import Broker
from runtime.clock import Clock, new_id, random_bytes, utc_now
from runtime.context.proofs import code_of
from runtime.deployments import Deployment
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.holds import HoldBook
from runtime.gate.parts import HOLD_WAIT_SECONDS, GateParts, Notifier
from runtime.gateway.model_app import models_of
from runtime.gateway.server import RunGateway
from runtime.models.pins import ModelPins
from runtime.node import node_name
from runtime.notices.sender import Sender
from runtime.notices.setup import channels_of
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx
from runtime.record.keyring import KeyRing
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger
from runtime.record.verify import verify_state
from runtime.runs.carrier import RunCarrier
from runtime.runs.door import RunDoor
from runtime.runs.lifecycle import Runs
from runtime.runs.machinery import Machinery
from runtime.runs.states import RunView
from runtime.settings import Settings
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.providers import model_client
from runtime.upstreams.upstreams import Upstreams
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import SandboxDriver
from sandboxes.reaper import start_reaper
from sandboxes.scrub.rulebook import open_rulebook
from sandboxes.spec import Runtime

REAPER_LOCK = "reaper.lock"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kernel:
    """Everything that `serve` runs, as its routes and jobs use it."""

    ground: Ground
    single_user: bool
    gate: Gate
    runs: Runs
    keyring: KeyRing
    notifier: Sender
    assess: Assess = EvidenceAssessor
    engine: EngineWatch = field(default_factory=lambda: EngineWatch(lambda: None))

    @property
    def installation(self) -> str:
        """The origin of the log: statements name it."""
        return self.ground.installation

    @property
    def owner(self) -> str:
        """The mark of our boxes at the engine."""
        return self.ground.node

    @property
    def clock(self) -> Clock:
        """The present moment."""
        return self.ground.clock

    @property
    def ledger(self) -> Ledger:
        """The record."""
        return self.ground.ledger

    @property
    def policies(self) -> PolicyBook:
        """The policy in force."""
        return self.ground.policies

    @property
    def driver(self) -> SandboxDriver:
        """The engine."""
        return self.ground.driver

    @property
    def holds(self) -> HoldBook:
        """The actions that wait for people."""
        return self.gate.holds

    @cached_property
    def audit(self) -> AuditWatch:
        """What verifying the record found last; it verifies again when that is too old."""
        return AuditWatch(lambda: verify_state(self.ground.settings))

    def opener(self, profile: Profile) -> ServerOpener:
        """Make what opens a profile's upstreams outside any run."""
        return self.ground.opener(profile)

    def report(self, fault: JobFault) -> None:
        """Raise an alert: a job of the clock failed."""
        _LOG.error("job %s at %s: %s", fault.job, fault.at, fault.error)
        failed = Deviation(
            agent=SYSTEM, rule=AlertRule.JOB_FAILED, tool=fault.job, resource="job", detail=fault.error
        )
        self.ledger.submit(lambda tx: self._raise(tx, failed))

    def _raise(self, tx: Tx, deviation: Deviation) -> RaisedAlert:
        policy = self.policies.current(tx.conn).head.policy
        return raise_alert(tx, deviation, policy=policy, now=tx.now)

    async def begin(self) -> tuple[str, ...]:
        """Take up what an earlier process left, in the one safe order; return the runs that go on.

        What it left at the engine goes first: later boxes may belong to the approved writes that the gate
        carries out. The gate must know its holds and close its open intents before any run acts again.
        """
        await self.runs.clear()
        self.notifier.start()
        await self.gate.start()
        return await self.runs.recover()

    async def end(self) -> None:
        """Finish what is under way, before `close`."""
        await self.gate.close()
        await self.notifier.close()
        await self.ground.models.aclose()

    def close(self) -> None:
        """Close the record; the lock of the state directory goes with it."""
        self.ground.ledger.close()


def open_kernel(
    settings: Settings,
    *,
    single_user: bool = False,
    clock: Clock = utc_now,
    hold_wait_seconds: float = HOLD_WAIT_SECONDS,
) -> Kernel:
    """Open an installation for serving. Call it outside the event loop: it waits for disk and engine.

    Args:
        settings: of the installation.
        single_user: whether one user runs everything for himself.
        clock: the present moment.
        hold_wait_seconds: how long a held read waits before it is answered as pending.

    Raises:
        runtime.errors.KernelError: the state directory, its keys, its policy or its record cannot be used.
        sandboxes.errors.EngineUnavailableError: no local engine answers.
        sandboxes.errors.PackError: the operator's own rules cannot be used; the message names file and rule.
    """
    keys = load_keys(settings.keys_dir)
    driver = DockerDriver(f"unix://{settings.docker_socket}")
    rules = open_rulebook(settings.rule_paths)  # last of what can be refused: it may take seconds
    installation = keys.signer.verifier.name
    policies = PolicyBook(settings.state_dir / PIN_NAME, installation)
    ledger = open_ledger(settings, clock=clock)
    try:
        with ledger.read() as connection:
            policies.remember(connection)
        node = node_name(settings.state_dir)
        ground = Ground(settings, installation, node, clock, ledger, policies, driver, model_client(), rules)
        notifier = Sender(channels_of(settings, clock), ledger, clock)
        gate = _gate(ground, notifier, hold_wait_seconds)
        runs = _runs(ground, gate)
        engine, ring = EngineWatch(driver.version), KeyRing(keys.wrapper)
        return Kernel(
            ground, single_user, gate, runs, ring, notifier, assessors(engine, code_of(rules.digest)), engine
        )
    except BaseException:
        ledger.close()
        raise


def _gate(ground: Ground, notifier: Notifier, hold_wait_seconds: float) -> Gate:
    return Gate(
        GateParts(
            ledger=ground.ledger,
            book=ground.policies,
            broker=Broker(new_id, random_bytes),
            clock=ground.clock,
            new_id=new_id,
            carrier=RunCarrier(ground.ledger, ground.context, _upstreams_of(ground)),
            notifier=notifier,
            node=ground.node,
            hold_wait_seconds=hold_wait_seconds,
        )
    )


def _upstreams_of(ground: Ground) -> Callable[[RunView, Deployment], Upstreams]:
    return lambda view, deployment: ground.upstreams(deployment, setting=view.setting)


def _runs(ground: Ground, gate: Gate) -> Runs:
    lock = ground.settings.state_dir / REAPER_LOCK
    pins = ModelPins(ground.ledger, ground.policies)

    def door(run: RunContext, deployment: Deployment, runtime: Runtime) -> RunDoor:
        upstreams = ground.upstreams(deployment, runtime, run.run, run.setting)
        models = models_of(
            run, ground.settings, ground.models, gate=gate, pins=pins, clock=ground.clock, new_id=new_id
        )
        return RunDoor(RunGateway(run, gate=gate, upstreams=upstreams, models=models), upstreams)

    machinery = Machinery(
        ledger=ground.ledger,
        policies=ground.policies,
        driver=ground.driver,
        clock=ground.clock,
        new_id=new_id,
        owner=ground.node,
        context=ground.context,
        check_setting=ground.check_setting,
        memory=ground.memories,
        door=door,
        rules=ground.rules,
        reap=lambda: start_reaper(ground.node, lock, ground.engine),
    )
    return Runs(machinery)
