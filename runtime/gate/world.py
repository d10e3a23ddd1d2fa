"""The state of the world that a decision about one run rests on, read in one go from one connection.

A decision is made on the world as it was last read, and recorded in a transaction that reads it again, unless
nothing can have changed (`runtime.gate.worlds`). Only if both are the same does the decision stand: nothing
is allowed after a revocation, a freeze or a stop returned.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Dialect, bindparam, func, literal_column, select, union_all

from profiles.effects import Effect
from runtime import freeze, grants
from runtime.broker import RunLease, run_lease_id
from runtime.freeze_rules import Stop
from runtime.gate.actions import ModelAsk
from runtime.gate.answers import Reason, ReasonCode
from runtime.gate.context import RunContext
from runtime.gate.facts import Approval, Facts, LeaseState, Power, Standing, Usage
from runtime.gate.setting import holder
from runtime.gate.turns import next_turn
from runtime.models.usage import read_spend
from runtime.moments import utc_moment, utc_text
from runtime.people.policies import PolicyBook
from runtime.people.roster import Roster
from runtime.record.statements import Prepared
from runtime.runs.states import RunState
from runtime.tables.actions import BudgetRow
from runtime.tables.agents import DeploymentRow, RunRow
from runtime.tables.leases import LeaseRow
from sandboxes.outcome import Ending

HOUR: Final = timedelta(minutes=60)
NOTHING_WAITS: Final[Mapping[str, tuple[str, ...]]] = {}
_EFFECT_KEYS: Final = {f"effect:{effect}": effect for effect in Effect}
_ENDED_BY_ITSELF = frozenset(
    {Ending.EXITED, Ending.FAILED, Ending.SIGNALLED, Ending.OUT_OF_MEMORY, Ending.TIME_LIMIT}
)

_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LEASE = LeaseRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_BUDGET = BudgetRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN_ROW = (
    select(
        _RUN.c.state,
        _RUN.c.outcome,
        _RUN.c.agent,
        _RUN.c.deployment,
        _RUN.c.expires_at,
        _RUN.c.proof.is_not(None),
        _DEPLOYMENT.c.parts,
        _LEASE.c.id,
        _LEASE.c.uses_left,
        _LEASE.c.expires_at,
        _LEASE.c.revoked_at,
    )
    .outerjoin(_DEPLOYMENT, _DEPLOYMENT.c.digest == _RUN.c.deployment)
    .outerjoin(_LEASE, _LEASE.c.id == bindparam("lease"))
    .where(_RUN.c.id == bindparam("run"))
)
_USED = union_all(
    select(_BUDGET.c.key, _BUDGET.c.used).where(_BUDGET.c.holder == bindparam("run")),
    select(literal_column("'hour'"), func.sum(_BUDGET.c.used)).where(
        _BUDGET.c.holder == bindparam("agent"), _BUDGET.c.key > bindparam("since")
    ),
)


@dataclass(frozen=True)
class World:
    """What decides beside the action itself. Equal worlds give equal decisions, budgets apart.

    Attributes:
        lease: the run's lease, if it has one already.
        until: the moment up to which the run may act.
        turns_at: from this moment on it may be another one, though nobody has written anything.
    """

    standing: Standing
    lease: RunLease | None
    power: Power
    roster: Roster
    until: datetime | None
    turns_at: datetime = field(compare=False)
    usage: Usage = field(compare=False, default_factory=Usage)

    def with_usage(self, usage: Usage) -> "World":
        """Return the same world with other budgets; `dataclasses.replace` costs three times as much."""
        return World(
            self.standing, self.lease, self.power, self.roster, self.until, self.turns_at, usage=usage
        )

    def lease_state(self, now: datetime, *, carrying: bool) -> LeaseState:
        """What the lease says. A run that never acted has none yet: its first intent issues it."""
        if carrying:  # an approved write has a lease of its own, and its run may be long over
            return LeaseState(None)
        if self.lease is None:
            missing = Reason(ReasonCode.NO_LEASE, "the run cannot have a lease")
            return LeaseState(None if self.standing.live else missing)
        return LeaseState(self.lease.problem(now))


def read_world(
    conn: Connection,
    run: RunContext,
    *,
    book: PolicyBook,
    now: datetime,
    carrying: bool = False,
    ask: ModelAsk | None = None,
) -> World:
    """Read the world of one run.

    Args:
        conn: one consistent view, or the transaction that records the decision.
        run: the run.
        book: the policy in force.
        now: the later of the present moment and the record's high-water mark.
        carrying: whether an approved write is carried out, which outlives a run that ended by itself.
        ask: of the model call that is to be decided, if it is one.
    """
    roster = book.current(conn).roster
    asked = {"run": run.run, "lease": run_lease_id(run.run)}
    row = _prepared(conn.dialect)["run"].run(conn, asked).fetchone()
    stops = freeze.frozen(conn, agent=run.agent, deployment=run.deployment, now=now, roster=roster)
    effects = grants.granted(conn, run.deployment, now=now, roster=roster)
    until = _moment(row[4]) if row else None
    return World(
        _standing(row, run, stops, now=now, carrying=carrying),
        _lease(row),
        Power(effects),
        roster,
        until,
        next_turn(conn, run.deployment, until=until, stops=stops, now=now),
        read_usage(conn, run, now=now, ask=ask),
    )


def facts_of(
    run: RunContext,
    world: World,
    seen: Container[str],
    now: datetime,
    *,
    results: Mapping[str, tuple[str, ...]] = NOTHING_WAITS,
    approval: Approval | None = None,
    carrying: bool = False,
) -> Facts:
    """Return what the checks may know: this run, in this world, at this moment."""
    return Facts(
        now=now,
        agent=run.agent,
        deployment=run.deployment,
        profile=run.profile,
        used=run.used,
        engine=run.engine,
        standing=world.standing,
        lease=world.lease_state(now, carrying=carrying),
        power=world.power,
        usage=world.usage,
        seen=seen,
        approvable=frozenset(world.roster.policy.holds),
        approval=approval,
        results=results,
    )


def read_usage(conn: Connection, run: RunContext, *, now: datetime, ask: ModelAsk | None = None) -> Usage:
    """Read what was used, by this run and by its agent within the last 60 minutes; of models, if asked."""
    since = minute_key(now - HOUR - timedelta(minutes=1))
    asked = {"run": run.run, "agent": agent_holder(run), "since": since}
    used: Mapping[str, int | None] = dict(_prepared(conn.dialect)["used"].run(conn, asked).fetchall())
    spend = None if ask is None else read_spend(conn, run.run, ask)
    effects = {_EFFECT_KEYS[key]: count or 0 for key, count in used.items() if key in _EFFECT_KEYS}
    return Usage(used.get("run") or 0, used.get("hour") or 0, used.get("model") or 0, effects, spend)


def agent_holder(run: RunContext) -> str:
    """Return the holder of the budgets of a run's agent in its setting; no run has this id."""
    return holder(f"agent:{run.agent}", run.setting)


