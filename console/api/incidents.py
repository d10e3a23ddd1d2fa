"""Routes for incidents: what a leader must know, and the leader's word."""

from fastapi import APIRouter

from console.api.alerts import Limit
from console.api.deps import KernelDep, Now, Said, believed
from console.api.views import Json, moment
from runtime.alerts import closing, queries
from runtime.alerts.closing import Acknowledged
from runtime.alerts.words import Incident
from runtime.gate.actions import digest_of
from runtime.record.batch import Tx

router = APIRouter(prefix="/incidents")


@router.get("")
def listed(
    kernel: KernelDep, now: Now, agent: str | None = None, limit: Limit = 50, *, acknowledged: bool = False
) -> Json:
    """List incidents, newest first; acknowledged ones only when asked for."""
    with kernel.ledger.read() as conn:
        roster = kernel.policies.current(conn).roster
        every = queries.incidents_of(conn, agent, roster=roster)
    found = [one for one in every if acknowledged or one.acknowledged is None]
    return {"now": moment(now), "incidents": [_view(one) for one in reversed(found[-limit:])]}


@router.get("/{incident}")
def show(kernel: KernelDep, now: Now, incident: str) -> Json:
    """Show one incident as it is signed."""
    with kernel.ledger.read() as conn:
        roster = kernel.policies.current(conn).roster
        return {**_view(queries.find_incident(conn, incident, roster=roster)), "now": moment(now)}


@router.post("/acknowledgements")
async def acknowledge(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Take a leader's signed acknowledgement."""

    def unit(tx: Tx) -> Acknowledged:
        roster = kernel.policies.current(tx.conn).roster
        return believed(closing.acknowledge(tx, body.signed(), roster=roster, now=max(now, tx.now)))

    done = await kernel.ledger.write(unit)
    return {"acknowledged": {"incident": done.incident, "person": done.person}}


def _view(incident: Incident) -> Json:
    return {
        "card": incident.card,
        "digest": digest_of(incident.card),
        "problem": incident.problem,
        "acknowledged": incident.acknowledged,
        "reason": incident.words,
    }
