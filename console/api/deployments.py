"""Routes for deployments: drafted here, shown and signed there, created from the draft that was shown."""

import asyncio
from collections import OrderedDict
from datetime import timedelta

from fastapi import APIRouter, Request
from pydantic import Field

from console.api.deps import Body, KernelDep, Now, PeerDep, Said, believed
from console.api.views import Json, deployment_view, difference_view, draft_view, order_view
from console.errors import BlockedError
from console.kernel import Kernel
from profiles.effects import Effect
from profiles.load import parse_profile
from profiles.policy import Policy
from profiles.schema import Profile
from runtime import agents, deployments
from runtime.clock import new_id
from runtime.deployments import DeploymentError, difference
from runtime.drafting import Draft, deploy, draft
from runtime.grant_rules import MAXIMUM_LIFE, Order
from runtime.grants import Issued
from runtime.memory.loading import pinned
from runtime.record.batch import Tx

router = APIRouter(prefix="/deployments")
_TEXT_LIMIT = 1_048_576
_KEPT_DRAFTS = 32


class DraftRequest(Body):
    """What to deploy: an agent with a profile."""

    agent: str
    profile: str = Field(max_length=_TEXT_LIMIT)
    source: str = "profile"


class Signature(Body):
    """An operator's word for one draft."""

    draft: str
    statement: Said


class Drafts:
    """The drafts that were shown and not yet signed, with the grant that a signature would give."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Draft, Order]] = OrderedDict()

    def keep(self, drafted: Draft, order: Order) -> None:
        """Remember a draft by its order's id, and forget the oldest beyond a few."""
        self._kept[order.id] = (drafted, order)
        while len(self._kept) > _KEPT_DRAFTS:
            self._kept.popitem(last=False)

    def find(self, order: str) -> tuple[Draft, Order]:
        """Return a draft.

        Raises:
            BlockedError: it was made too long ago, or before a restart.
        """
        if order not in self._kept:
            raise BlockedError("this draft is not known any more", next_step="handrail deploy create again")
        return self._kept[order]


@router.post("/drafts")
async def drafting(kernel: KernelDep, peer: PeerDep, now: Now, request: Request, body: DraftRequest) -> Json:
    """Resolve what would be deployed; the upstreams are started once to see what they offer."""
    owner, policy = await asyncio.to_thread(_ground, kernel, body.agent)
    loaded = parse_profile(body.profile.encode(), source=body.source)
    memory = await asyncio.to_thread(_memory, kernel, body.agent, loaded.profile)
    drafted = await draft(
        body.agent,
        loaded,
        policy,
        driver=kernel.driver,
        opener=kernel.opener,
        memory=memory,
        rulebook=kernel.ground.rules,
    )
    order = Order(
        id=new_id("grant"),
        deployment=drafted.parts.digest,
        effect=Effect.READ,
        valid_from=now,
        valid_until=now + MAXIMUM_LIFE - timedelta(seconds=1),
        requester=peer.user,
        owner=owner,
    )
    _drafts(request).keep(drafted, order)
    changed = await asyncio.to_thread(_changes, kernel, drafted)
    return {"draft": draft_view(drafted), "order": order_view(order), "differences": changed}


@router.post("")
async def create(kernel: KernelDep, now: Now, request: Request, body: Signature) -> Json:
    """Create a drafted deployment with its read grant: tier 0."""
    drafted, order = _drafts(request).find(body.draft)

    def unit(tx: Tx) -> Issued:
        roster = kernel.policies.current(tx.conn).roster
        return believed(deploy(tx, drafted, order, body.statement.signed(), roster=roster, now=now))

    issued = await kernel.ledger.write(unit)
    shown = await asyncio.to_thread(show, kernel, order.deployment)
    return shown | {"signers": list(issued.signers), "grant": order.id}


@router.get("/{digest}")
def show(kernel: KernelDep, digest: str) -> Json:
    """Show one deployment."""
    with kernel.ledger.read() as connection:
        found = deployments.find(connection, digest)
    return {"deployment": deployment_view(found) | {"profile_text": found.profile_text}}


@router.get("/{before}/diff/{after}")
def compare(kernel: KernelDep, before: str, after: str) -> Json:
    """List the parts in which two deployments differ."""
    with kernel.ledger.read() as connection:
        old, new = deployments.find(connection, before), deployments.find(connection, after)
    return {
        "before": old.digest,
        "after": new.digest,
        "differences": [difference_view(one) for one in difference(old.parts, new.parts)],
        "profiles": [old.profile_text, new.profile_text],
    }


def _drafts(request: Request) -> Drafts:
    drafts: Drafts = request.app.state.drafts
    return drafts


def _ground(kernel: Kernel, agent: str) -> tuple[str, Policy]:
    with kernel.ledger.read() as connection:
        return agents.as_registered(connection, agent).owner, kernel.policies.current(connection).head.policy


def _memory(kernel: Kernel, agent: str, profile: Profile) -> str:
    with kernel.ledger.read() as connection:
        return pinned(connection, agent, profile, roster=kernel.policies.current(connection).roster)


def _changes(kernel: Kernel, drafted: Draft) -> list[Json]:
    with kernel.ledger.read() as connection:
        try:
            newest = deployments.newest(connection, drafted.parts.agent)
        except DeploymentError:
            return []
    return [difference_view(one) for one in difference(newest.parts, drafted.parts)]
