"""A large log as the gate writes it: intents and outcomes, and the rows that `audit verify` looks at too."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import SQLModel

from runtime.canonical import JsonValue
from runtime.clock import new_id
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.ledger import Ledger
from runtime.tables.actions import ActionRow, BudgetRow
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow
from runtime.tables.leases import LeaseRow

AGENT: Final = "finance"
DEPLOYMENT: Final = "d" * 64
FILL_UNIT: Final = 1_000
_DIGEST: Final = "a" * 64


def fill(ledger: Ledger, runs: Sequence[str], entries: int) -> None:
    """Write so many entries, two for each action.

    Args:
        ledger: an empty one.
        runs: whose actions they are, by turns.
        entries: how many, but for those of the agent and its runs.
    """
    used: Counter[tuple[str, str]] = Counter()
    ledger.write_sync(lambda tx: _begin(tx, runs))
    for start in range(0, entries // 2, FILL_UNIT):
        numbers = range(start, min(start + FILL_UNIT, entries // 2))
        ledger.write_sync(_bulk(numbers, runs, used))
    ledger.write_sync(lambda tx: _count(tx, used))


def _begin(tx: Tx, runs: Sequence[str]) -> None:
    now, later = tx.now, tx.now + timedelta(days=1)
    rows: list[tuple[type[SQLModel], dict[str, object]]] = [
        (
            AgentRow,
            {"name": AGENT, "owner": "olga", "traits": "[]", "risk": "high", "registered_at": now},
        ),
        (
            DeploymentRow,
            {
                "digest": DEPLOYMENT,
                "agent": AGENT,
                "parts": b"{}",
                "profile_text": "",
                "statement": "none",
                "created_at": now,
            },
        ),
    ]
    for table, first in rows:
        tx.insert(table, first)
    data: dict[str, JsonValue] = {"owner": "olga", "traits": [], "risk": "high"}
    tx.append(Event(kind=EventKind.AGENT_REGISTERED, at=now, agent=AGENT, data=data))
    _append(tx, EventKind.DEPLOYMENT_CREATED, {"parts": {}}, subject="none")
    for run in runs:
        row = {
            "id": run,
            "deployment": DEPLOYMENT,
            "agent": AGENT,
            "state": "requested",
            "operator": "olga",
            "single_user": False,
            "runtime": "runc",
            "setting": "production",
            "requested_at": now,
            "expires_at": later,
        }
        tx.insert(RunRow, row)
        tx.insert(LeaseRow, _run_lease(run, later))
        tx.append(
            Event(
                kind=EventKind.RUN_REQUESTED,
                at=now,
                actor="olga",
                agent=AGENT,
                deployment=DEPLOYMENT,
                run=run,
                data={"runtime": "runc", "setting": "production", "single_user": False},
            )
        )
        expires: dict[str, JsonValue] = {"expires_at": utc_text(later)}
        _append(tx, EventKind.LEASE_ISSUED, expires, run=run, subject=f"lease-of-{run}")


def _run_lease(run: str, until: datetime) -> dict[str, object]:
    return {
        "id": f"lease-of-{run}",
        "token_hash": run,
        "parent": None,
        "holder": run,
        "audience": "run",
        "action": None,
        "args_digest": None,
        "uses_left": 1,
        "expires_at": until,
        "revoked_at": None,
    }


def _bulk(numbers: range, runs: Sequence[str], used: Counter[tuple[str, str]]) -> Callable[[Tx], None]:
    def unit(tx: Tx) -> None:
        minute = f"minute:{utc_text(tx.now)[:16]}"
        for number in numbers:
            run = runs[number % len(runs)]
            _act(tx, run)
            used.update([(run, "run"), (f"agent:{AGENT}", minute)])

    return unit


def _act(tx: Tx, run: str) -> None:
    action, lease, until = new_id("act"), new_id("lease"), tx.now + timedelta(minutes=1)
    data: dict[str, JsonValue] = {
        "action": "tool",
        "answer": "allow",
        "digest": _DIGEST,
        "effect": "send",
        "lease": [lease, "mail", utc_text(until)],
        "name": "send_mail",
        "reasons": [],
        "units": 1,
    }
    payload: dict[str, JsonValue] = {"args": {"to": "vendor@example.org", "body": "the amount is 1,204.50"}}
    seq = _append(tx, EventKind.ACTION_INTENT, data, run=run, subject=action, payload=payload)
    told: dict[str, JsonValue] = {"status": "done", "intent": seq}
    _append(tx, EventKind.ACTION_OUTCOME, told, run=run, subject=action, payload={"payload": {"done": True}})
    tx.insert(
        ActionRow,
        {
            "id": action,
            "run": run,
            "deployment": DEPLOYMENT,
            "kind": "tool",
            "tool": "send_mail",
            "effect": "send",
            "args_digest": _DIGEST,
            "units": 1,
            "answer": "allow",
            "state": "done",
            "log_seq": seq,
            "decided_at": tx.now,
            "settled_at": tx.now,
        },
    )
    tx.insert(
        LeaseRow,
        {
            "id": lease,
            "token_hash": action,
            "parent": f"lease-of-{run}",
            "holder": run,
            "audience": "mail",
            "action": action,
            "args_digest": _DIGEST,
            "uses_left": 0,
            "expires_at": until,
            "revoked_at": None,
        },
    )


def _count(tx: Tx, used: Counter[tuple[str, str]]) -> None:
    for (holder, key), count in used.items():
        tx.insert(BudgetRow, {"holder": holder, "key": key, "used": count})


def _append(
    tx: Tx,
    kind: EventKind,
    data: dict[str, JsonValue],
    *,
    subject: str,
    run: str | None = None,
    payload: dict[str, JsonValue] | None = None,
) -> int:
    return tx.append(
        Event(
            kind=kind,
            at=tx.now,
            actor="agent",
            agent=AGENT,
            deployment=DEPLOYMENT,
            run=run,
            subject=subject,
            data=data,
            payload=payload,
        )
    )
