"""A proving ground: a town whose agent is really deployed, acts, is judged, watched and assessed."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from profiles.effects import Effect
from profiles.load import LoadedProfile, parse_profile
from profiles.risk import Trait
from profiles.setting import Setting
from rollout.activity import scan_activity
from rollout.evidence.acceptance import accept, matter_to_accept
from rollout.evidence.assessments import Finding, Subject, record
from rollout.evidence.capabilities import capabilities_digest
from rollout.evidence.collect import collect
from rollout.evidence.judging import Phase
from rollout.evidence.model import AuditState, Evidence, Parity
from rollout.evidence.parity import parity_of
from rollout.gates.model import GateId
from rollout.monitor import beat
from rollout.reviews.obligations import keep
from runtime import agents, deployments
from runtime.clock import new_id
from runtime.context.proofs import STATUSES, ContextProof, code_version
from runtime.context.proofs import record as record_proof
from runtime.deployments import Deployment, Parts
from runtime.drafting import Draft, deploy
from runtime.gate.states import JudgementVerdict
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.people.roster import Refused, Roster
from runtime.people.statement import Matter, StatementType
from runtime.record.batch import Tx
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from sandboxes.spec import Runtime
from tests.standins.evidence import Desk
from tests.standins.persons import Person, Town
from tests.standins.recorded import add_run
from tests.standins.towns import DORA, EVERYONE, OLGA, ROSA, STAFF, SVEN, grant, order
from tests.standins.workshop import PROFILE, Hands, Workshop, make_context, make_gate

AGENT = "bot"
TRAITS = (Trait.EXECUTES_APPROVED_ACTIONS.value,)
DAY = timedelta(days=1)
STEP = timedelta(minutes=5)
GRANTERS = {Effect.DRAFT: (ROSA,), Effect.UPDATE: (ROSA, DORA), Effect.SEND: (DORA, SVEN)}


class Proving:
    """One agent on its way up. Time passes only where a method says so."""

    def __init__(self, directory: Path, *, profile: str = PROFILE) -> None:
        self.town = Town(directory)
        self.town.begin(STAFF, *EVERYONE)
        self.town.write(lambda tx: agents.register(tx, AGENT, TRAITS, owner="olga", now=tx.now))
        self.digest = self.deploy(profile)
        run = make_context(
            self.town, self.deployment.profile, wide=True, deployment=self.digest, owner="olga"
        )
        self.town.write(lambda tx: add_run(tx, _run(run.run, self.digest, tx.now)))
        hands = Hands()
        self.shop = Workshop(self.town, run, make_gate(self.town, run, hands), hands)

    # --- what there is

    @property
    def deployment(self) -> Deployment:
        return self.town.read(lambda conn: deployments.find(conn, self.digest))

    @property
    def roster(self) -> Roster:
        return self.town.state.roster

    @property
    def desk(self) -> Desk:
        return Desk(self.shop)

    def evidence(self, effect: Effect = Effect.DRAFT, *, audit: AuditState | None = None) -> Evidence:
        """Everything that is known now."""
        scan_activity(self.town.ledger)
        now = self.town.now
        sound = audit or AuditState(100, 100, (), now)
        return self.town.read(
            lambda conn: collect(
                conn, self.digest, effect, state=self.town.book.current(conn), now=now, audit=sound
            )
        )

    def parity(self, code: str) -> tuple[Parity, ...]:
        """What is proven for the deployment by this code and these rules."""
        within, now = timedelta(days=30), self.town.now
        return self.town.read(
            lambda conn: parity_of(conn, self.deployment, within=within, engine=None, now=now, code=code)
        )

    # --- what happens

    def deploy(self, profile: str) -> str:
        """Create a deployment with its read grant, signed by olga."""
        loaded: LoadedProfile = parse_profile(profile.encode(), source="test")
        parts = Parts(agent=AGENT, profile=loaded.digest, image="sha256:aa", upstream_images={}, manifest={})
        ends = self.town.now + timedelta(days=34)
        asked = Order(new_id("grant"), parts.digest, Effect.READ, self.town.now, ends, "unix:root", "olga")
        signed = self.town.signed(OLGA, asked.matter(StatementType.DEPLOY))
        drafted = Draft(parts=parts, profile=loaded, offers={})
        issued = self.town.write(
            lambda tx: deploy(tx, drafted, asked, signed, roster=self.town.state.roster, now=tx.now)
        )
        assert isinstance(issued, Issued), issued
        return parts.digest

    def grant(self, effect: Effect, *, days: float = 30) -> Order:
        """Grant a class, as an applied promotion does."""
        asked = order(self.town, effect, days=days, deployment=self.digest, requester="olga")
        assert isinstance(grant(self.town, asked, *GRANTERS[effect]), Issued)
        return asked

    def watch(self, span: timedelta) -> None:
        """Let time pass under the monitor's eyes."""
        began, until = self.town.now, self.town.now + span
        beats = [began + number * STEP for number in range(span // STEP + 1)]
        self.town.now = until
        self.town.write(lambda tx: [beat(tx, moment) for moment in (*beats, until)] and None)

    def work(self, *messages: str, judges: tuple[Person, ...] = (DORA, SVEN)) -> None:
        """Let the agent suggest labels, draw them all, and have people agree with each in turn."""
        self.desk.label(*messages)
        self.desk.draw()
        known = {item.id for item in self.desk.items()}
        for number, item in enumerate(sorted(known - self._judged())):
            self.judge(item, judges[number % len(judges)], JudgementVerdict.AGREE)

    def day(self, *messages: str) -> None:
        """One day of work, watched throughout."""
        self.work(*messages)
        self.watch(self.town.now.replace(hour=9, minute=0, second=0) + DAY - self.town.now)

    def judge(self, item: str, who: Person, verdict: JudgementVerdict) -> None:
        """Judge an item in both phases where it was drawn blind."""
        if self.desk.show(item, who).phase is Phase.EXPECT:
            assert not isinstance(self.desk.expect(item, who), Refused)
        assert not isinstance(self.desk.say(item, who, verdict), Refused)

    def keep_reviews(self) -> None:
        """Make what is owed, as the tick does."""
        rules = self.town.state.head.policy.reviews
        while not self.town.write(lambda tx: keep(tx, rules=rules, new_id=new_id)).done:
            pass

    def assess(
        self, what: Subject, who: Person = SVEN, *, passed: bool = True, turns: int | None = None
    ) -> Finding | Refused:
        """Sign and hand in a verdict."""
        made = self.deployment
        radius = what is Subject.BLAST_RADIUS
        reach = capabilities_digest(made.profile) if radius else None
        steps = 6 if what is Subject.MULTI_STEP and turns is None else turns
        return self.hand_in(who, Finding(self.digest, what, passed, "tried it", steps, reach).matter)

    def hand_in(self, who: Person, matter: Matter) -> Finding | Refused:
        signed, made = self.town.signed(who, matter), self.deployment
        return self.town.write(lambda tx: record(tx, signed, made, roster=self._roster(tx)))

    def assess_all(self) -> None:
        """Assess everything, and prove context isolation."""
        self.prove()
        for what in Subject:
            assert isinstance(self.assess(what), Finding)

    def prove(self, **changes: Any) -> None:
        """Record a proof of context isolation for the deployment's image."""
        prove(self.town, self.deployment, **changes)

    def ran(self, runtime: Runtime, setting: Setting = Setting.PRODUCTION) -> str:
        """Launch a run as far as the record knows."""
        town, run = self.town, new_id("run")
        request = LaunchRequest(deployment=self.digest, operator="olga", runtime=runtime, setting=setting)
        ends = town.now + timedelta(hours=1)
        town.write(
            lambda tx: store.requested(tx, run, request, agent=AGENT, node="n", expires_at=ends, now=tx.now)
        )
        view = town.read(lambda conn: store.find(conn, run))
        town.write(lambda tx: store.released(tx, view, (), now=tx.now))
        return run

    def accept(self, who: Person = ROSA, reason: str = "looked at each") -> str | Refused:
        signed = self.town.signed(who, matter_to_accept(self.digest, GateId.G7, reason))
        return self.town.write(lambda tx: accept(tx, signed, self.digest, roster=self._roster(tx)))

    def close(self) -> None:
        self.town.close()

    def _judged(self) -> set[str]:
        return {row[0] for row in self.shop.rows("SELECT DISTINCT suggestion FROM judgement")}

    def _roster(self, tx: Tx) -> Roster:
        return self.town.book.current(tx.conn).roster


def prove(town: Town, deployment: Deployment, **changes: Any) -> None:
    """Record a proof of context isolation, as `handrail context verify` does."""
    good: dict[str, Any] = {
        "image": deployment.parts.image,
        "probed": deployment.parts.image,
        "runtime": "runc",
        "ok": True,
        "at": town.now,
        "code": code_version(),
        "engine": "a stand-in",
        "facts": 8000,
        "differing": (),
        "statuses": tuple(sorted(STATUSES)),
    }
    proof = ContextProof(**good | changes)
    town.write(lambda tx: record_proof(tx, proof, actor="olga"))


def policy_with(*path: str, value: object, version: int = 2) -> str:
    """The town's policy with one value changed, as its next version."""
    tree = yaml.safe_load(STAFF)
    tree["version"] = version
    part = tree
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return yaml.safe_dump(tree, sort_keys=False)


def _run(run: str, deployment: str, now: datetime) -> dict[str, object]:
    return {
        "id": run,
        "deployment": deployment,
        "agent": AGENT,
        "state": "running",
        "operator": "olga",
        "proof": b"{}",
        "requested_at": now,
        "released_at": now,
        "expires_at": now + timedelta(days=400),
    }
