"""Signing votes and judgements: the half of `approvals` and `suggestions` that knows keys and statements."""

from console.client import Client
from console.consent import Consent
from console.session import Session
from console.show.cards import approval_page, suggestion_page
from console.show.values import Json as Card
from console.signing import Json, signer
from runtime.gate.cards import HoldCard
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Suggestion
from runtime.people.statement import StatementType

_WORDS = {StatementType.APPROVAL: "Approve", StatementType.REJECTION: "Reject"}


def vote(session: Session, client: Client, shown: Card, type_: str, reason: str, *, consent: Consent) -> Json:
    """Sign a yes or no to a held action that was fetched and checked, once the person agrees.

    Args:
        session: names the key.
        client: calls the control plane.
        shown: the answer of `GET /approvals/HOLD`.
        type_: `approval` or `rejection`.
        reason: why; it is recorded.
        consent: what the command line said about asking.

    Returns:
        The control plane's answer.
    """
    card, by, kind = HoldCard(shown["card"]), signer(session, client), StatementType(type_)
    consent.require(approval_page(shown), card.digest, f"{_WORDS[kind]} exactly this, as {by.person}?")
    said = by.say(card.matter(kind, reason=reason))
    return client.post("approvals", card.hold, "votes", body=said)


def judge(
    session: Session, client: Client, shown: Card, verdict: str, reason: str, *, consent: Consent
) -> Json:
    """Sign what a person thinks of a suggestion; the arguments are those of `vote`."""
    card, by = shown["card"], signer(session, client)
    suggestion = Suggestion(str(card["suggestion"]), card, shown["digest"])
    question = f"Judge this {verdict}, as {by.person}? Nothing is executed."
    consent.require(suggestion_page(shown), suggestion.digest, question)
    said = by.say(suggestion.matter(JudgementVerdict(verdict), reason))
    return client.post("suggestions", suggestion.id, "judgements", body=said)
