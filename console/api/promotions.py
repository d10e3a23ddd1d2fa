"""Routes for promotions and demotions. What counts are signatures over what was frozen, and the gates."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fastapi import APIRouter
from sqlalchemy import Connection

from console.api.deps import Body, KernelDep, Now, PeerDep, Said, believed
from console.api.promoted import answer_view, look_view, request_view, row_view, voted_view
from console.api.views import Json
from console.kernel import Kernel
from profiles.effects import Effect
from rollout.promotions import rows, voting
from rollout.promotions.applying import Applied, Over, Standing, apply, examine
from rollout.promotions.asking import Look, ask, look
from rollout.promotions.assessor import Assessor
from rollout.promotions.demoting import Demoted
from rollout.promotions.demoting import demote as demote_in
from rollout.promotions.frozen import Frozen
from rollout.promotions.voting import Voted
from runtime import deployments
from runtime.clock import new_id
from runtime.people.roster import Refused, Roster
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx

T = TypeVar("T")
router = APIRouter()
_Word = Callable[..., Voted | Refused]


class Application(Body):
    """Nothing has to be said to apply what was approved."""


@router.get("/promotions")
def listed(kernel: KernelDep, agent: str | None = None, *, past: bool = False) -> Json:
    """List open requests, oldest first; with `past`, all of them."""
    with kernel.ledger.read() as connection:
        found, faults = rows.listed(connection, agent=agent, past=past)
    return {"promotions": [row_view(one) for one in found], "faults": faults}


@router.get("/promotions/draft")
async def draft(kernel: KernelDep, now: Now, agent: str, effect: Effect) -> Json:
    """Show what a request made now would freeze."""
    assessor = await _assessor(kernel, now)

    def see(connection: Connection) -> Look:
        deployment = deployments.newest(connection, agent).digest
        roster = kernel.policies.current(connection).roster
        alone = kernel.single_user
        return look(
            connection, deployment, effect, assessor=assessor, roster=roster, single_user=alone, now=now
        )

    return look_view(await asyncio.to_thread(_read, kernel, see))


@router.post("/promotions")
async def request(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Make the request that a statement asks for, and freeze its evidence."""
    assessor = await _assessor(kernel, now)

    def unit(tx: Tx) -> Frozen:
        asked = ask(
            tx,
            body.signed(),
            assessor=assessor,
            roster=_roster(kernel, tx),
            new_id=new_id,
            single_user=kernel.single_user,
        )
        return believed(asked)

    frozen = await kernel.ledger.write(unit)
    return await _shown(kernel, now, assessor, frozen.promotion)


@router.get("/promotions/{promotion}")
async def show(kernel: KernelDep, now: Now, promotion: str) -> Json:
    """Show one request: what was frozen, and how it stands now."""
    return await _shown(kernel, now, await _assessor(kernel, now), promotion)


@router.post("/promotions/{promotion}/approvals")
async def approve(kernel: KernelDep, promotion: str, body: Said) -> Json:
    """Take a signed yes."""
    return await _take(kernel, promotion, body, voting.approve)


@router.post("/promotions/{promotion}/rejections")
async def reject(kernel: KernelDep, promotion: str, body: Said) -> Json:
    """Take a signed no; one is enough."""
    return await _take(kernel, promotion, body, voting.reject)


@router.post("/promotions/{promotion}/exceptions")
async def except_from(kernel: KernelDep, promotion: str, body: Said) -> Json:
    """Take a signed word for a shorter observation."""
    return await _take(kernel, promotion, body, voting.except_from)


@router.post("/promotions/{promotion}/withdrawals")
async def withdraw(kernel: KernelDep, promotion: str, body: Said) -> Json:
    """Take a request back."""
    return await _take(kernel, promotion, body, voting.withdraw)


@router.post("/promotions/{promotion}/applications")
async def applied(kernel: KernelDep, now: Now, peer: PeerDep, promotion: str, body: Application) -> Json:
    """Issue the grant if every gate passes in this very transaction; else say what is missing."""
    del body
    assessor = await _assessor(kernel, now)

    def unit(tx: Tx) -> Applied | Standing | Over:
        return apply(
            tx,
            promotion,
            assessor=assessor,
            roster=_roster(kernel, tx),
            single_user=kernel.single_user,
            actor=f"unix:{peer.user}",
        )

    return answer_view(await kernel.ledger.write(unit))


@router.post("/demotions")
async def demote(kernel: KernelDep, body: Said) -> Json:
    """Take a deployment down to a tier; it holds from the next action on."""

    def unit(tx: Tx) -> Demoted:
        return believed(demote_in(tx, body.signed(), roster=_roster(kernel, tx)))

    done = await kernel.ledger.write(unit)
    return {
        "agent": done.agent,
        "deployment": done.deployment,
        "tier": int(done.to),
        "person": done.person,
        "revoked": list(done.revoked),
        "voided": list(done.voided),
    }


async def _take(kernel: Kernel, promotion: str, body: Said, take: _Word) -> Json:
    signed: SignedStatement = body.signed()

    def unit(tx: Tx) -> Voted:
        return believed(take(tx, promotion, signed, roster=_roster(kernel, tx)))

    return voted_view(await kernel.ledger.write(unit))


async def _shown(kernel: Kernel, now: datetime, assessor: Assessor, promotion: str) -> Json:
    def see(connection: Connection) -> Json:
        roster = kernel.policies.current(connection).roster
        found = rows.find(connection, promotion)
        alone = kernel.single_user
        standing = examine(connection, found, assessor=assessor, roster=roster, single_user=alone, now=now)
        return request_view(found, standing)

    return await asyncio.to_thread(_read, kernel, see)


async def _assessor(kernel: Kernel, now: datetime) -> Assessor:
    """Return what looks at evidence, with the record verified beforehand: that takes too long for a unit."""
    audit = await asyncio.to_thread(kernel.audit.state, now)
    return await asyncio.to_thread(kernel.assess, kernel.policies, lambda _now: audit)


def _read(kernel: Kernel, see: Callable[[Connection], T]) -> T:
    with kernel.ledger.read() as connection:
        return see(connection)


def _roster(kernel: Kernel, tx: Tx) -> Roster:
    return kernel.policies.current(tx.conn).roster
