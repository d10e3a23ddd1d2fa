"""`handrail suggestions`: what an agent wanted and did not get. Judging is evidence; it executes nothing."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import Client, client_of
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.cards import judged_page, suggestion_page, suggestion_table
from console.show.values import Json
from console.shown import check_digest
from runtime.gate.actions import digest_of
from runtime.gate.states import JudgementVerdict

app = group("Judge actions that were recorded instead of executed.")

_Id = Annotated[str, typer.Argument(help="The suggestion's id.")]
_Verdict = Annotated[JudgementVerdict, typer.Argument(help="What you think of it.")]


@command(
    app, "list", example="handrail suggestions list --unjudged\nhandrail suggestions list --agent invoice-bot"
)
def list_suggestions(
    session: Session,
    *,
    agent: Annotated[str | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    unjudged: Annotated[bool, typer.Option("--unjudged", help="Only those nobody has judged.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List suggestions, newest first."""
    answer = client_of(session).get("suggestions", agent=agent, unjudged=unjudged, limit=limit)
    show(session, answer, suggestion_table)


@command(app, "show", example="handrail suggestions show sug-2qzv7j5m4kx3ahd6")
def show_suggestion(session: Session, suggestion: _Id) -> None:
    """Show one suggestion: the exact arguments, why it was not done, what was judged, and its digest."""
    show(session, _card(client_of(session), suggestion), suggestion_page)


@command(
    app,
    "judge",
    signs=True,
    example='handrail suggestions judge sug-2qzv7j5m4kx3ahd6 agree --reason "the label is right"',
)
def judge(
    session: Session,
    suggestion: _Id,
    verdict: _Verdict,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded, encrypted.")],
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Say what you think of it: agree, disagree, harmful or unclear. Agreeing never executes it."""
    from console.voting import judge as sign  # noqa: PLC0415 - signing loads much that listing does not need

    client = client_of(session)
    consent = Consent(yes, digest)
    answer = sign(session, client, _card(client, suggestion), verdict.value, reason, consent=consent)
    show(session, answer, judged_page)


def _card(client: Client, suggestion: str) -> Json:
    """Fetch a card and compute its digest here: what is signed is what is shown."""
    answer = client.get("suggestions", suggestion)
    check_digest(answer["digest"], digest_of(answer["card"]), "the card")
    check_digest(str(answer["card"]["suggestion"]), suggestion, "the card's suggestion")
    return answer
