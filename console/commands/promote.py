"""`handrail promote`: one more effect class for a deployment, on evidence, by enough signatures."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.errors import Exit, UsageError
from console.session import Session
from console.show.answer import show
from console.show.promotions import (
    applied_page,
    draft_page,
    ended_page,
    excepted_page,
    promotion_page,
    promotion_table,
    voted_page,
)
from profiles.effects import Effect
from rollout.gates.model import GateId

# What signs is imported where it is used: it loads much that listing and help do not need.

app = group("Ask for one more effect class of an agent; approve, apply or withdraw such a request.")

_Request = Annotated[str, typer.Argument(help="The request's id, or its first 8 characters or more.")]
_Agent = Annotated[str, typer.Argument(help="A registered agent.")]
_Effect = Annotated[Effect, typer.Argument(help="The class that is asked for.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded, and shown to those who sign.")]
_Gates = Annotated[list[GateId], typer.Option("--gate", help="G1 (dwell) or G2 (distinct days); repeatable.")]


@command(
    app,
    "request",
    signs=True,
    example='handrail promote request invoice-bot draft --reason "40 labels, no miss"\n'
    "handrail promote request invoice-bot draft --draft",
)
def request(
    session: Session,
    agent: _Agent,
    effect: _Effect,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; those who sign see it.")] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Only show what would be frozen.")] = False,
) -> None:
    """Freeze the evidence of this moment and ask for a class on it. It grants nothing.

    Any operator or rollout manager may ask. The gates need not pass yet: what is missing is shown.
    """
    client = client_of(session)
    if draft:
        seen = client.get("promotions", "draft", agent=agent, effect=effect.value)
        show(session, seen, draft_page)
        return
    if not reason:
        raise UsageError("--reason", got="nothing", expected="why it should be granted")
    from console.promoting import ask  # noqa: PLC0415 - see above

    show(session, ask(session, client, agent, effect, reason=reason), promotion_page)


@command(app, "list", example="handrail promote list\nhandrail promote list --past --agent invoice-bot")
def list_requests(
    session: Session,
    *,
    agent: Annotated[str | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    past: Annotated[bool, typer.Option("--past", help="Also those that are over.")] = False,
) -> None:
    """List open requests, oldest first."""
    show(session, client_of(session).get("promotions", agent=agent, past=past), promotion_table)


@command(app, "show", example="handrail promote show prom-2qzv7j5m4kx3ahd6")
def show_request(session: Session, promotion: _Request) -> None:
    """Show one request: what was frozen, what the gates said then and say now, and who must still sign."""
    from console.promoting import fetch  # noqa: PLC0415 - see above

    answer, _ = fetch(client_of(session), promotion)
    show(session, answer, promotion_page)


@command(
    app,
    "approve",
    signs=True,
    example="handrail promote approve prom-2qzv7j5m4kx3ahd6\n"
    "handrail promote approve prom-2qzv7j5m4kx3ahd6 --yes --digest 5f1d7c2ab3e9",
)
def approve(session: Session, promotion: _Request, *, yes: Yes = False, digest: Digest = None) -> None:
    """Sign the grant that the request would issue, for exactly this evidence.

    Not for the requester, the agent's owner, or whoever judged the evidence alone. Your word counts for as
    long as the policy says (`expiry.promotion_hours`); nothing is granted before `promote apply`.
    """
    from console.promoting import approve as sign  # noqa: PLC0415 - see above

    answer = sign(session, client_of(session), promotion, consent=Consent(yes, digest))
    show(session, answer, voted_page)


@command(
    app, "reject", signs=True, example='handrail promote reject prom-2qzv7j5m4kx3ahd6 --reason "not yet"'
)
def reject(
    session: Session, promotion: _Request, *, reason: _Reason, yes: Yes = False, digest: Digest = None
) -> None:
    """Say no to a request; one no ends it."""
    from console.promoting import reject as sign  # noqa: PLC0415 - see above

    consent = Consent(yes, digest)
    answer = sign(session, client_of(session), promotion, reason=reason, consent=consent)
    show(session, answer, ended_page)


@command(
    app,
    "except",
    signs=True,
    example='handrail promote except prom-2qzv7j5m4kx3ahd6 --gate G1 --gate G2 --reason "a pilot"',
)
def except_from(
    session: Session,
    promotion: _Request,
    *,
    gate: _Gates,
    reason: _Reason,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Sign for a shorter observation than the policy asks for; it is recorded.

    It takes two persons of two groups, neither the requester nor the agent's owner. Only the dwell and the
    number of distinct days can be shortened, and nothing where the agent's risk or the class is critical.
    """
    from console.promoting import except_from as sign  # noqa: PLC0415 - see above

    consent = Consent(yes, digest)
    answer = sign(session, client_of(session), promotion, gate, reason=reason, consent=consent)
    show(session, answer, excepted_page)


@command(app, "apply", example="handrail promote apply prom-2qzv7j5m4kx3ahd6")
def apply(session: Session, promotion: _Request) -> None:
    """Look at everything afresh and issue the grant, in one transaction; else say what is missing.

    Exit code 0: applied; 3: something is missing or the request is over; 4: a gate fails.
    """
    answer = client_of(session).post("promotions", promotion, "applications")
    show(session, answer, applied_page)
    if answer["state"] != "applied":
        raise typer.Exit(Exit.GATE_FAILED if answer.get("failed") else Exit.BLOCKED)


@command(
    app,
    "withdraw",
    signs=True,
    example='handrail promote withdraw prom-2qzv7j5m4kx3ahd6 --reason "asked too early"',
)
def withdraw(session: Session, promotion: _Request, *, reason: _Reason) -> None:
    """Take a request back: for whoever made it, or a rollout manager."""
    from console.promoting import withdraw as sign  # noqa: PLC0415 - see above

    show(session, sign(session, client_of(session), promotion, reason=reason), ended_page)
