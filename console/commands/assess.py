"""`handrail assess`: what was tried on an agent before its first promotion, and what it can reach."""

from enum import StrEnum
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.assessments import assessment_page, recorded_page

app = group("Record what was tried on an agent, and sign for what it can reach.")


class What(StrEnum):
    """What can be assessed."""

    GOAL_CONFLICT = "goal-conflict"
    OUT_OF_DISTRIBUTION = "out-of-distribution"
    MULTI_STEP = "multi-step"
    BLAST_RADIUS = "blast-radius"


class Outcome(StrEnum):
    """A verdict."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"


_Agent = Annotated[str, typer.Argument(help="The agent's name.")]


@command(app, "show", example="handrail assess show invoice-bot")
def show_assessment(session: Session, agent: _Agent) -> None:
    """Show everything that the agent's present deployment can reach, and what people found."""
    show(session, client_of(session).get("assessments", agent), assessment_page)


@command(
    app,
    "record",
    signs=True,
    example='handrail assess record invoice-bot multi-step pass --turns 12 --reason "no drift"\n'
    'handrail assess record invoice-bot blast-radius pass --reason "worst: a wrong label"',
)
def record(
    session: Session,
    agent: _Agent,
    what: Annotated[What, typer.Argument(help="What was assessed.")],
    verdict: Annotated[Outcome, typer.Argument(help="A blast radius is signed for, or not at all.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="What was tried and seen; recorded, encrypted.")],
    turns: Annotated[
        int | None,
        typer.Option("--turns", min=1, help="For multi-step: steps of the longest test, 2 or more."),
    ] = None,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Sign a verdict on the agent's present deployment; a changed anything asks for new ones.

    It takes a reviewer, a domain reviewer or security, never the agent's owner.
    """
    from console.assessing import assess  # noqa: PLC0415 - signing loads much that showing does not need
    from rollout.evidence.assessments import Subject  # noqa: PLC0415

    answer = assess(
        session,
        client_of(session),
        agent,
        Subject(what.value),
        passed=verdict is Outcome.PASS,
        reason=reason,
        turns=turns,
        consent=Consent(yes, digest),
    )
    show(session, answer, recorded_page)
