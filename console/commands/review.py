"""`handrail review`: the reviews that are owed, their packets, and closing them by a signed word."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.session import Session
from console.show.answer import show

# Rendering and signing load much that listing and help do not need: they are imported where they are used.

app = group("See which reviews are owed, read their packets, and close them.")

_Id = Annotated[str, typer.Argument(help="The review's id.")]
_Format = Annotated[str, typer.Option("--format", help="text, markdown, html or json.")]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the packet to this new file; - prints it.")
]


@command(app, "list", example="handrail review list\nhandrail review list --agent invoice-bot --past")
def list_reviews(
    session: Session,
    *,
    agent: Annotated[str | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    past: Annotated[bool, typer.Option("--past", help="Also those that were closed, or are void.")] = False,
) -> None:
    """List the reviews that are owed, the first due first. An overdue one suspends its agent's writes."""
    from console.show.reviews import review_table  # noqa: PLC0415 - see above

    show(session, client_of(session).get("reviews", agent=agent, past=past), review_table)


@command(
    app,
    "run",
    example="handrail review run\nhandrail review run rev-2qzv7j5m4kx3ahd6 --format html -o review.html",
)
def run(
    session: Session,
    review: Annotated[str | None, typer.Argument(help="Print only this one, as it is now.")] = None,
    *,
    form: _Format = "text",
    output: _Output = None,
) -> None:
    """Do what the clock does every minute: make what is owed, mark what is overdue, print what is due.

    With a review's id its packet is printed again, until the review is closed. Words that wait for another
    person's signature are void by that.
    """
    from console.closing import deliver  # noqa: PLC0415 - see above
    from console.show.reviews import ran_page  # noqa: PLC0415 - see above

    client = client_of(session)
    if review is None:
        show(session, client.post("reviews", "run"), ran_page)
    else:
        deliver(session, client.post("reviews", review, "packet"), form, output)


@command(
    app,
    "show",
    example="handrail review show rev-2qzv7j5m4kx3ahd6\n"
    "handrail review show rev-2qzv7j5m4kx3ahd6 --format html -o review.html",
)
def show_review(session: Session, review: _Id, *, form: _Format = "text", output: _Output = None) -> None:
    """Show the packet of a review as it was last printed. The HTML is one file that fetches nothing."""
    from console.closing import deliver  # noqa: PLC0415 - see above

    deliver(session, client_of(session).get("reviews", review), form, output)


@command(
    app,
    "close",
    signs=True,
    example="handrail review close rev-2qzv7j5m4kx3ahd6\n"
    "handrail review close rev-2qzv7j5m4kx3ahd6 --dispositions words.json --yes --digest 5f1d7c2ab3e9\n"
    "handrail review close rev-2qzv7j5m4kx3ahd6 --same-as rosa",
)
def close(
    session: Session,
    review: _Id,
    *,
    dispositions: Annotated[
        Path | None,
        typer.Option("--dispositions", help="JSON file with what you say; without it you are asked."),
    ] = None,
    same_as: Annotated[
        str | None, typer.Option("--same-as", help="Say what this person has signed, where it takes several.")
    ] = None,
    renew: Annotated[
        list[str] | None, typer.Option("--renew", help="Renew only this grant; may be given again.")
    ] = None,
    no_renewal: Annotated[
        bool, typer.Option("--no-renewal", help="Close without renewing any grant.")
    ] = False,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Close a review: a word about every pattern, an answer to every question, and your signature.

    It renews the agent's grants until the next review is due, with the policy's grace, and ends the
    suspension of an overdue review. The agent's owner cannot close. A pattern that is `unexplained` opens an
    incident and suspends writes.

    The file is {"dispositions": [{"pattern": ID, "disposition": WORD, "text": WHY}, ...], "answers": [TEXT,
    ...], "renews": [GRANT, ...]}, where WORD is explained, fixed, false-alarm or unexplained. Without
    "renews" all grants are renewed that can be.
    """
    from console.closing import Asked, close_review  # noqa: PLC0415 - see above
    from console.show.reviews import closed_page  # noqa: PLC0415 - see above

    asked = Asked(dispositions, same_as, None if renew is None else tuple(renew), no_renewal=no_renewal)
    answer = close_review(session, client_of(session), review, asked, consent=Consent(yes, digest))
    show(session, answer, closed_page)
