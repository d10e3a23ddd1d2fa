"""Routes for what people judge. Nothing here can execute anything, whatever people think of it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from console.api.deps import Body, KernelDep, Now, Said, believed
from console.api.items import draw_view, item_view, listed_view, next_view
from console.api.views import Json
from rollout.evidence.desk import marks
from rollout.evidence.drawing import Drawing
from rollout.evidence.judging import Judging
from runtime.clock import random_bytes
from runtime.gate.suggestions import Suggestions
from runtime.tables.actions import SuggestionRow

router = APIRouter(prefix="/suggestions")


class DrawAsked(Body):
    """Which agent's items to draw; None: those of all."""

    agent: str | None = None


@router.get("")
async def listed(
    kernel: KernelDep,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
    agent: str | None = None,
    *,
    unjudged: bool = False,
) -> Json:
    """List suggestions, newest first."""
    book = Suggestions(kernel.ledger, kernel.policies)
    rows = await book.listed(agent=agent, unjudged=unjudged, limit=limit)
    return await asyncio.to_thread(_listed, kernel, rows)


@router.post("/draws")
async def draw(kernel: KernelDep, now: Now, body: DrawAsked) -> Json:
    """Draw from everything that happened since the last draw."""
    drawing = Drawing(kernel.ledger, kernel.policies, random_bytes)
    made = await asyncio.to_thread(drawing.ask, now, body.agent)
    return {"draws": [draw_view(one) for one in made]}


@router.get("/next")
async def next_item(kernel: KernelDep, person: str, agent: str | None = None) -> Json:
    """Show a person the next item that waits for them."""
    return next_view(*believed(await _judging(kernel).next(person, agent)))


@router.get("/{item}")
async def show(kernel: KernelDep, item: str, person: str | None = None) -> Json:
    """Show one item, as a person sees it now."""
    return item_view(await _judging(kernel).show(item, person))


@router.post("/{item}/expectations")
async def expect(kernel: KernelDep, item: str, body: Said) -> Json:
    """Take what a person would do, before the proposal is shown."""
    expected = believed(await _judging(kernel).expect(body.signed(), item))
    return {"item": expected.item, "person": expected.person}


@router.post("/{item}/judgements")
async def judge(kernel: KernelDep, item: str, body: Said) -> Json:
    """Take a signed judgement."""
    judged = believed(await _judging(kernel).judge(body.signed(), item))
    return {"suggestion": judged.suggestion, "person": judged.person, "verdict": judged.verdict.value}


def _judging(kernel: KernelDep) -> Judging:
    return Judging(kernel.ledger, kernel.policies)


def _listed(kernel: KernelDep, rows: list[SuggestionRow]) -> Json:
    with kernel.ledger.read() as conn:
        known = marks(conn, [row.id for row in rows])
    return {"suggestions": [listed_view(row, known) for row in rows]}
