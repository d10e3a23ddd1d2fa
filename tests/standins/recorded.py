"""Rows that the rooms above the gate write, with the entries that they write beside them."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, insert, update

from runtime.canonical import JsonValue, parse_canonical
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow

_RUN: Table = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def add_agent(tx: Tx, row: Mapping[str, Any]) -> None:
    """Register an agent as it is given."""
    tx.conn.execute(insert(AgentRow).values(dict(row)))
    data: dict[str, JsonValue] = {
        "owner": row["owner"],
        "traits": parse_canonical(row["traits"].encode()),
        "risk": row["risk"],
        "registered_at": utc_text(row["registered_at"]),
    }
    _append(tx, EventKind.AGENT_REGISTERED, data, actor=row["owner"], agent=row["name"])


def add_deployment(tx: Tx, row: Mapping[str, Any]) -> None:
    """Create a deployment as it is given; its profile's text may be another one later."""
    tx.conn.execute(insert(DeploymentRow).values(dict(row)))
    data: dict[str, JsonValue] = {
        "parts": parse_canonical(row["parts"]),
        "told": {},
        "created_at": utc_text(row["created_at"]),
    }
    names = {"agent": row["agent"], "deployment": row["digest"], "subject": row["statement"]}
    _append(tx, EventKind.DEPLOYMENT_CREATED, data, actor="olga", **names)


def add_run(tx: Tx, row: Mapping[str, Any]) -> None:
    """Begin a run as it is given, up to where its row says it is."""
    tx.conn.execute(insert(RunRow).values(dict(row)))
    names = {"agent": row["agent"], "deployment": row["deployment"], "run": row["id"]}
    data: dict[str, JsonValue] = {
        "runtime": row.get("runtime", "runc"),
        "setting": row.get("setting", "production"),
        "memory": "none",
        "told": {},
        "single_user": row.get("single_user", False),
        "task": None if row.get("task") is None else sha256(row["task"].encode()).hexdigest(),
        "requested_at": utc_text(row["requested_at"]),
        "expires_at": utc_text(row["expires_at"]),
    }
    _append(tx, EventKind.RUN_REQUESTED, data, actor=row["operator"], **names)
    if (proof := row.get("proof")) is not None:
        _append(tx, EventKind.RUN_ATTESTED, {"proof": sha256(proof).hexdigest(), "box": None}, **names)
    if row["state"] != "requested":
        released = row.get("released_at")
        data = {"context": [], "released_at": None if released is None else utc_text(released)}
        _append(tx, EventKind.RUN_RELEASED, data, **names)
    if row["state"] == "ended":
        _append(
            tx, EventKind.RUN_ENDED, _ending(row["outcome"], row.get("exit_code"), row["ended_at"]), **names
        )


def end_run(tx: Tx, run: str, outcome: str, *, at: datetime, **names: str) -> None:
    """End a run."""
    values = {"state": "ended", "outcome": outcome, "ended_at": at}
    tx.conn.execute(update(RunRow).where(_RUN.c.id == run).values(values))
    _append(tx, EventKind.RUN_ENDED, _ending(outcome, None, at), run=run, **names)


def _ending(outcome: str, exit_code: int | None, at: datetime) -> dict[str, JsonValue]:
    return {"outcome": outcome, "reason": "", "exit_code": exit_code, "ended_at": utc_text(at)}


def _append(
    tx: Tx, kind: EventKind, data: dict[str, JsonValue], *, actor: str = "handrail", **names: str
) -> None:
    tx.append(Event(kind=kind, at=tx.now, actor=actor, data=data, **names))
