"""Routes for suggestions. Nothing here can execute anything, whatever people think of one."""

from typing import Annotated

from fastapi import APIRouter, Query

from console.api.deps import KernelDep, Said, believed
from console.api.views import Json, suggestion_row_view, suggestion_view
from runtime.gate.suggestions import Suggestions

router = APIRouter(prefix="/suggestions")


@router.get("")
async def listed(
    kernel: KernelDep,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
    agent: str | None = None,
    *,
    unjudged: bool = False,
) -> Json:
    """List suggestions, newest first."""
    book = _book(kernel)
    rows = await book.listed(agent=agent, unjudged=unjudged, limit=limit)
    return {"suggestions": [suggestion_row_view(row) for row in rows]}


@router.get("/{suggestion}")
async def show(kernel: KernelDep, suggestion: str) -> Json:
    """Show one suggestion: its card, and what was judged."""
    return suggestion_view(await _book(kernel).show(suggestion))


@router.post("/{suggestion}/judgements")
async def judge(kernel: KernelDep, suggestion: str, body: Said) -> Json:
    """Take a signed judgement."""
    judged = believed(await _book(kernel).judge(body.signed(), suggestion))
    return {"suggestion": judged.suggestion, "person": judged.person, "verdict": judged.verdict.value}


def _book(kernel: KernelDep) -> Suggestions:
    return Suggestions(kernel.ledger, kernel.policies)
