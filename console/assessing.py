"""Signing assessments and acceptances: the half of `assess` and `gates` that knows keys and statements."""

from console.client import Client
from console.consent import Consent
from console.session import Session
from console.show.assessments import verdict_card
from console.show.gates import acceptance_card
from console.shown import check_digest
from console.signing import Json, signer
from rollout.evidence.acceptance import matter_to_accept
from rollout.evidence.assessments import Finding, Subject
from rollout.gates.model import GateId
from runtime.gate.actions import digest_of


def assess(
    session: Session,
    client: Client,
    agent: str,
    what: Subject,
    *,
    passed: bool,
    reason: str,
    turns: int | None,
    consent: Consent,
) -> Json:
    """Sign a verdict on an agent's present deployment, once the person agrees.

    The digest of a blast radius is computed here, over the list that is shown.

    Returns:
        The control plane's answer.
    """
    shown, by = client.get("assessments", agent), signer(session, client)
    reach = digest_of(shown["capabilities"])
    check_digest(str(shown["digest"]), reach, "the list of what it can reach")
    check_digest(str(shown["agent"]), agent, "the agent")
    radius = what is Subject.BLAST_RADIUS
    finding = Finding(shown["deployment"], what, passed, reason, turns, reach if radius else None)
    verdict = "pass" if passed else "fail"
    page = verdict_card(shown, what.value, verdict, reason, turns)
    question = f"Sign for this as {by.person}?"
    card = {**shown, "what": what.value, "verdict": verdict, "reason": reason, "turns": turns}
    consent.require(session, card, page, reach if radius else finding.deployment, question)
    body = {"deployment": finding.deployment, "statement": by.say(finding.matter)}
    return client.post("assessments", agent, body=body)


def accept(session: Session, client: Client, agent: str, reason: str, *, consent: Consent) -> Json:
    """Sign that an agent's drift is accepted without being measured, once the person agrees."""
    shown = client.get("gates", agent)
    check_digest(str(shown["agent"]), agent, "the agent")
    by, deployment = signer(session, client), str(shown["deployment"])
    question = f"Accept it for 30 days, as {by.person}?"
    card = {**shown, "reason": reason}
    consent.require(session, card, acceptance_card(shown, reason), deployment, question)
    said = by.say(matter_to_accept(deployment, GateId.G7, reason))
    body = {"deployment": deployment, "statement": said}
    return client.post("gates", agent, "acceptances", body=body)
