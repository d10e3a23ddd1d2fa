"""What a kernel is built on: settings, record, policy and engine, and what runs need of them."""

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx

from profiles.compile import compile_profile
from profiles.effects import Effect, Tier
from profiles.policy import Policy
from profiles.schema import Profile
from profiles.setting import Setting
from profiles.within import narrowest
from runtime import grants
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import UNKNOWN, AlertRule, Deviation
from runtime.canonical import JsonValue
from runtime.cedar import CedarEngine
from runtime.clock import Clock, new_id
from runtime.context.own import Premises, own_values
from runtime.credentials import CredentialFiles
from runtime.demotion import DemotionCause, drop
from runtime.deployments import Deployment
from runtime.gate.context import RunContext
from runtime.memory.book import MemoryBook
from runtime.memory.files import MemoryFiles
from runtime.memory.peer import MemoryPeer
from runtime.node import host_names
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.ledger import Ledger
from runtime.runs.states import RunError, RunView
from runtime.runs.suited import check_suited
from runtime.settings import Settings
from runtime.upstreams.boxed import BoxRoom
from runtime.upstreams.errors import ManifestChangedError
from runtime.upstreams.manifest import Manifest
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.upstreams import Upstreams
from sandboxes.driver import SandboxDriver
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook
from sandboxes.spec import Runtime
from sandboxes.volumes import VolumeStore

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ground:
    """What everything else is built on."""

    settings: Settings
    installation: str
    node: str
    clock: Clock
    ledger: Ledger
    policies: PolicyBook
    driver: SandboxDriver
    models: httpx.AsyncClient
    rules: Rulebook = SHIPPED_RULES

    @property
    def engine(self) -> str:
        """The address of the engine."""
        return f"unix://{self.settings.docker_socket}"

    @property
    def premises(self) -> Premises:
        """Where runs are carried out; its names are shown to none of them."""
        return Premises(self.installation, self.node, host_names(), self.settings)

    @cached_property
    def memories(self) -> MemoryBook:
        """What agents remember from run to run."""
        files = MemoryFiles(self.settings.memory_dir)
        return MemoryBook(self.ledger, self.policies, files, self.clock, new_id)

    def policy(self) -> Policy:
        """The policy in force."""
        with self.ledger.read() as connection:
            return self.policies.current(connection).head.policy

    def opener(
        self,
        profile: Profile,
        runtime: Runtime = Runtime.RUNC,
        run: str = "",
        setting: Setting = Setting.PRODUCTION,
    ) -> ServerOpener:
        """Make what opens a profile's upstreams; their boxes carry the run's id where there is a run."""
        policy = self.policy()
        volumes = VolumeStore(
            self.settings.volumes_of(setting),
            policy.ceiling.volume_mib,
            lambda name, path: self._tell_unlimited(run, name, path),
            apart=self.settings.volumes_of(setting.other),
        )
        room = BoxRoom(
            driver=self.driver,
            owner=self.node,
            volumes=volumes,
            runtime=runtime,
            labels={"part": "upstream"} | ({"run": run} if run else {}),
            now=self.clock,
        )
        secrets = CredentialFiles(
            self.settings.credentials_of(setting), apart=self.settings.credentials_of(setting.other)
        )
        return ServerOpener(
            profile=profile,
            policy=policy,
            boxes=room,
            credentials=secrets,
            setting=setting,
            memory=lambda limits: MemoryPeer(self.memories, limits),
        )

    def upstreams(
        self,
        deployment: Deployment,
        runtime: Runtime = Runtime.RUNC,
        run: str = "",
        setting: Setting = Setting.PRODUCTION,
    ) -> Upstreams:
        """Describe a deployment's upstreams; one that no longer offers what was pinned ends its grants.

        An endpoint for evaluations was never pinned itself: if it offers something else, the launch fails and
        people are told, and what the deployment may do in production stays.
        """
        changed = self.suspend if setting is Setting.PRODUCTION else self.tell_changed
        return Upstreams(
            deployment.profile,
            self.opener(deployment.profile, runtime, run, setting),
            pinned=Manifest.from_json(deployment.parts.manifest),
            on_changed=lambda error: changed(deployment, error),
        )

    def check_setting(self, profile: Profile, setting: Setting) -> None:
        """Refuse a launch in a setting that lacks endpoints or keys of its own; see `runtime.runs.suited`."""
        check_suited(profile, self.settings, setting)

    def tell_changed(self, deployment: Deployment, error: ManifestChangedError) -> None:
        """Raise an alert: an upstream's endpoint for evaluations does not offer what production's does."""

        def unit(tx: Tx) -> None:
            policy = self.policies.current(tx.conn).head.policy
            raise_alert(tx, _changed(deployment, error), policy=policy, now=tx.now)

        self.ledger.submit(unit).add_done_callback(_report)

    def suspend(self, deployment: Deployment, error: ManifestChangedError) -> None:
        """Take every grant from a deployment whose upstream has changed, and raise an alert (R-76)."""
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
            digest, cause = deployment.digest, DemotionCause.CHANGED
            drop(tx, digest, Tier.OBSERVE, cause, actor="handrail", now=now)
            grants.revoke(tx, digest, effects=(Effect.READ,), cause=cause.value, actor="handrail", now=now)
            policy = self.policies.current(tx.conn).head.policy
            raise_alert(tx, _changed(deployment, error), policy=policy, now=tx.now)

        self.ledger.submit(unit).add_done_callback(_report)

    def _tell_unlimited(self, run: str, name: str, path: Path) -> None:
        """Say and record that an upstream may fill the disk under a directory of the host."""
        _LOG.warning(
            "volume %s is the directory %s: no limit keeps an upstream from filling its disk", name, path
        )
        data: dict[str, JsonValue] = {"volume": name, "directory": str(path)}
        event = Event(
            kind=EventKind.VOLUME_UNLIMITED, at=self.clock(), actor="handrail", run=run or None, data=data
        )
        self.ledger.submit(lambda tx: tx.append(event)).add_done_callback(_report_unrecorded)

    def context(self, view: RunView, deployment: Deployment, owner: str) -> RunContext:
        """Build what the gate knows of a run: the profile as far as the policy lets it go, and its rules.

        Raises:
            RunError: the operator's rules of the scrubber are others than those that its deployment names.
        """
        self._need_rules(deployment)
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
            setting=view.setting,
            own=own_values(view, deployment, self.premises),
            rules=self.rules,
        )

    def _need_rules(self, deployment: Deployment) -> None:
        if deployment.parts.rules != self.rules.digest:
            asked, here = (digest[:12] or "none" for digest in (deployment.parts.rules, self.rules.digest))
            raise RunError(
                f"deployment {deployment.digest[:12]} was made with the operator's rules {asked}, here are "
                f"{here}: expected the same, since they shape what an agent sees; put them back, or deploy "
                f"anew with `handrail deploy create {deployment.parts.agent}`"
            )


def _changed(deployment: Deployment, error: ManifestChangedError) -> Deviation:
    """Return what is wrong with a changed upstream, under the profile's names and none of the upstream's."""
    tools = deployment.profile.tools.items()
    named = [name for name, spec in tools if f"tool:{spec.tool or name}" in error.changed]
    return Deviation(
        agent=deployment.parts.agent,
        rule=AlertRule.CHANGED,
        tool=named[0] if named else UNKNOWN,
        resource=error.upstream,
        deployment=deployment.digest,
        detail=str(error),
    )


def _report(suspending: "Future[None]") -> None:
    """Say aloud that a deployment could not be suspended; its record does not answer, so nothing acts."""
    if (error := suspending.exception()) is not None:
        _LOG.error("a changed deployment could not be suspended: %s", error)


def _report_unrecorded(recording: "Future[int]") -> None:
    if (error := recording.exception()) is not None:
        _LOG.error("a volume without a limit could not be recorded: %s", error)
