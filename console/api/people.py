"""Routes for people and the policy. Everything that changes anything here is signed."""

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from console.api.deps import Body, KernelDep, Now, Said, believed, refusal
from console.api.views import Json, change_view, moment, people_view
from runtime.people.changes import Applied, Waiting, next_version, pending_changes, sign_change, submit_change
from runtime.people.revocation import Revoked, revoke_keys
from runtime.people.roster import Refused
from runtime.record.batch import Tx

router = APIRouter()
_TEXT_LIMIT = 1_048_576


class Text(Body):
    """A whole next policy."""

    text: str = Field(max_length=_TEXT_LIMIT)


class Proposal(Text):
    """A whole next policy with the word of the first person for it."""

    statement: Said


@router.get("/people")
def everybody(kernel: KernelDep) -> Json:
    """List who was ever enrolled."""
    with kernel.ledger.read() as connection:
        state = kernel.policies.current(connection)
    return {"installation": kernel.installation, "people": people_view(state)}


@router.get("/policy")
def show(kernel: KernelDep, now: Now) -> Json:
    """Show the policy in force and the changes that wait for signatures."""
    with kernel.ledger.read() as connection:
        state = kernel.policies.current(connection)
        waiting = pending_changes(connection, state, now=now)
    return {
        "version": state.head.version,
        "digest": state.head.digest,
        "text": state.head.text,
        "problems": list(state.problems),
        "pending": [_pending(row) for row in waiting],
    }


@router.post("/policy/checks")
def check(kernel: KernelDep, body: Text) -> Json:
    """Say what a next policy would be signed as, or why nobody could put it in force now; it is not kept."""
    with kernel.ledger.read() as connection:
        version = next_version(kernel.policies.current(connection), body.text)
    return {"version": version.version, "digest": version.digest}


@router.post("/policy/changes")
async def propose(kernel: KernelDep, now: Now, body: Proposal) -> Json:
    """Propose a change with the first signature; with one person enrolled that may put it in force."""
    signed = body.statement.signed()

    def unit(tx: Tx) -> Json:
        return _change(submit_change(tx, kernel.policies.current(tx.conn), body.text, signed, now=now))

    return await _changed(kernel, await kernel.ledger.write(unit))


@router.post("/policy/changes/{digest}/signatures")
async def sign(kernel: KernelDep, now: Now, digest: str, body: Said) -> Json:
    """Add a signature to a proposed change."""

    def unit(tx: Tx) -> Json:
        return _change(sign_change(tx, kernel.policies.current(tx.conn), digest, body.signed(), now=now))

    return await _changed(kernel, await kernel.ledger.write(unit))


@router.post("/people/revocations")
async def revoke(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Declare a person's keys dead at once; one's own, or with the policy role."""

    def unit(tx: Tx) -> Revoked:
        return believed(revoke_keys(tx, kernel.policies.current(tx.conn), body.signed(), now=now))

    done = await kernel.ledger.write(unit)
    return await _changed(kernel, {"state": "revoked", "person": done.person, "keys": list(done.keys)})


async def _changed(kernel: KernelDep, change: Json) -> Json:
    await asyncio.to_thread(_remember, kernel)
    return {"change": change}


def _change(done: Applied | Waiting | Refused) -> Json:
    """Return what became of a change; a refusal leaves the transaction without a trace."""
    if isinstance(done, Refused):
        raise refusal(done)
    return change_view(done)


def _remember(kernel: KernelDep) -> None:
    with kernel.ledger.read() as connection:
        kernel.policies.remember(connection)


def _pending(row: Any) -> Json:
    return {
        "digest": row.digest,
        "version": row.version,
        "previous": row.previous,
        "text": row.text,
        "proposed_by": row.proposed_by,
        "proposed_at": moment(row.proposed_at),
        "expires_at": moment(row.expires_at),
    }
