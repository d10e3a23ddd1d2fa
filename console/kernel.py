"""The composition root: from settings to all that `serve` runs. Parts are chosen here and nowhere else."""

import logging
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.policy import Policy
from profiles.schema import Profile
from profiles.within import narrowest
from rollout.scheduler import JobFault
from runtime import grants
from runtime.broker import Broker
from runtime.canonical import JsonValue
from runtime.cedar import CedarEngine
from runtime.clock import Clock, new_id, random_bytes, utc_now
from runtime.credentials import CredentialFiles
from runtime.deployments import Deployment
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.holds import HoldBook
from runtime.gate.parts import HOLD_WAIT_SECONDS, GateParts
from runtime.gateway.model_app import ModelApp, NoModels
from runtime.gateway.model_call import ModelGate
from runtime.gateway.server import RunGateway
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.keyring import KeyRing
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger
from runtime.runs.carrier import RunCarrier
from runtime.runs.door import RunDoor
from runtime.runs.lifecycle import Runs
from runtime.runs.machinery import Machinery
from runtime.runs.states import RunView
from runtime.settings import Settings
from runtime.upstreams.boxed import BoxRoom
from runtime.upstreams.errors import ManifestChangedError
from runtime.upstreams.manifest import Manifest
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.providers import model_client, provider_of
from runtime.upstreams.upstreams import Upstreams
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import SandboxDriver
from sandboxes.reaper import start_reaper
from sandboxes.spec import Runtime

REAPER_LOCK = "reaper.lock"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ground:
    """What everything else is built on."""

    settings: Settings
    installation: str
    clock: Clock
    ledger: Ledger
    policies: PolicyBook
    driver: SandboxDriver
    models: httpx.AsyncClient

    @property
    def engine(self) -> str:
        """The address of the engine."""
        return f"unix://{self.settings.docker_socket}"

    def policy(self) -> Policy:
        """The policy in force."""
        with self.ledger.read() as connection:
            return self.policies.current(connection).head.policy

    def opener(self, profile: Profile, runtime: Runtime = Runtime.RUNC, run: str = "") -> ServerOpener:
        """Make what opens a profile's upstreams; their boxes carry the run's id where there is a run."""
        volumes = self.settings.volumes_dir
        found = {entry.name: str(entry.resolve()) for entry in volumes.glob("*")} if volumes.is_dir() else {}
        room = BoxRoom(
            driver=self.driver,
            owner=self.installation,
            volumes=found,
            runtime=runtime,
            labels={"part": "upstream"} | ({"run": run} if run else {}),
            now=self.clock,
        )
        secrets = CredentialFiles(self.settings.credentials_dir)
        return ServerOpener(profile=profile, policy=self.policy(), boxes=room, credentials=secrets)

    def upstreams(self, deployment: Deployment, runtime: Runtime = Runtime.RUNC, run: str = "") -> Upstreams:
        """Describe a deployment's upstreams; one that no longer offers what was pinned ends its grants."""
        return Upstreams(
            deployment.profile,
            self.opener(deployment.profile, runtime, run),
            pinned=Manifest.from_json(deployment.parts.manifest),
            on_changed=lambda error: self.suspend(deployment, error),
        )

    def suspend(self, deployment: Deployment, error: ManifestChangedError) -> None:
        """Take every grant from a deployment whose upstream has changed (R-76)."""
        now = self.clock()

        def unit(tx: Tx) -> None:
            data: dict[str, JsonValue] = {"upstream": error.upstream, "changed": list(error.changed)}
            tx.append(
                Event(
                    kind=EventKind.DEPLOYMENT_SUSPENDED,
                    at=now,
                    actor="handrail",
                    agent=deployment.parts.agent,
                    deployment=deployment.digest,
                    data=data,
                )
            )
            cause = "an upstream changed"
            grants.revoke(
                tx, deployment.digest, effects=tuple(Effect), cause=cause, actor="handrail", now=now
            )

        self.ledger.submit(unit)

    def context(self, view: RunView, deployment: Deployment, owner: str) -> RunContext:
        """Build what the gate knows of a run: the profile as far as the policy lets it go, and its rules."""
        policy = self.policy()
        profile = narrowest(policy, deployment.profile)
        return RunContext(
            run=view.id,
            agent=view.agent,
            owner=owner,
            deployment=view.deployment,
            profile=profile,
            policy=policy,
            engine=CedarEngine.from_compiled(compile_profile(profile)),
            task=view.task,
            operator=view.operator,
            single_user=view.single_user,
        )


@dataclass(frozen=True)
class Kernel:
    """Everything that `serve` runs, as its routes and jobs use it."""

    ground: Ground
    single_user: bool
    gate: Gate
    runs: Runs
    keyring: KeyRing

    @property
    def installation(self) -> str:
        """The origin of the log: statements name it."""
        return self.ground.installation

    @property
    def owner(self) -> str:
        """The mark of our boxes at the engine."""
        return self.ground.installation

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

    def opener(self, profile: Profile) -> ServerOpener:
        """Make what opens a profile's upstreams outside any run."""
        return self.ground.opener(profile)

    def report(self, fault: JobFault) -> None:
        """Tell of a job of the clock that failed."""
        _LOG.error("job %s at %s: %s", fault.job, fault.at, fault.error)

    async def end(self) -> None:
        """Finish what is under way, before `close`."""
        await self.gate.close()
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
    """
    driver = DockerDriver(f"unix://{settings.docker_socket}")
    keys = load_keys(settings.keys_dir)
    installation = keys.signer.verifier.name
    policies = PolicyBook(settings.state_dir / PIN_NAME, installation)
    ledger = open_ledger(settings, clock=clock)
    try:
        with ledger.read() as connection:
            policies.remember(connection)
        ground = Ground(settings, installation, clock, ledger, policies, driver, model_client())
        gate = _gate(ground, hold_wait_seconds)
        return _assemble(ground, KeyRing(keys.wrapper), gate, single_user=single_user)
    except BaseException:
        ledger.close()
        raise


def _gate(ground: Ground, hold_wait_seconds: float) -> Gate:
    return Gate(
        GateParts(
            ledger=ground.ledger,
            book=ground.policies,
            broker=Broker(new_id, random_bytes),
            clock=ground.clock,
            new_id=new_id,
            carrier=RunCarrier(ground.ledger, ground.context, ground.upstreams),
            hold_wait_seconds=hold_wait_seconds,
        )
    )


def _assemble(ground: Ground, keyring: KeyRing, gate: Gate, *, single_user: bool) -> Kernel:
    settings = ground.settings

    def door(run: RunContext, deployment: Deployment, runtime: Runtime) -> RunDoor:
        upstreams = ground.upstreams(deployment, runtime, run.run)
        models = _models(ground, gate, run)
        return RunDoor(RunGateway(run, gate=gate, upstreams=upstreams, models=models), upstreams)

    machinery = Machinery(
        ledger=ground.ledger,
        driver=ground.driver,
        clock=ground.clock,
        new_id=new_id,
        owner=ground.installation,
        context=ground.context,
        door=door,
        reap=lambda: start_reaper(ground.installation, settings.state_dir / REAPER_LOCK, ground.engine),
    )
    return Kernel(ground, single_user, gate, Runs(machinery), keyring)


def _models(ground: Ground, gate: Gate, run: RunContext) -> ASGIApp:
    spec = run.profile.model
    if spec is None:
        return NoModels()
    provider = provider_of(spec.provider, ground.settings)
    return ModelApp(spec, ModelGate(run, spec, provider, ground.models, gate=gate, new_id=new_id))
