"""Obligations: the reviews that are owed, as rows with unique keys. The clock makes them, however late.

Each step takes a few deployments in one unit of the record, so that no action waits long behind it. Every
step can be repeated: what is there already stays as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from profiles.errors import ProfileError
from profiles.policy import ReviewRules
from rollout.evidence.model import ReviewState
from rollout.reviews.calendar import Period, Terms, following, owed, successor
from rollout.reviews.kinds import OWED, ObligationState, ReviewKind
from rollout.reviews.proof import signed_for
from rollout.reviews.terms import terms_of
from runtime.canonical import JsonValue
from runtime.clock import NewId
from runtime.deployments import PRESENT
from runtime.errors import KernelError
from runtime.moments import utc_text
from runtime.people.roster import Roster
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.agents import DeploymentRow
from runtime.tables.reviews import ObligationRow

_OBLIGATION = ObligationRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_WATCHED = (
    select(_OBLIGATION.c.id)
    .where(_OBLIGATION.c.deployment == _DEPLOYMENT.c.digest, _OBLIGATION.c.state.in_(OWED))
    .exists()
)
STEP = 50
"""Deployments in one unit."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one step did: ids of new obligations, and of those that it found overdue.

    Attributes:
        done: whether nothing was left to do.
    """

    owed: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    done: bool = True


def keep(tx: Tx, *, rules: ReviewRules, new_id: NewId) -> Kept:
    """Take one step: make what is owed and missing, then mark what is overdue and suspend its writes.

    Call it again until it is done.
    """
    begun = [
        row for deployment, agent in _unreviewed(tx.conn) for row in _begin(tx, deployment, agent, rules)
    ]
    rolled = [new for last in _rolled(tx.conn, tx.now) for new in _roll(tx, last, rules)]
    made = [_write(tx, new, new_id) for new in (*begun, *rolled)]
    overdue = [_overdue(tx, row) for row in _due(tx.conn, tx.now)]
    return Kept(tuple(made), tuple(id_ for id_ in overdue if id_), done=not made and not overdue)


def hold(tx: Tx) -> tuple[str, ...]:
    """Suspend again what is overdue and was resumed: a review is closed, not waved through; return ids."""
    query = select(_OBLIGATION).where(_OBLIGATION.c.state == ObligationState.OVERDUE.value)
    rows = tx.conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id)).mappings().all()
    owed = (ObligationRow(**row) for row in rows)
    return tuple(id_ for row in owed if _is_present(tx.conn, row.deployment) and (id_ := _suspend(tx, row)))


def follow(tx: Tx, obligation: str, *, rules: ReviewRules, new_id: NewId) -> str | None:
    """Make the period after this one, as its closing does: something is always owed (R-85).

    Returns:
        The new obligation's id; None if the kind is owed once, or the next stands already.
    """
    row = tx.conn.execute(select(_OBLIGATION).where(_OBLIGATION.c.id == obligation)).mappings().one()
    if row["followed"]:
        return None
    terms = terms_of(tx.conn, row["deployment"], rules=rules)
    period = successor(terms, ReviewKind(row["kind"]), start=row["period_start"])
    _mark_followed(tx, ObligationRow(**row))
    return None if period is None else _write(tx, _New(row["deployment"], row["agent"], period), new_id)


def review_state(conn: Connection, deployment: str, *, roster: Roster, now: datetime) -> ReviewState:
    """Return what is owed for a deployment: what the gates G6 and G8 look at.

    A review whose row says that it is closed, and that nobody has signed for, is owed still.
    """
    query = select(_OBLIGATION.c.id, _OBLIGATION.c.kind, _OBLIGATION.c.due_at, _OBLIGATION.c.state).where(
        _OBLIGATION.c.deployment == deployment, _OBLIGATION.c.state != ObligationState.VOID.value
    )
    found = conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id)).all()
    signed = signed_for(conn, [row.id for row in found if row.state not in OWED], roster=roster)
    rows = [row for row in found if row.id not in signed]
    specification = [row.due_at for row in rows if row.kind == ReviewKind.SPECIFICATION.value]
    return ReviewState(
        overdue=tuple(row.id for row in rows if row.due_at <= now),
        next_due=next((row.due_at for row in rows if row.due_at > now), None),
        specification_due=min(specification, default=None),
    )


def unwatched(conn: Connection) -> tuple[tuple[str, str], ...]:
    """Return (deployment, agent) of each present deployment for which no review is owed: an alarm."""
    query = select(_DEPLOYMENT.c.digest, _DEPLOYMENT.c.agent).where(PRESENT, ~_WATCHED)
    return tuple((row.digest, row.agent) for row in conn.execute(query.order_by(_DEPLOYMENT.c.digest)))


@dataclass(frozen=True, slots=True)
class _New:
    deployment: str
    agent: str
    period: Period


def _unreviewed(conn: Connection) -> list[tuple[str, str]]:
    """Return present deployments that owe nothing, a step of them: new ones, and those returned to."""
    query = select(_DEPLOYMENT.c.digest, _DEPLOYMENT.c.agent).where(PRESENT, ~_WATCHED)
    rows = conn.execute(query.order_by(_DEPLOYMENT.c.created_at, _DEPLOYMENT.c.digest).limit(STEP))
    return [(row.digest, row.agent) for row in rows]


def _begin(tx: Tx, deployment: str, agent: str, rules: ReviewRules) -> list[_New]:
    query = select(_OBLIGATION.c.kind, _OBLIGATION.c.period_start).where(
        _OBLIGATION.c.deployment == deployment
    )
    there = {(row.kind, row.period_start) for row in tx.conn.execute(query)}
    terms = _terms(tx, deployment, rules)
    periods = () if terms is None else owed(terms, until=tx.now)
    return [_New(deployment, agent, one) for one in periods if (one.kind.value, one.start) not in there]


def _terms(tx: Tx, deployment: str, rules: ReviewRules) -> Terms | None:
    """Return a deployment's terms; None if what is stored of it cannot be read.

    One broken row must not stop the others' reviews. Nothing is owed for it then, which is an alarm (R-85).
    """
    try:
        return terms_of(tx.conn, deployment, rules=rules)
    except (KernelError, ProfileError):
        return None


def _rolled(conn: Connection, now: datetime) -> list[ObligationRow]:
    """Return the last obligations of their kind whose period is over, a step of them."""
    query = select(_OBLIGATION).where(~_OBLIGATION.c.followed, _OBLIGATION.c.due_at <= now)
    rows = conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id).limit(STEP)).mappings()
    return [ObligationRow(**row) for row in rows]


def _roll(tx: Tx, last: ObligationRow, rules: ReviewRules) -> list[_New]:
    _mark_followed(tx, last)
    if not _is_present(tx.conn, last.deployment):
        return []
    terms = _terms(tx, last.deployment, rules)
    if terms is None:
        return []
    periods = following(terms, ReviewKind(last.kind), start=last.period_start, until=tx.now)
    return [_New(last.deployment, last.agent, period) for period in periods]


def _write(tx: Tx, new: _New, new_id: NewId) -> str:
    id_, period = new_id("rev"), new.period
    late = period.due_at <= tx.now
    row = {
        "id": id_,
        "deployment": new.deployment,
        "agent": new.agent,
        "kind": period.kind.value,
        "period_start": period.start,
        "due_at": period.due_at,
        "created_at": tx.now,
        "late": late,
        "followed": False,
        "state": ObligationState.OPEN.value,
    }
    tx.conn.execute(insert(ObligationRow).values(row))
    _follow_earlier(tx, new)
    tx.append(
        Event(
            kind=EventKind.REVIEW_OWED,
            at=tx.now,
            actor="rollout",
            agent=new.agent,
            deployment=new.deployment,
            subject=id_,
            data={
                "kind": period.kind.value,
                "period_start": utc_text(period.start),
                "due_at": utc_text(period.due_at),
                "late": late,
                "followed": False,
            },
        )
    )
    return id_


def _follow_earlier(tx: Tx, new: _New) -> None:
    tx.conn.execute(
        update(ObligationRow)
        .where(
            _OBLIGATION.c.deployment == new.deployment,
            _OBLIGATION.c.kind == new.period.kind.value,
            _OBLIGATION.c.period_start < new.period.start,
            ~_OBLIGATION.c.followed,
        )
        .values(followed=True)
    )


def _mark_followed(tx: Tx, last: ObligationRow) -> None:
    _move(tx, last, {"followed": True})


def _move(tx: Tx, row: ObligationRow, values: dict[str, JsonValue]) -> None:
    """Change a row that nobody signed for, and record to what."""
    tx.conn.execute(update(ObligationRow).where(_OBLIGATION.c.id == row.id).values(values))
    tx.append(
        Event(
            kind=EventKind.REVIEW_MOVED,
            at=tx.now,
            actor="rollout",
            agent=row.agent,
            deployment=row.deployment,
            subject=row.id,
            data=values,
        )
    )


def _due(conn: Connection, now: datetime) -> Iterable[ObligationRow]:
    query = select(_OBLIGATION).where(
        _OBLIGATION.c.state == ObligationState.OPEN.value, _OBLIGATION.c.due_at <= now
    )
    rows = conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id).limit(STEP)).mappings()
    return [ObligationRow(**row) for row in rows]


def _overdue(tx: Tx, row: ObligationRow) -> str | None:
    """Suspend the writes of an overdue deployment; one that was replaced meanwhile owes nothing more."""
    present = _is_present(tx.conn, row.deployment)
    state = ObligationState.OVERDUE if present else ObligationState.VOID
    _move(tx, row, {"state": state.value})
    if not present:
        return None
    _suspend(tx, row)
    return row.id


def _suspend(tx: Tx, row: ObligationRow) -> str | None:
    return suspend(
        tx,
        row.deployment,
        effect=None,
        code=SuspensionCode.REVIEW_OVERDUE,
        subject=row.id,
        reason=f"the {row.kind} review {row.id} was due at {utc_text(row.due_at)}",
        now=tx.now,
    )


def _is_present(conn: Connection, deployment: str) -> bool:
    query = select(_DEPLOYMENT.c.digest).where(_DEPLOYMENT.c.digest == deployment, PRESENT)
    return conn.execute(query).first() is not None