def minute_key(moment: datetime) -> str:
    """Return the key of the minute that an action is counted in; keys sort as time does."""
    return f"minute:{utc_text(moment)[:16]}"


def _standing(
    row: Any, run: RunContext, stops: tuple[Stop, ...], *, now: datetime, carrying: bool
) -> Standing:
    frozen = "; ".join(stop.reason or stop.scope for stop in stops) if stops else None
    if row is None:
        return Standing(frozen=frozen)
    state, outcome, agent, deployment, expires_at, attested, parts = row[:7]
    same = (agent, deployment) == (run.agent, run.deployment) and _is_pinned(parts, deployment)
    live = state == RunState.RUNNING.value and now < _moment(expires_at)
    over = carrying and state == RunState.ENDED.value and outcome in _ENDED_BY_ITSELF
    late = carrying and state == RunState.RUNNING.value
    return Standing(live or over or late, bool(attested), same, frozen)


def _lease(row: Any) -> RunLease | None:
    if row is None or row[7] is None:
        return None
    return RunLease(row[7], row[8], _moment(row[9]), row[10] is not None)


@lru_cache(maxsize=1024)
def _moment(text: str) -> datetime:
    return utc_moment(text)


@lru_cache(maxsize=256)
def _is_pinned(parts: bytes | None, deployment: str) -> bool:
    return parts is not None and sha256(parts).hexdigest() == deployment


@lru_cache(maxsize=2)
def _prepared(dialect: Dialect) -> Mapping[str, Prepared]:
    return {
        "run": Prepared(_RUN_ROW, dialect),
        "used": Prepared(_USED, dialect),
    }
