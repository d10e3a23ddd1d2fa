"""`handrail unfreeze`: lift a freeze, as an operator, by signature."""

from typing import Annotated

import typer

from console.cli import command, single
from console.client import client_of
from console.session import Session
from console.show.answer import show
from console.show.freezes import freeze_table, lifted_page
from console.signing import signer
from runtime.freeze_rules import matter_to_unfreeze

app = single()

_Id = Annotated[str | None, typer.Argument(help="The freeze's id; without one, those that stand are listed.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why it may go on; it is recorded.")]


@command(
    app,
    "unfreeze",
    signs=True,
    example='handrail unfreeze\nhandrail unfreeze frz-2qzv7j5m4kx3ahd6 --reason "vendor list corrected"',
)
def unfreeze(session: Session, freeze: _Id = None, *, reason: _Reason = "") -> None:
    """Lift a freeze; without an id, list the freezes that stand."""
    client = client_of(session)
    if freeze is None:
        show(session, client.get("freezes"), freeze_table)
        return
    if not reason.strip():
        raise typer.BadParameter("a lift needs its reason", param_hint="--reason")
    said = signer(session, client).say(matter_to_unfreeze(freeze, reason=reason))
    show(session, client.post("freezes", "lifts", body=said), lifted_page)
