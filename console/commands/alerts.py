"""`handrail alerts`: what went astray. People have a day to look at each; then writes are suspended."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.session import Session
from console.show.alerts import alert_page, alert_table, closed_page, escalated_page
from console.show.answer import show
from runtime.alerts.rules import AlertRule, Disposition

app = group("Look at what went astray: close it, escalate it, report what no machine can see.")

_Id = Annotated[str, typer.Argument(help="The alert's id.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded, encrypted.")]


@command(app, "list", example="handrail alerts list\nhandrail alerts list --agent invoice-bot --closed")
def list_alerts(
    session: Session,
    *,
    agent: Annotated[
        str | None, typer.Option("--agent", help="Only those of this agent; `handrail` for its own.")
    ] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List open alerts with the time that is left to look at them."""
    answer = client_of(session).get("alerts", agent=agent, closed=closed, limit=limit)
    show(session, answer, alert_table)


@command(app, "show", example="handrail alerts show alert-0f3a61c09b77d2e4")
def show_alert(session: Session, alert: _Id) -> None:
    """Show one alert: what, how often, when, in which runs; and the digest that a closing signs."""
    from console.alarms import fetch_alert  # noqa: PLC0415 - signing loads much that listing does not need

    show(session, fetch_alert(client_of(session), alert), alert_page)


@command(
    app,
    "close",
    signs=True,
    example='handrail alerts close alert-0f3a61c09b77d2e4 --as explained --reason "the new vendor list"',
)
def close(
    session: Session,
    alert: _Id,
    *,
    as_: Annotated[Disposition, typer.Option("--as", help="What you found it to be.")],
    reason: _Reason,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Close an alert as it was shown, as a reviewer, security or an operator, never as the agent's owner.

    `unexplained` closes it too, suspends the agent's writes and opens an incident. Closing one does not reset
    how often its pattern happened.
    """
    from console.alarms import close as sign  # noqa: PLC0415 - signing loads much that listing does not need

    consent = Consent(yes, digest)
    show(session, sign(session, client_of(session), alert, as_, reason, consent=consent), closed_page)


@command(
    app,
    "escalate",
    signs=True,
    example='handrail alerts escalate alert-0f3a61c09b77d2e4 --reason "the same vendor in three agents"',
)
def escalate(session: Session, alert: _Id, *, reason: _Reason) -> None:
    """Make an incident of an alert: leadership is told, and nothing is promoted until a leader has answered.

    Anyone enrolled may. It asks nothing, since it only alarms.
    """
    from console.alarms import escalate as sign  # noqa: PLC0415 - see above

    show(session, sign(session, client_of(session), alert, reason), escalated_page)


@command(
    app,
    "report",
    signs=True,
    example='handrail alerts report run-2qzv7j5m4kx3ahd6 --rule contradiction --reason "says otherwise"',
)
def report(
    session: Session,
    subject: Annotated[str, typer.Argument(metavar="RUN|ACTION", help="The run's or the action's id.")],
    *,
    rule: Annotated[AlertRule, typer.Option("--rule", metavar="RULE", help="contradiction or unexplained.")],
    reason: _Reason,
) -> None:
    """Report what only a person can see about a run or an action; it is an incident at once.

    `contradiction`: what the agent says contradicts what it does; its deployment drops to tier 0.
    `unexplained`: nobody can explain the decision; its deployment's writes are suspended.
    """
    from console.alarms import report as sign  # noqa: PLC0415 - see above

    show(session, sign(session, client_of(session), subject, rule, reason), escalated_page)
