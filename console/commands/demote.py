"""`handrail demote`: power taken away by one person, at once."""

from typing import Annotated

import typer

from console.cli import command, single
from console.client import client_of
from console.session import Session
from console.show.answer import show
from console.show.promotions import demoted_page
from profiles.effects import Tier

app = single()

_Tier = Annotated[int, typer.Option("--to", min=0, max=3, help="The tier that is left; 0 is reading only.")]


@command(
    app,
    "demote",
    signs=True,
    example='handrail demote invoice-bot --reason "two wrong labels this morning"\n'
    'handrail demote invoice-bot --to 1 --reason "keep drafting, stop the updates"',
)
def demote(
    session: Session,
    agent: Annotated[str, typer.Argument(help="A registered agent.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    to: _Tier = 0,
) -> None:
    """Revoke an agent's grants above a tier and void its open requests, from the next action on.

    Any operator, rollout manager, reviewer or person of security may; it asks nothing, since it only takes.
    The way back is the whole way: dwell, evidence, approvals.
    """
    from console.promoting import demote as sign  # noqa: PLC0415 - signing loads much that help does not need

    answer = sign(session, client_of(session), agent, Tier(to), reason=reason)
    show(session, answer, demoted_page)
