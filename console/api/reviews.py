"""Routes for reviews: what is owed, the packets that were printed, and the words that close them."""

import asyncio
from datetime import datetime

from fastapi import APIRouter

from console.api.deps import KernelDep, Now, Said, refusal
from console.api.views import Json, moment
from console.reviewing import desk_of
from rollout.reviews import rows
from rollout.reviews.closing import Closed, Waiting
from rollout.reviews.desk import Desk, Ran
from rollout.reviews.printing import Shown
from runtime.people.roster import Refused
from runtime.record.batch import Tx
from runtime.tables.reviews import ObligationRow

router = APIRouter(prefix="/reviews")


@router.get("")
def listed(kernel: KernelDep, now: Now, agent: str | None = None, *, past: bool = False) -> Json:
    """List what is owed, the first due first."""
    with kernel.ledger.read() as connection:
        found = rows.listed(connection, agent=agent, past=past)
    return {"reviews": [_row_view(row, made_at, now) for row, made_at in found]}


@router.post("/run")
def run(kernel: KernelDep, now: Now) -> Json:
    """Do the clock's work on reviews now."""
    kernel.engine.now()
    return _ran_view(desk_of(kernel).run(now))


@router.get("/{review}")
def show(kernel: KernelDep, now: Now, review: str) -> Json:
    """Show one review with the packet that stands."""
    desk = desk_of(kernel)
    return _answer(kernel, desk, review, desk.shown(review), now)


@router.post("/{review}/packet")
def print_again(kernel: KernelDep, now: Now, review: str) -> Json:
    """Print one review's packet as it is now."""
    kernel.engine.now()
    desk = desk_of(kernel)
    return _answer(kernel, desk, review, desk.print_again(review, now), now)


@router.post("/{review}/closings")
async def close(kernel: KernelDep, review: str, body: Said) -> Json:
    """Take a signed word that closes a review, alone or with others."""
    unit = await asyncio.to_thread(desk_of(kernel).closing, review, body.signed())

    def acted(tx: Tx) -> Closed | Waiting:
        answer = unit(tx)
        if isinstance(answer, Refused):
            raise refusal(answer)  # inside the unit, so that it leaves nothing behind
        return answer

    return _closed_view(await kernel.ledger.write(acted))


def _answer(kernel: KernelDep, desk: Desk, review: str, shown: Shown | None, now: datetime) -> Json:
    with kernel.ledger.read() as connection:
        row = rows.obligation_of(connection, review)
    said = {} if shown is None else desk.said(shown)
    return {
        "review": _row_view(row, None if shown is None else shown.packet.head.made_at, now),
        "packet": None if shown is None else shown.packet.as_json(),
        "digest": None if shown is None else shown.packet.digest,
        "said": {person: closure.as_json() for person, closure in said.items()},
    }


def _row_view(row: ObligationRow, made_at: datetime | None, now: datetime) -> Json:
    return {
        "review": row.id,
        "agent": row.agent,
        "deployment": row.deployment,
        "kind": row.kind,
        "state": row.state,
        "period_start": moment(row.period_start),
        "due_at": moment(row.due_at),
        "due_in_seconds": int((row.due_at - now).total_seconds()),
        "late": row.late,
        "printed_at": moment(made_at),
        "closed_at": moment(row.closed_at),
    }


def _ran_view(ran: Ran) -> Json:
    return {
        "owed": list(ran.owed),
        "overdue": list(ran.overdue),
        "printed": list(ran.printed),
        "alarms": list(ran.alarms),
    }


def _closed_view(answer: Closed | Waiting) -> Json:
    closed = isinstance(answer, Closed)
    return {
        "review": answer.obligation,
        "closed": closed,
        "persons": list(answer.persons),
        "missing": [] if isinstance(answer, Closed) else list(answer.missing),
        "renewed": [one.as_json() for one in answer.renewed] if isinstance(answer, Closed) else [],
        "incidents": list(answer.incidents) if isinstance(answer, Closed) else [],
        "following": answer.following if isinstance(answer, Closed) else None,
    }
