"""Piles: what a deployment has done of one class, in production, that no draw has looked at yet (R-43).

Rows find it. Its setting is what the item's own entry in the record names, whatever the row of its run says:
a changed row makes no evidence, and hides none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, literal, select

from profiles.effects import Effect
from profiles.setting import Setting
from rollout.evidence.items import Candidate, ItemKind
from runtime.gate.setting import is_of, may_be_production
from runtime.record.leaf import decode_fields
from runtime.tables.actions import EXECUTED, ActionRow, SuggestionRow
from runtime.tables.agents import DeploymentRow, RunRow
from runtime.tables.evidence import DrawRow
from runtime.tables.log import LogEntryRow
from runtime.tables.types import UtcDateTime

_SUGGESTION = SuggestionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DRAW = DrawRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_IN_PRODUCTION = may_be_production(_LOG.c.leaf)

_NEVER = literal(datetime(2000, 1, 1, tzinfo=UTC), UtcDateTime)
_WHEN = {ItemKind.SUGGESTION: _SUGGESTION.c.created_at, ItemKind.EXECUTED: _ACTION.c.settled_at}


@dataclass(frozen=True, slots=True)
class Pile:
    """Items of one deployment, class and kind that wait for a draw."""

    deployment: str
    effect: Effect
    kind: ItemKind


def last_through(conn: Connection, deployment: str, effect: Effect, kind: ItemKind) -> datetime | None:
    """Return up to when draws have looked; None: there was none."""
    query = (
        select(_DRAW.c.through_at)
        .where(_DRAW.c.deployment == deployment, _DRAW.c.effect == effect.value, _DRAW.c.kind == kind.value)
        .order_by(_DRAW.c.through_at.desc())
        .limit(1)
    )
    found: datetime | None = conn.execute(query).scalar_one_or_none()
    return found


def candidates(
    conn: Connection,
    deployment: str,
    effect: Effect,
    kind: ItemKind,
    *,
    from_at: datetime,
    through: datetime,
) -> list[Candidate]:
    """Return what happened at `from_at` or later, and before `through`."""
    when = _WHEN[kind]
    table = when.table
    query = _fields(kind).where(
        table.c.deployment == deployment,
        table.c.effect == effect.value,
        when >= from_at,
        when < through,
    )
    return [Candidate(*row[:-1]) for row in conn.execute(query) if _is_evidence(row[-1])]


def population(
    conn: Connection, deployment: str, effect: Effect, *, since: datetime, through: datetime | None
) -> int:
    """Return how many suggestions of a class were made in production since a moment, and before another."""
    query = select(func.count()).select_from(_SUGGESTION)
    query = query.outerjoin(_LOG, _LOG.c.seq == _SUGGESTION.c.log_seq).where(
        _IN_PRODUCTION,
        _SUGGESTION.c.deployment == deployment,
        _SUGGESTION.c.effect == effect.value,
        _SUGGESTION.c.created_at >= since,
    )
    if through is not None:
        query = query.where(_SUGGESTION.c.created_at < through)
    return int(conn.execute(query).scalar_one())


def waiting(conn: Connection, *, before: datetime, agent: str | None = None, limit: int) -> Sequence[Pile]:
    """Return the piles that hold something from before a moment.

    Args:
        conn: a view of the database.
        before: the moment; the start of the day finds each pile once a day.
        agent: only those of this agent's deployments.
        limit: how many at most.
    """
    return [
        Pile(row.deployment, Effect(row.effect), kind)
        for kind in ItemKind
        for row in conn.execute(_waiting(kind, before, agent).limit(limit))
    ][:limit]


def _fields(kind: ItemKind) -> Select[Any]:
    if kind is ItemKind.SUGGESTION:
        s = _SUGGESTION.c
        found = select(s.id, s.agent, _RUN.c.task, s.tool, s.args_digest, s.log_seq, s.created_at)
        return _of_runs(found, _SUGGESTION)
    a = _ACTION.c
    agent = func.coalesce(_RUN.c.agent, _LOG.c.agent)
    found = select(a.id, agent, _RUN.c.task, a.tool, a.args_digest, a.log_seq, a.settled_at)
    return _of_runs(found, _ACTION).where(EXECUTED)


def _of_runs(query: Select[Any], table: Any) -> Select[Any]:
    """Ask only for what was done in production, and for each item's entry too, as the last column."""
    joined = query.add_columns(_LOG.c.leaf).outerjoin_from(table, _RUN, _RUN.c.id == table.c.run)
    return joined.outerjoin(_LOG, _LOG.c.seq == table.c.log_seq).where(_IN_PRODUCTION)


def _is_evidence(leaf: bytes | None) -> bool:
    """Whether the record lets an item count. One without an entry is refused when it is read, not here."""
    return leaf is None or is_of(decode_fields(leaf)["data"], Setting.PRODUCTION)


def _waiting(kind: ItemKind, before: datetime, agent: str | None) -> Select[Any]:
    when = _WHEN[kind]
    executed = kind is ItemKind.EXECUTED
    classes = select(when.table.c.deployment, when.table.c.effect).distinct()
    if executed:
        classes = classes.where(EXECUTED)
    if agent is not None:
        own = select(_DEPLOYMENT.c.digest).where(_DEPLOYMENT.c.agent == agent)
        classes = classes.where(when.table.c.deployment.in_(own))
    found = classes.subquery()
    drawn = (
        select(func.max(_DRAW.c.through_at))
        .where(
            _DRAW.c.deployment == found.c.deployment,
            _DRAW.c.effect == found.c.effect,
            _DRAW.c.kind == kind.value,
        )
        .correlate(found)
        .scalar_subquery()
    )
    new = (
        select(when)
        .outerjoin_from(when.table, _LOG, _LOG.c.seq == when.table.c.log_seq)
        .where(
            _IN_PRODUCTION,
            when.table.c.deployment == found.c.deployment,
            when.table.c.effect == found.c.effect,
            when >= func.coalesce(drawn, _NEVER),
            when < before,
            *([EXECUTED] if executed else []),
        )
    )
    return select(found.c.deployment, found.c.effect).where(exists(new.correlate(found)))
