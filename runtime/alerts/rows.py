"""Alerts and incidents in the database: what was recorded, what the rows add, and what people said."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from runtime.alerts.rules import Severity
from runtime.alerts.words import Alert, Incident
from runtime.errors import CanonicalError
from runtime.moments import utc_moment
from runtime.people.statement import SignedStatement, StatementType
from runtime.record.events import EventKind
from runtime.record.leaf import decode_leaf
from runtime.tables.alerts import AlertRow, IncidentRow
from runtime.tables.log import ALERT, LogEntryRow
from runtime.tables.people import StatementRow

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

Fields = dict[str, Any]
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = ("first_at", "due_at", "opened_at")


def read_alerts(conn: Connection, *, agent: str | None = None, alert: str | None = None) -> list[Alert]:
    """Return alerts, as if nobody had closed any; of one agent, or the one of this id, or all."""
    query = select(_ALERT)
    query = query if agent is None else query.where(_ALERT.c.agent == agent)
    query = query if alert is None else query.where(_ALERT.c.id == alert)
    recorded = _narrowed(select(_LOG.c.subject, _LOG.c.leaf).where(_LOG.c.kind == ALERT), agent, alert)
    return [_alert(id_, fields) for id_, fields in _merged(conn, query, recorded).items()]


def read_incidents(
    conn: Connection, *, agent: str | None = None, incident: str | None = None
) -> list[Incident]:
    """Return incidents, as if nobody had acknowledged any; of one agent, or the one of this id, or all."""
    query = select(_INCIDENT)
    query = query if agent is None else query.where(_INCIDENT.c.agent == agent)
    query = query if incident is None else query.where(_INCIDENT.c.id == incident)
    opened = _LOG.c.kind == EventKind.INCIDENT_OPENED.value
    recorded = _narrowed(select(_LOG.c.subject, _LOG.c.leaf).where(opened), agent, incident)
    return [_incident(id_, fields) for id_, fields in _merged(conn, query, recorded).items()]


def read_words(
    conn: Connection, subjects: Iterable[str], type_: StatementType
) -> Mapping[str, Sequence[SignedStatement]]:
    """Return what was said about these subjects, oldest first."""
    query = (
        select(_SAID.c.subject, _SAID.c.body, _SAID.c.signature)
        .where(_SAID.c.subject.in_(sorted(set(subjects))), _SAID.c.type == type_.value)
        .order_by(_SAID.c.made_at, _SAID.c.id)
    )
    found: defaultdict[str, list[SignedStatement]] = defaultdict(list)
    for row in conn.execute(query):
        found[row.subject].append(SignedStatement(row.body, row.signature))
    return found


def _narrowed(query: Select[Any], agent: str | None, subject: str | None) -> Select[Any]:
    query = query if agent is None else query.where(_LOG.c.agent == agent)
    return query if subject is None else query.where(_LOG.c.subject == subject)


def _merged(conn: Connection, rows: Select[Any], recorded: Select[Any]) -> dict[str, Fields]:
    """Return the fields by id: a row's, and over them what was recorded."""
    merged: dict[str, Fields] = {row["id"]: dict(row) for row in conn.execute(rows).mappings()}
    for subject, leaf in conn.execute(recorded):
        row = merged.get(subject, {"problem": "its row is gone"})
        said = _recorded(leaf)
        if any(name in row and row[name] != value for name, value in said.items()):
            row["problem"] = "its row was changed: what was recorded counts"
        merged[subject] = row | said
    return merged


def _recorded(leaf: bytes) -> Fields:
    try:
        entry = decode_leaf(leaf)
        moments = {name: utc_moment(str(entry.data[name])) for name in _MOMENTS if name in entry.data}
    except (CanonicalError, ValueError):
        return {"problem": "its entry cannot be read", "severity": None}
    return {**entry.data, "agent": entry.agent, "deployment": entry.deployment, **moments}


def _alert(id_: str, fields: Fields) -> Alert:
    first: datetime = fields.get("first_at", _EVER)
    return Alert(
        id=id_,
        agent=str(fields.get("agent")),
        deployment=fields.get("deployment"),
        rule=str(fields.get("rule")),
        severity=_severity(fields.get("severity")),
        tool=str(fields.get("tool")),
        resource=str(fields.get("resource")),
        fingerprint=str(fields.get("fingerprint")),
        count=fields.get("count", 1),
        first_at=first,
        last_at=fields.get("last_at") or first,
        due_at=fields.get("due_at") or first,
        problem=fields.get("problem"),
    )


def _incident(id_: str, fields: Fields) -> Incident:
    return Incident(
        id=id_,
        agent=str(fields.get("agent")),
        deployment=fields.get("deployment"),
        alert=fields.get("alert"),
        cause=str(fields.get("cause")),
        opened_at=fields.get("opened_at", _EVER),
        problem=fields.get("problem"),
    )


def _severity(name: object) -> Severity:
    """Return the severity of this name; a word that is none of them is the worst."""
    return next((one for one in Severity if one.value == name), Severity.CRITICAL)
