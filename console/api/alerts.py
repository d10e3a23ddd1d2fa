"""Routes for alerts: what went astray, and what people say about it."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from console.api.deps import KernelDep, Now, Said, believed
from console.api.views import Json, moment
from console.kernel import Kernel
from runtime.alerts import closing, queries, reporting
from runtime.alerts.closing import Closed, Escalated
from runtime.alerts.pattern import pattern_count
from runtime.alerts.words import Alert
from runtime.gate.actions import digest_of
from runtime.people.roster import Roster
from runtime.record.batch import Tx

router = APIRouter(prefix="/alerts")

Limit = Annotated[int, Query(ge=1, le=10_000)]


@router.get("")
def listed(
    kernel: KernelDep, now: Now, agent: str | None = None, limit: Limit = 50, *, closed: bool = False
) -> Json:
    """List alerts, newest first; closed ones only when asked for."""
    with kernel.ledger.read() as conn:
        roster = kernel.policies.current(conn).roster
        found = [one for one in queries.alerts_of(conn, agent, roster=roster) if closed or one.is_open]
    return {"now": moment(now), "alerts": [_view(one) for one in reversed(found[-limit:])]}


@router.get("/{alert}")
def show(kernel: KernelDep, now: Now, alert: str) -> Json:
    """Show one alert: its card as it is signed, when it happened, and how often in all."""
    with kernel.ledger.read() as conn:
        policy = kernel.policies.current(conn)
        found = queries.find_alert(conn, alert, roster=policy.roster)
        rules = policy.head.policy.alerts
        seen = pattern_count(conn, found.fingerprint, rules=rules, now=now)
        happened = [
            {"at": moment(one.at), "run": one.run, "action": one.action, "deployment": one.deployment}
            for one in queries.occurrences(conn, alert)
        ]
        entry = queries.entry_of(conn, alert)
    pattern = {"count": seen, "days": rules.pattern_days, "incident_at": rules.pattern_count}
    detail = _detail(kernel, entry)
    return {**_view(found), "now": moment(now), "pattern": pattern, "happened": happened, "detail": detail}


@router.post("/closings")
async def close(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Take a signed disposition."""

    def unit(tx: Tx) -> Closed:
        return believed(
            closing.close(tx, body.signed(), roster=_roster(kernel, tx.conn), now=max(now, tx.now))
        )

    done = await kernel.ledger.write(unit)
    disposition = done.disposition.value
    return {
        "closed": {
            "alert": done.alert,
            "person": done.person,
            "disposition": disposition,
            "incident": done.incident,
        }
    }


@router.post("/escalations")
async def escalate(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Make an incident of an alert."""

    def unit(tx: Tx) -> Escalated:
        roster = _roster(kernel, tx.conn)
        return believed(closing.escalate(tx, body.signed(), roster=roster, now=max(now, tx.now)))

    return _escalated(await kernel.ledger.write(unit))


@router.post("/reports")
async def report(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Take what only a person can see about a run or an action."""

    def unit(tx: Tx) -> Escalated:
        roster = _roster(kernel, tx.conn)
        return believed(reporting.report(tx, body.signed(), roster=roster, now=max(now, tx.now)))

    return _escalated(await kernel.ledger.write(unit))


def _roster(kernel: Kernel, conn: Connection) -> Roster:
    return kernel.policies.current(conn).roster


def _escalated(done: Escalated) -> Json:
    return {"escalated": {"incident": done.incident, "person": done.person, "alert": done.alert}}


def _view(alert: Alert) -> Json:
    closed = alert.closed
    return {
        "card": alert.card,
        "digest": digest_of(alert.card),
        "problem": alert.problem,
        "closed": None
        if closed is None
        else {
            "person": closed.person,
            "disposition": closed.disposition.value,
            "reason": closed.text,
            "at": moment(closed.at),
        },
    }


def _detail(kernel: Kernel, entry: int | None) -> str | None:
    payload = None if entry is None else kernel.ledger.entry(entry).payload
    detail = (payload or {}).get("detail")
    return detail if isinstance(detail, str) else None
