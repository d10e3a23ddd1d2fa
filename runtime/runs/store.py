"""A run's row and its entries in the log, written together. One function for each step of its life."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, or_, select, update

from profiles.setting import Setting
from runtime.canonical import JsonValue, canonical
from runtime.context.launched import added, flagged, scrubbed
from runtime.deployments import NO_MEMORY
from runtime.gate.actions import digest_of
from runtime.memory.drafts import close as close_draft
from runtime.memory.model import text_digest
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.leaf import decode_leaf
from runtime.runs.states import LaunchRequest, RunError, RunState, RunView
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow
from sandboxes.context import ContextItem
from sandboxes.lint.finding import Finding
from sandboxes.outcome import Outcome
from sandboxes.proof import Proof
from sandboxes.spec import Runtime

_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
_ENTRY = LogEntryRow.__table__  # type: ignore[attr-defined]  # likewise
UNFINISHED = (RunState.REQUESTED, RunState.RUNNING)


def requested(
    tx: Tx,
    run: str,
    request: LaunchRequest,
    *,
    agent: str,
    node: str,
    expires_at: datetime,
    now: datetime,
    memory: str = NO_MEMORY,
    told: Sequence[Finding] = (),
) -> None:
    """Record that a launch was asked for, before anything is made for it.

    The entry holds the digest of its memory, and how much of its task and command tells a status: of what the
    launch added, by kind (R-19), and of each item that the agent is shown (R-60).
    """
    tx.conn.execute(
        insert(_RUN).values(
            id=run,
            deployment=request.deployment,
            agent=agent,
            state=RunState.REQUESTED.value,
            operator=request.operator,
            single_user=request.single_user,
            node=node,
            task=request.task,
            runtime=request.runtime.value,
            setting=request.setting.value,
            requested_at=now,
            expires_at=expires_at,
        )
    )
    tx.append(
        Event(
            kind=EventKind.RUN_REQUESTED,
            at=now,
            actor=request.operator,
            agent=agent,
            deployment=request.deployment,
            run=run,
            data={
                "runtime": request.runtime.value,
                "setting": request.setting.value,
                "memory": memory,
                "told": dict(added(told, request.command)),
                "flagged": flagged(told),
                "single_user": request.single_user,
                "node": node,
                "task": None if request.task is None else text_digest(request.task),
                "requested_at": utc_text(now),
                "expires_at": utc_text(expires_at),
            },
            payload={
                "task": request.task,
                "command": list(request.command),
                "scrubbed": scrubbed(told),
            },
        )
    )


def attested(tx: Tx, run: RunView, proof: Proof, *, now: datetime) -> None:
    """Record the proof of the run's box."""
    record = cast("dict[str, JsonValue]", proof.as_record())
    tx.conn.execute(update(_RUN).where(_RUN.c.id == run.id).values(box=proof.box_id, proof=canonical(record)))
    data = {
        "box": proof.box_id,
        "image": proof.image,
        "checks": len(proof.checks),
        "proof": digest_of(record),
    }
    tx.append(_event(EventKind.RUN_ATTESTED, run, now=now, actor="handrail", data=data))


def released(tx: Tx, run: RunView, shown: Sequence[ContextItem], *, now: datetime) -> None:
    """Record the release, and each item the agent is shown: kind, name, digest and reason (R-60).

    Raises:
        RunError: the run is not waiting for its release, so nothing may be written into its box.
    """
    changed = tx.conn.execute(
        update(_RUN)
        .where(_RUN.c.id == run.id, _RUN.c.state == RunState.REQUESTED.value)
        .values(state=RunState.RUNNING.value, released_at=now)
    )
    if changed.rowcount != 1:
        raise RunError(f"run {run.id}: not waiting for its release; it was stopped meanwhile")
    context: list[JsonValue] = [[item.kind.value, item.name, item.digest, item.reason] for item in shown]
    data = {"context": context, "released_at": utc_text(now)}
    tx.append(_event(EventKind.RUN_RELEASED, run, now=now, actor="handrail", data=data))


def ended(
    tx: Tx,
    run: RunView,
    outcome: Outcome,
    log: str,
    *,
    now: datetime,
    states: Collection[RunState] = UNFINISHED,
) -> bool:
    """Record a run's ending with the tail of its output, and close its draft of the memory for review.

    Args:
        tx: the unit of work.
        run: which one.
        outcome: how it ended.
        log: the tail of its output.
        now: the present moment.
        states: those it may be in; in another one nothing is changed.

    Returns:
        Whether this call was the one to end it.
    """
    changed = tx.conn.execute(
        update(_RUN)
        .where(_RUN.c.id == run.id, _RUN.c.state.in_([state.value for state in states]))
        .values(
            state=RunState.ENDED.value,
            ended_at=now,
            outcome=outcome.ending.value,
            exit_code=outcome.exit_code,
        )
    )
    if changed.rowcount != 1:
        return False
    data = {
        "outcome": outcome.ending.value,
        "reason": outcome.reason,
        "exit_code": outcome.exit_code,
        "ended_at": utc_text(now),
    }
    tx.append(_event(EventKind.RUN_ENDED, run, now=now, actor="handrail", data=data, payload={"log": log}))
    close_draft(tx, run.id, deployment=run.deployment)
    return True


