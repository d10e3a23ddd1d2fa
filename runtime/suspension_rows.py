"""Suspensions as they stand in the database: the queries, and what is believed of what they return."""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Dialect,
    LargeBinary,
    String,
    bindparam,
    cast,
    exists,
    literal_column,
    null,
    select,
    union,
    union_all,
)

from profiles.effects import Effect
from runtime.errors import CanonicalError
from runtime.moments import utc_text
from runtime.record.leaf import decode_leaf
from runtime.record.statements import Prepared
from runtime.suspension_rules import ENDING_TYPES, EVERYTHING, Suspension, Word
from runtime.tables.agents import AgentRow, DeploymentRow
from runtime.tables.grants import GrantRow
from runtime.tables.log import SUSPENSION, LogEntryRow
from runtime.tables.people import StatementRow
from runtime.tables.suspensions import SuspensionRow

_ROW = SuspensionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_AGENT = AgentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_COLUMNS = ("deployment", "effect", "code", "subject", "reason", "set_at")
_OURS = [cast(_ROW.c[name], String).label(name) for name in _COLUMNS]
_RECORDED = (
    select(_LOG.c.subject.label("id"), _LOG.c.leaf.label("leaf"), *_OURS)
    .outerjoin(_ROW, _ROW.c.id == _LOG.c.subject)
    .where(
        _LOG.c.kind == SUSPENSION, _LOG.c.deployment.in_((bindparam("deployment"), bindparam("everything")))
    )
)
_UNRECORDED = select(_ROW.c.id, cast(null(), LargeBinary), *_OURS).where(
    _ROW.c.deployment.in_((bindparam("deployment"), bindparam("everything"))),
    ~exists(
        select(_LOG.c.seq).where(
            _LOG.c.kind == SUSPENSION, _LOG.c.deployment == _ROW.c.deployment, _LOG.c.subject == _ROW.c.id
        )
    ),
)
_FOUND = union_all(_RECORDED, _UNRECORDED)
_THEIRS = _ROW.c.deployment.in_((bindparam("deployment"), bindparam("everything")))
_WORDS = (
    select(_SAID.c.subject, _SAID.c.body, _SAID.c.signature, _SAID.c.made_at)
    .where(
        _SAID.c.type.in_([literal_column(f"'{type_.value}'") for type_ in ENDING_TYPES]),
        _SAID.c.subject.in_(
            union(
                select(_ROW.c.id).where(_THEIRS),
                select(_ROW.c.subject).where(_THEIRS),
                select(_LOG.c.subject).where(
                    _LOG.c.kind == SUSPENSION,
                    _LOG.c.deployment.in_((bindparam("deployment"), bindparam("everything"))),
                ),
            )
        ),
    )
    .order_by(_SAID.c.id)
)
_OWNERS = union(
    select(_AGENT.c.owner)
    .join(_DEPLOYMENT, _DEPLOYMENT.c.agent == _AGENT.c.name)
    .where(_DEPLOYMENT.c.digest == bindparam("deployment")),
    select(_GRANT.c.owner).where(_GRANT.c.deployment == bindparam("deployment")),
)


def found(conn: Connection, deployment: str) -> tuple[Suspension, ...]:
    """Return every suspension of a deployment that there ever was, over or not, as it is believed."""
    rows = (
        _prepared(conn.dialect)[0].run(conn, {"deployment": deployment, "everything": EVERYTHING}).fetchall()
    )
    return _believed(tuple(tuple(row) for row in rows))


def owners(conn: Connection, deployment: str) -> frozenset[str]:
    """Return who owns a deployment's agent: as registered, and as signed in its grants.

    What is suspended for everybody is everybody's agent: then it is each agent's owner.
    """
    if deployment == EVERYTHING:
        return frozenset(conn.execute(select(_AGENT.c.owner).distinct()).scalars())
    rows = _prepared(conn.dialect)[1].run(conn, {"deployment": deployment}).fetchall()
    return frozenset(row[0] for row in rows)


def deployment_of(conn: Connection, suspension: str) -> str | None:
    """Return whose writes a suspension takes away, though only the record may know; None: there is none."""
    recorded = select(_LOG.c.deployment).where(_LOG.c.kind == SUSPENSION, _LOG.c.subject == suspension)
    row = select(_ROW.c.deployment).where(_ROW.c.id == suspension)
    return conn.execute(recorded).scalar() or conn.execute(row).scalar()


def deployments(conn: Connection) -> tuple[str, ...]:
    """Return every deployment that was ever suspended, and `EVERYTHING` if all were."""
    recorded = select(_LOG.c.deployment).where(_LOG.c.kind == SUSPENSION)
    rows = conn.execute(union(recorded, select(_ROW.c.deployment))).scalars()
    return tuple(sorted(row for row in rows if row is not None))


def words(conn: Connection, deployment: str) -> tuple[Word, ...]:
    """Return everything that may end a suspension of a deployment."""
    asked = {"deployment": deployment, "everything": EVERYTHING}
    return tuple(tuple(row) for row in _prepared(conn.dialect)[2].run(conn, asked).fetchall())


@lru_cache(maxsize=1024)
def _believed(rows: tuple[tuple[Any, ...], ...]) -> tuple[Suspension, ...]:
    believed = [_read(row) if row[1] is not None else _unrecorded(row) for row in rows]
    return tuple(sorted(dict.fromkeys(believed), key=lambda one: (one.set_at, one.id)))


def _read(row: tuple[Any, ...]) -> Suspension:
    """Return a suspension as it was recorded; all writes where the row says something else, or is gone."""
    id_, leaf, *fields = row
    try:
        entry = decode_leaf(leaf)
        said = {name: entry.data[name] for name in ("effect", "code", "subject", "reason")}
    except (CanonicalError, KeyError) as error:
        return Suspension(id_, EVERYTHING, None, "", "", "", "", f"its entry cannot be read: {error}")
    recorded = (entry.deployment or EVERYTHING, *said.values(), utc_text(entry.at))
    problem = None if recorded[:5] == tuple(fields[:5]) else _problem(fields)
    effect = None if problem else _effect(said["effect"])
    return Suspension(
        id_,
        entry.deployment or EVERYTHING,
        effect,
        str(said["code"]),
        str(said["subject"]),
        str(said["reason"]),
        utc_text(entry.at),
        problem,
    )


def _unrecorded(row: tuple[Any, ...]) -> Suspension:
    """Return a suspension of which only the row is there: it was just made, or inserted by hand."""
    id_, _leaf, deployment, effect, code, subject, reason, set_at = row
    return Suspension(id_, deployment, _effect(effect), code, subject, reason, set_at)


def _problem(fields: list[Any]) -> str:
    return "its row is gone: every write is suspended" if fields[0] is None else "its row was changed"


def _effect(name: object) -> Effect | None:
    """Return the class that is named; None, and so all of them, for what is no class."""
    return next((effect for effect in Effect if effect.value == name), None)


@lru_cache(maxsize=8)
def _prepared(dialect: Dialect) -> tuple[Prepared, Prepared, Prepared]:
    return Prepared(_FOUND, dialect), Prepared(_OWNERS, dialect), Prepared(_WORDS, dialect)
