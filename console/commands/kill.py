"""`handrail kill`: stop now, and take the writes too. Anyone enrolled may kill."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from console.cli import command, single
from console.client import Client, client_of
from console.errors import UsageError
from console.session import Session
from console.show.answer import show
from console.show.power import killed_page
from console.signing import signer
from runtime.clock import new_id, utc_now
from runtime.freeze_rules import MAXIMUM_LIFE, Freeze, Scope
from runtime.moments import utc_text

app = single()

_RUN = re.compile(r"run-[a-z2-7]{16}")
_MARGIN = timedelta(minutes=10)  # for a clock of the control plane that is a little behind this one
_Target = Annotated[str | None, typer.Argument(help="A run's id, or an agent's name.")]
_All = Annotated[bool, typer.Option("--all", help="Kill everything.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]


@command(
    app,
    "kill",
    signs=True,
    example='handrail kill invoice-bot --reason "it pays the wrong vendor"\n'
    'handrail kill run-2qzv7j5m4kx3ahd6 --reason "loops"\n'
    'handrail kill --all --reason "incident 8"',
)
def kill(session: Session, target: _Target = None, *, reason: _Reason, everything: _All = False) -> None:
    """Stop from the next action on, end the boxes, and put what is stopped back at tier 0.

    A run is killed with its whole deployment. The freeze lasts until an operator lifts it, at most 90 days;
    the writes come back by a promotion alone. It asks nothing: stopping must be quick.
    """
    if (target is None) is not everything:
        raise UsageError("what to kill", expected="one of a run's id, an agent's name, and --all")
    client = client_of(session)
    scope, named = _known(client, target)
    expires_at = utc_now() + MAXIMUM_LIFE - _MARGIN
    order = Freeze(new_id("frz"), scope, named, reason, expires_at)
    body = {
        "id": order.id,
        "scope": scope.value,
        "target": named,
        "reason": reason,
        "expires_at": utc_text(expires_at),
        "statement": signer(session, client).say(order.matter),
    }
    show(session, client.post("kills", body=body), killed_page)


def _known(client: Client, target: str | None) -> tuple[Scope, str]:
    """Return what is meant; the control plane refuses a name that it does not know."""
    if target is None:
        return Scope.ALL, "all"
    if _RUN.fullmatch(target):
        return Scope.DEPLOYMENT, str(client.get("runs", target)["run"]["deployment"])
    return Scope.AGENT, target
