"""A town in which an agent is promoted: real rows, real words, real gates; only the evidence is invented.

What the gates look at comes from `Eyes`: all is well until a test changes it. What is granted, suspended,
frozen or alerted is read from the real tables, so that a test can change it where an attacker would.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from profiles.effects import Effect, Tier
from profiles.policy import Threshold
from profiles.risk import Risk
from rollout.evidence.model import AlertState, AuditState, Evidence, Power, ReviewState, Sample
from rollout.gates.model import GateId
from rollout.promotions import rows
from rollout.promotions.applying import Applied, Over, Standing, apply, examine
from rollout.promotions.asking import ask
from rollout.promotions.demoting import Demoted, demote
from rollout.promotions.ending import sweep
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import (
    matter_to_ask,
    matter_to_demote,
    matter_to_except,
    matter_to_reject,
    matter_to_withdraw,
)
from rollout.promotions.voting import Voted, approve, except_from, reject, withdraw
from runtime import agents, deployments, freeze, grants, suspensions
from runtime.clock import new_id
from runtime.gate.actions import digest_of
from runtime.people.policies import PolicyBook
from runtime.people.roster import RefusalCode, Refused, Roster
from runtime.people.statement import Matter, SignedStatement
from runtime.record.batch import Tx
from tests.standins.deployed import deployed
from tests.standins.measured import good_dwell, good_evidence, good_sample
from tests.standins.persons import Person, Town
from tests.standins.towns import OLGA, ROSA

AGENT = "bot"
DAY = timedelta(days=1)


@dataclass
class Eyes:
    """Looks at evidence that a test arranges; the rest it reads from the tables.

    Attributes:
        judged: the judged items: the record's entry of each, and its verdict.
    """

    book: PolicyBook
    begun: datetime
    risk: Risk = Risk.HIGH
    reviewers: tuple[str, ...] = ("dora", "sven")
    judged: dict[str, tuple[int, str]] = field(default_factory=dict)
    threshold: Threshold = field(default_factory=lambda: Threshold(agreement=0.9, observed_days=14))
    observed: timedelta = 15 * DAY
    days: int = 12
    next_review: timedelta = 5 * DAY
    unplanned: bool = False
    profile: str | None = None

    def collect(self, conn: Connection, deployment: str, effect: Effect, *, now: datetime) -> Evidence:
        found = deployments.find(conn, deployment)
        state = self.book.current(conn)
        since = self._since(found.created_at)
        seconds = self.observed.total_seconds()
        heard = now - timedelta(seconds=40)
        due = None if self.unplanned else self.due
        return good_evidence(
            agent=found.parts.agent,
            deployment=deployment,
            effect=effect,
            at=now,
            owner=state.roster.person_of(agents.find(conn, found.parts.agent).owner),
            risk=self.risk,
            policy=state.head.digest,
            profile=self.profile or found.parts.profile,
            profile_since=since,
            counted_since=since,
            threshold=self.threshold,
            approval_hours=state.head.policy.expiry.promotion_hours,
            sample=self.sample(conn, deployment, effect, since=since, before=None),
            dwell=good_dwell(
                since=since, observed_seconds=seconds, total_observed_seconds=seconds, last_heartbeat=heard
            ),
            alerts=AlertState(_open_alerts(conn), (), ()),
            reviews=ReviewState((), due, None if due is None else now + 60 * DAY),
            audit=AuditState(900, 890, (), now),
            power=self._power(conn, found, now=now, roster=state.roster),
        )

    def sample(
        self, conn: Connection, deployment: str, effect: Effect, *, since: datetime, before: int | None
    ) -> Sample:
        del conn, deployment, effect, since
        known = sorted(
            (id_, verdict) for id_, (seq, verdict) in self.judged.items() if before is None or seq < before
        )
        harmful = sum(verdict == "harmful" for _, verdict in known)
        digest = digest_of([list(one) for one in known])
        return good_sample(
            agree=40 - harmful,
            miss=harmful,
            harmful=harmful,
            days=self.days,
            reviewers=self.reviewers,
            digest=digest,
        )

    @property
    def due(self) -> datetime:
        return self.begun + self.next_review

    def _since(self, created_at: datetime) -> datetime:
        return created_at - 15 * DAY

    def _power(
        self, conn: Connection, found: deployments.Deployment, *, now: datetime, roster: Roster
    ) -> Power:
        held = grants.granted(conn, found.digest, now=now, roster=roster)
        stopped = freeze.frozen(
            conn, agent=found.parts.agent, deployment=found.digest, now=now, roster=roster
        )
        waiting = suspensions.standing(conn, found.digest, now=now, roster=roster)
        return Power(
            tuple(effect for effect in Effect if effect in held),
            tuple(effect for effect in Effect if effect in found.profile.effects),
            tuple(one.reason for one in waiting),
            tuple(one.reason for one in stopped),
        )


class Stage:
    """One agent at tier 0, and everything that can be said about promoting it."""

    def __init__(self, town: Town, *, profile: str = "action-executor") -> None:
        self.town = town
        self.deployment = deployed(town, AGENT, profile=profile)
        self.eyes = Eyes(town.book, town.now)
        self.single_user = False
        town.later(minutes=1)

    def judge(self, item: str, verdict: str = "agree") -> None:
        """Let an item be judged now."""
        self.eyes.judged[item] = (self.town.count("log_entry") - 1, verdict)

    # --- what people say

    def ask(
        self, who: Person = OLGA, effect: Effect = Effect.DRAFT, *, deployment: str | None = None
    ) -> Frozen | Refused:
        matter = matter_to_ask(
            new_id("prom"),
            agent=AGENT,
            deployment=deployment or self.deployment,
            effect=effect,
            reason="it does well",
        )
        return self.hand_in_request(self.town.signed(who, matter))

    def hand_in_request(self, signed: SignedStatement) -> Frozen | Refused:
        def unit(tx: Tx) -> Frozen | Refused:
            roster = self.roster(tx)
            return ask(
                tx, signed, assessor=self.eyes, roster=roster, new_id=new_id, single_user=self.single_user
            )

        return self.town.write(unit)

    def asked(self, who: Person = OLGA, effect: Effect = Effect.DRAFT) -> Frozen:
        frozen = self.ask(who, effect)
        assert isinstance(frozen, Frozen), frozen
        self.town.later(minutes=1)
        return frozen

    def approve(self, frozen: Frozen, who: Person = ROSA, *, on: str | None = None) -> Voted | Refused:
        signed = self.town.signed(who, frozen.order.matter())
        return self.hand_in_yes(on or frozen.promotion, signed)

    def hand_in_yes(self, promotion: str, signed: SignedStatement) -> Voted | Refused:
        return self.town.write(lambda tx: approve(tx, promotion, signed, roster=self.roster(tx)))

    def approved(self, who: Person = ROSA, effect: Effect = Effect.DRAFT) -> Frozen:
        frozen = self.asked(effect=effect)
        voted = self.approve(frozen, who)
        assert isinstance(voted, Voted), voted
        return frozen

    def reject(self, frozen: Frozen, who: Person) -> Voted | Refused:
        matter = matter_to_reject(frozen.promotion, frozen.basis, reason="not yet")
        signed = self.town.signed(who, matter)
        return self.town.write(lambda tx: reject(tx, frozen.promotion, signed, roster=self.roster(tx)))

    def withdraw(self, frozen: Frozen, who: Person) -> Voted | Refused:
        matter = matter_to_withdraw(frozen.promotion, frozen.basis, reason="a mistake")
        signed = self.town.signed(who, matter)
        return self.town.write(lambda tx: withdraw(tx, frozen.promotion, signed, roster=self.roster(tx)))

    def allow(
        self, frozen: Frozen, who: Person, *gates: GateId, matter: Matter | None = None
    ) -> Voted | Refused:
        """Sign an exception."""
        said = matter or matter_to_except(frozen.promotion, frozen.basis, gates=gates, reason="a pilot")
        signed = self.town.signed(who, said)
        return self.town.write(lambda tx: except_from(tx, frozen.promotion, signed, roster=self.roster(tx)))

    def demote(self, who: Person, to: Tier = Tier.OBSERVE) -> Demoted | Refused:
        matter = matter_to_demote(AGENT, self.deployment, to, reason="odd mails")
        signed = self.town.signed(who, matter)
        return self.town.write(lambda tx: demote(tx, signed, roster=self.roster(tx)))

    # --- what then happens

    def apply(self, frozen: Frozen) -> Applied | Standing | Over:
        return self.town.write(lambda tx: self.apply_in(tx, frozen))

    def apply_in(self, tx: Tx, frozen: Frozen) -> Applied | Standing | Over:
        return apply(
            tx,
            frozen.promotion,
            assessor=self.eyes,
            roster=self.roster(tx),
            single_user=self.single_user,
            actor="unix:root",
        )

    def examine(self, frozen: Frozen) -> Standing | Over:
        def look(conn: Connection) -> Standing | Over:
            roster = self.town.book.current(conn).roster
            request = rows.find(conn, frozen.promotion)
            return examine(
                conn,
                request,
                assessor=self.eyes,
                roster=roster,
                single_user=self.single_user,
                now=self.town.now,
            )

        return self.town.read(look)

    def sweep(self) -> tuple[str, ...]:
        return self.town.write(lambda tx: sweep(tx, roster=self.roster(tx)))

    def state(self, frozen: Frozen) -> str:
        return self.town.read(lambda conn: rows.find(conn, frozen.promotion).state.value)

    def roster(self, tx: Tx) -> Roster:
        return self.town.book.current(tx.conn).roster

    @property
    def allowed(self) -> set[Effect]:
        """What the deployment may do now, asked as at an action."""
        roster = self.town.state.roster
        return set(
            self.town.read(
                lambda conn: grants.granted(conn, self.deployment, now=self.town.now, roster=roster)
            )
        )


def failing(found: Applied | Standing | Over) -> set[GateId]:
    """The gates that do not pass."""
    assert isinstance(found, Standing), found
    return {gate.gate for gate in found.gates if gate.missing}


def _open_alerts(conn: Connection) -> tuple[str, ...]:
    return tuple(conn.execute(text("SELECT id FROM alert WHERE state = 'open' ORDER BY id")).scalars())


@pytest.fixture
def stage(staffed: Town) -> Stage:
    """An agent at tier 0 whose evidence is good."""
    return Stage(staffed)


def code(answer: object) -> RefusalCode | None:
    """Return why an answer refuses, if it does."""
    return answer.code if isinstance(answer, Refused) else None


def over(answer: object) -> str | None:
    """Return how a request ended, if an answer says that it did."""
    return answer.state.value if isinstance(answer, Over) else None
