"""`handrail suggestions`: what an agent wanted and did not get. Judging is evidence; it executes nothing."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import Client, client_of
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.cards import judged_page, suggestion_table
from console.show.items import item_page, next_page, said_page
from console.show.text import say
from console.shown import fetch_item
from runtime.gate.states import JudgementVerdict

# Signing, and what checks a card before it is signed, loads much that listing does not need: it is imported
# where it is used.

app = group(
    "Judge actions that were recorded instead of executed, and a sample of those that were carried out."
)

_Id = Annotated[str, typer.Argument(help="The suggestion's id, or that of an action that was carried out.")]
_Verdict = Annotated[JudgementVerdict, typer.Argument(help="What you think of it.")]
_Agent = Annotated[str | None, typer.Option("--agent", help="Only those of this agent.")]


@command(
    app, "list", example="handrail suggestions list --unjudged\nhandrail suggestions list --agent invoice-bot"
)
def list_suggestions(
    session: Session,
    *,
    agent: _Agent = None,
    unjudged: Annotated[bool, typer.Option("--unjudged", help="Only those nobody has judged.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List suggestions, newest first.

    JUDGED says what people judged so far; `waits` and `blind` were drawn and wait for a verdict.
    """
    answer = client_of(session).get("suggestions", agent=agent, unjudged=unjudged, limit=limit)
    show(session, answer, suggestion_table)


@command(app, "show", signs=True, example="handrail suggestions show sug-2qzv7j5m4kx3ahd6")
def show_suggestion(session: Session, suggestion: _Id) -> None:
    """Show one suggestion: the exact arguments, why it was not done, what was judged, and its digest.

    One that was drawn blind is shown without the proposal until somebody has judged it; with --key, until you
    have said what you would do.
    """
    client = client_of(session)
    show(session, fetch_item(client, suggestion, _person(session, client)), item_page)


@command(
    app,
    "review",
    signs=True,
    example="handrail suggestions review\n"
    "handrail suggestions review --agent invoice-bot --key ~/.ssh/id_ed25519",
)
def review(session: Session, *, agent: _Agent = None) -> None:
    """Judge what was drawn, one item at a time: a agree, d disagree, h harmful, u unclear, q quit.

    First everything since the last draw is drawn by a seed of our own. For some items you say what you would
    do before you see the proposal. A key works only after the whole card was shown; each verdict is signed.

    With --json each line out holds the item that waits, and each line in what you say about it:
    {"item": ID, "digest": D, "expectation": WORDS} or {"item": ID, "digest": D, "verdict": V, "reason": R}.
    """
    from console.review import Desk, print_json  # noqa: PLC0415 - see above
    from console.review import review as judge_all  # noqa: PLC0415 - see above

    desk = Desk(session, agent, client_of(session))
    if session.json:
        print_json(desk)
        return
    done, left = judge_all(desk)
    say(f"judged {done}, {left} still wait for you" if left else f"judged {done}, nothing waits for you")


@command(
    app,
    "next",
    signs=True,
    example="handrail suggestions next --agent invoice-bot --json",
)
def next_item(session: Session, *, agent: _Agent = None) -> None:
    """Show the next item that waits for you, as `review` does, and sign nothing."""
    from console.review import Desk  # noqa: PLC0415 - see above

    left, item = Desk(session, agent, client_of(session)).next()
    show(session, {"left": left, "item": item}, next_page)


@command(
    app,
    "expect",
    signs=True,
    example='handrail suggestions expect sug-2qzv7j5m4kx3ahd6 --words "label it as paid"',
)
def expect(
    session: Session,
    suggestion: _Id,
    *,
    words: Annotated[str, typer.Option("--words", help="What you would do; it is recorded, encrypted.")],
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Say what you would do about an item that was drawn blind, before you see the proposal."""
    from console.voting import expect as sign  # noqa: PLC0415 - see above

    answer = sign(session, client_of(session), suggestion, words, consent=Consent(yes, digest))
    show(session, answer, said_page)


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
    """Say what you think of it: agree, disagree, harmful or unclear. Agreeing never executes it.

    Verdicts count as evidence for items that were drawn (see `suggestions review`); `harmful` always does.
    """
    from console.voting import judge as sign  # noqa: PLC0415 - see above

    consent = Consent(yes, digest)
    answer = sign(session, client_of(session), suggestion, verdict.value, reason, consent=consent)
    show(session, answer, judged_page)


def _person(session: Session, client: Client) -> str | None:
    """Whose key was named; nobody in particular where none was."""
    if session.key is None:
        return None
    from console.signing import signer  # noqa: PLC0415 - see above

    return signer(session, client).person
