"""`handrail freeze`: a stop with a reason, an owner and an end. Anyone enrolled may freeze."""

from datetime import timedelta
from typing import Annotated

import typer

from console.cli import command, single
from console.client import Client, client_of
from console.errors import UsageError
from console.session import Session
from console.show.answer import show
from console.show.freezes import frozen_page
from console.signing import signer
from runtime.clock import new_id, utc_now
from runtime.freeze_rules import MAXIMUM_LIFE, Freeze, Scope
from runtime.moments import utc_text

app = single()

_Agent = Annotated[str | None, typer.Option("--agent", help="Stop one agent.")]
_Deployment = Annotated[
    str | None, typer.Option("--deployment", help="Stop one deployment: its digest, or 8 characters of it.")
]
_All = Annotated[bool, typer.Option("--all", help="Stop everything.")]
_Hours = Annotated[int, typer.Option("--hours", min=1, help="When it ends by itself.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]


@command(
    app,
    "freeze",
    signs=True,
    example='handrail freeze --agent invoice-bot --reason "wrong vendor in two mails"\n'
    'handrail freeze --all --hours 4 --reason "incident 8"',
)
def freeze(
    session: Session,
    *,
    reason: _Reason,
    agent: _Agent = None,
    deployment: _Deployment = None,
    everything: _All = False,
    hours: _Hours = 24,
) -> None:
    """Stop actions from the next one on. It asks nothing: stopping must be quick."""
    scope, named = _target(agent, deployment, everything=everything)
    client = client_of(session)
    target = _known(client, scope, named)
    expires_at = utc_now() + timedelta(hours=min(hours, MAXIMUM_LIFE // timedelta(hours=1)))
    order = Freeze(new_id("frz"), scope, target, reason, expires_at)
    body = {
        "id": order.id,
        "scope": scope.value,
        "target": target,
        "reason": reason,
        "expires_at": utc_text(expires_at),
        "statement": signer(session, client).say(order.matter),
    }
    show(session, client.post("freezes", body=body), frozen_page)


def _target(agent: str | None, deployment: str | None, *, everything: bool) -> tuple[Scope, str]:
    given = {Scope.AGENT: agent, Scope.DEPLOYMENT: deployment, Scope.ALL: "all" if everything else None}
    chosen = [(scope, target) for scope, target in given.items() if target]
    if len(chosen) != 1:
        raise UsageError(
            "what to freeze", got=f"{len(chosen)} of them", expected="one of --agent, --deployment, --all"
        )
    return chosen[0]


def _known(client: Client, scope: Scope, named: str) -> str:
    """Return what is meant, in full: the stop of a mistyped name would stop nothing."""
    if scope is Scope.AGENT:
        return str(client.get("agents", named)["agent"]["name"])
    if scope is Scope.DEPLOYMENT:
        return str(client.get("deployments", named)["deployment"]["digest"])
    return named
