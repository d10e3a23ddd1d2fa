"""Signing votes and judgements: the half of `approvals` and `suggestions` that knows keys and statements."""

from console.client import Client
from console.consent import Consent
from console.errors import BlockedError
from console.session import Session
from console.show.cards import approval_page
from console.show.items import item_page
from console.show.values import Json as Card
from console.shown import fetch_item
from console.signing import Json, Signer, signer
from rollout.evidence.cards import Card as ItemCard
from runtime.gate.cards import HoldCard
from runtime.gate.states import JudgementVerdict
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
    question = f"{_WORDS[kind]} exactly this, as {by.person}?"
    consent.require(session, shown, approval_page(shown), card.digest, question)
    said = by.say(card.matter(kind, reason=reason))
    return client.post("approvals", card.hold, "votes", body=said)


def judge(
    session: Session, client: Client, item: str, verdict: str, reason: str, *, consent: Consent
) -> Json:
    """Sign what a person thinks of an item, once they agree; `consent` is that of `vote`."""
    by = signer(session, client)
    shown = fetch_item(client, item, by.person)
    if shown["phase"] == "expect":
        step = f'handrail suggestions expect {item} --words "what you would do"'
        raise BlockedError(f"{item} is judged blind: say first what you would do", next_step=step)
    question = f"Judge this {verdict}, as {by.person}? Nothing is executed."
    consent.require(session, shown, item_page(shown), shown["digest"], question)
    return say_verdict(client, by, shown, verdict, reason)


def expect(session: Session, client: Client, item: str, words: str, *, consent: Consent) -> Json:
    """Sign what a person would do, before the proposal is shown; `consent` is that of `vote`."""
    by = signer(session, client)
    shown = fetch_item(client, item, by.person)
    if shown["phase"] != "expect":
        raise BlockedError(f"{item} does not wait for what {by.person} would do: judge it as it is")
    question = f"Say this, as {by.person}?"
    consent.require(session, shown, item_page(shown), shown["digest"], question)
    return say_expectation(client, by, shown, words)


def say_verdict(client: Client, by: Signer, shown: Card, verdict: str, reason: str) -> Json:
    """Sign a verdict on an item that was shown whole."""
    said = by.say(_card(shown).judged(JudgementVerdict(verdict), reason))
    return client.post("suggestions", shown["item"], "judgements", body=said)


def say_expectation(client: Client, by: Signer, shown: Card, words: str) -> Json:
    """Sign what a person would do about an item whose reduced card was shown."""
    return client.post(
        "suggestions", shown["item"], "expectations", body=by.say(_card(shown).expected(words))
    )


def _card(shown: Card) -> ItemCard:
    return ItemCard(shown["item"], shown["card"])
