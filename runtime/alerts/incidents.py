"""Incidents: what a leader must know. Each blocks promotion until a leader has acknowledged it with words."""

import hashlib
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, Dialect, bindparam, select

from runtime.alerts.rules import IncidentCause
from runtime.canonical import JsonValue
from runtime.moments import utc_text
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
from runtime.tables.alerts import AlertRow, IncidentRow

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_STANDING = (
    select(_INCIDENT.c.id)
    .join(_ALERT, _ALERT.c.id == _INCIDENT.c.alert)
    .where(
        _ALERT.c.fingerprint == bindparam("fingerprint"),
        _INCIDENT.c.cause == bindparam("cause"),
        _INCIDENT.c.acknowledged_at.is_(None),
    )
    .order_by(_INCIDENT.c.opened_at)
)


def open_incident(
    tx: Tx,
    cause: IncidentCause,
    *,
    agent: str,
    deployment: str | None,
    alert: str | None,
    now: datetime,
    actor: str = "handrail",
) -> str:
    """Open an incident and tell leadership; return its id.

    Args:
        tx: the unit that found the cause.
        cause: why a leader must know.
        agent: whose.
        deployment: the deployment's digest, where there is one.
        alert: the alert it comes from, where there is one.
        now: the present moment.
        actor: the person who said so, or Handrail.
    """
    id_ = _id_of(cause, agent, alert, tx.coming)
    row = {
        "id": id_,
        "agent": agent,
        "deployment": deployment,
        "alert": alert,
        "cause": cause.value,
        "opened_at": now,
        "reminded": 0,
    }
    tx.insert(IncidentRow, row)
    data: dict[str, JsonValue] = {
        "alert": alert,
        "cause": cause.value,
        "opened_at": utc_text(now),
        "counted": True,
    }
    tx.append(
        Event(
            kind=EventKind.INCIDENT_OPENED,
            at=tx.now,
            actor=actor,
            agent=agent,
            deployment=deployment,
            subject=id_,
            data=data,
        )
    )
    for route in Route:
        put(tx, NoticeKind.INCIDENT, id_, route, facts={"agent": agent, "cause": cause.value}, now=now)
    return id_


def standing_incident(conn: Connection, fingerprint: str, cause: IncidentCause) -> str | None:
    """Return the incident of this cause and fingerprint that waits for a leader, as far as rows say."""
    asked = {"fingerprint": fingerprint, "cause": cause.value}
    row = _standing(conn.dialect).run(conn, asked).fetchone()
    return None if row is None else str(row[0])


def _id_of(cause: IncidentCause, agent: str, alert: str | None, entry: int) -> str:
    """Return an id that only the incident of this entry has."""
    parts = "\n".join((cause.value, agent, alert or "", str(entry)))
    return f"inc-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


@lru_cache(maxsize=8)
def _standing(dialect: Dialect) -> Prepared:
    return Prepared(_STANDING, dialect)