def find(conn: Connection, run: str) -> RunView:
    """Return a run. Raises RunError if there is none of this id."""
    row = conn.execute(select(_RUN).where(_RUN.c.id == run)).mappings().one_or_none()
    if row is None:
        raise RunError(f"no run {run}; `handrail runs list` shows those there are")
    return _view(row)


def proof_of(conn: Connection, run: str) -> dict[str, JsonValue] | None:
    """Return the proof of a run's box as it was recorded; None before there is one."""
    stored = conn.execute(select(_RUN.c.proof).where(_RUN.c.id == run)).scalar()
    return None if stored is None else json.loads(stored)


def newest(
    conn: Connection, *, agent: str | None = None, setting: Setting | None = None, limit: int = 100
) -> list[RunView]:
    """Return the latest runs, newest first: all, or those of one agent or one setting."""
    query = select(_RUN).order_by(_RUN.c.requested_at.desc(), _RUN.c.id).limit(limit)
    if agent is not None:
        query = query.where(_RUN.c.agent == agent)
    if setting is not None:
        query = query.where(_RUN.c.setting == setting.value)
    return [_view(row) for row in conn.execute(query).mappings()]


def unfinished(conn: Connection, *, node: str | None = None) -> list[RunView]:
    """Return every run that has no outcome yet, or those of one node, oldest first."""
    query = select(_RUN).where(_RUN.c.state != RunState.ENDED.value).order_by(_RUN.c.requested_at)
    if node is not None:
        query = query.where(of_node(node))
    return [_view(row) for row in conn.execute(query).mappings()]


def of_node(node: str) -> ColumnElement[bool]:
    """Select the runs of one node; those without a name are older than the second node."""
    return or_(_RUN.c.node == node, _RUN.c.node.is_(None))


def ask_to_stop(tx: Tx, run: RunView, *, now: datetime) -> bool:
    """Ask the node of a run to end it; false if that was asked before, or the run is over."""
    changed = tx.conn.execute(
        update(_RUN)
        .where(_RUN.c.id == run.id, _RUN.c.state != RunState.ENDED.value, _RUN.c.stop_asked_at.is_(None))
        .values(stop_asked_at=now)
    )
    if changed.rowcount != 1:
        return False
    data = {"node": run.node, "stop_asked_at": utc_text(now)}
    tx.append(_event(EventKind.RUN_STOP_ASKED, run, now=now, actor="handrail", data=data))
    return True


def asked_to_stop(conn: Connection, *, node: str) -> list[str]:
    """Return the runs of a node that another node wants ended."""
    query = select(_RUN.c.id).where(_RUN.c.state != RunState.ENDED.value, _RUN.c.stop_asked_at.is_not(None))
    return list(conn.execute(query.where(of_node(node))).scalars())


def ending_entry(conn: Connection, run: str) -> int | None:
    """Return the number of the entry that records a run's ending, with the tail of its output."""
    query = select(_ENTRY.c.seq).where(_ENTRY.c.run == run, _ENTRY.c.kind == EventKind.RUN_ENDED.value)
    return conn.execute(query.order_by(_ENTRY.c.seq.desc()).limit(1)).scalar()


def check_setting(conn: Connection, run: RunView) -> None:
    """Refuse a run whose row names another setting than the record of its launch: a row decides nothing.

    Raises:
        RunError: they differ, or the launch is not on record.
    """
    query = select(_ENTRY.c.leaf).where(
        _ENTRY.c.run == run.id, _ENTRY.c.kind == EventKind.RUN_REQUESTED.value
    )
    leaf = conn.execute(query.order_by(_ENTRY.c.seq).limit(1)).scalar()
    recorded = None if leaf is None else decode_leaf(leaf).data.get("setting", Setting.PRODUCTION.value)
    if recorded != run.setting.value:
        raise RunError(
            f"run {run.id}: its row says {run.setting}, the record of its launch "
            f"{recorded or 'is not there'}; nothing is done for it; run `handrail audit verify`"
        )


def _event(kind: EventKind, run: RunView, *, now: datetime, actor: str, **parts: object) -> Event:
    return Event(
        kind=kind,
        at=now,
        actor=actor,
        agent=run.agent,
        deployment=run.deployment,
        run=run.id,
        **parts,  # type: ignore[arg-type]  # data or payload, as the callers above pass them
    )


def _view(row: RowMapping) -> RunView:
    names = (
        "id",
        "agent",
        "deployment",
        "operator",
        "single_user",
        "task",
        "box",
        "outcome",
        "exit_code",
        "node",
    )
    moments = ("requested_at", "released_at", "expires_at", "ended_at")
    return RunView(
        state=RunState(row["state"]),
        runtime=Runtime(row["runtime"]),
        setting=Setting(row["setting"]),
        **{name: row[name] for name in names + moments},
    )
