"""Routes for held actions. The card travels whole; what counts is a signature over its digest."""

from fastapi import APIRouter

from console.api.deps import KernelDep, Said, believed
from console.api.views import Json, hold_row_view, hold_view, tally_view
from runtime.gate.states import HoldState

router = APIRouter(prefix="/approvals")


@router.get("")
async def waiting(kernel: KernelDep, *, past: bool = False) -> Json:
    """List the actions that wait for people; with `past`, the decided ones too."""
    states = tuple(HoldState) if past else (HoldState.WAITING,)
    return {"approvals": [hold_row_view(row) for row in await kernel.holds.listed(states)]}


@router.get("/{hold}")
async def show(kernel: KernelDep, hold: str) -> Json:
    """Show one held action: its card, how it stands, and what is still needed."""
    return hold_view(await kernel.holds.show(hold))


@router.post("/{hold}/votes")
async def vote(kernel: KernelDep, hold: str, body: Said) -> Json:
    """Take a signed yes or no."""
    voted = believed(await kernel.gate.vote(body.signed(), hold))
    return {"hold": hold, "person": voted.person, "state": voted.state.value} | tally_view(voted.tally)
