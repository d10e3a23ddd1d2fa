"""`handrail resume`: end a suspension of writes, by signature."""

from typing import Annotated

import typer

from console.cli import command, single
from console.client import client_of
from console.session import Session
from console.show.answer import show
from console.show.power import resumed_page, suspension_table
from console.signing import signer
from runtime.suspension_rules import matter_to_resume

app = single()

_Id = Annotated[
    str | None, typer.Argument(help="The suspension's id; without one, those that stand are listed.")
]
_Reason = Annotated[str, typer.Option("--reason", help="Why writes may go on; it is recorded.")]


@command(
    app,
    "resume",
    signs=True,
    example='handrail resume\nhandrail resume susp-0f3a61c09b77d2e4 --reason "the monitor is back"',
)
def resume(session: Session, suspension: _Id = None, *, reason: _Reason = "") -> None:
    """End a suspension, as a rollout manager or as security; without an id, list those that stand.

    The agent's owner ends none. While its cause lasts, the next look suspends again: an overdue review ends
    by closing it, and outdated rules by a new deployment alone.
    """
    client = client_of(session)
    if suspension is None:
        show(session, client.get("suspensions"), suspension_table)
        return
    if not reason.strip():
        raise typer.BadParameter("a resumption needs its reason", param_hint="--reason")
    said = signer(session, client).say(matter_to_resume(suspension, reason=reason))
    show(session, client.post("suspensions", "resumptions", body=said), resumed_page)
