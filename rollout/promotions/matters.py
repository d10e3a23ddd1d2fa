"""What people sign about promotions: built here for those who sign and for those who check."""

from collections.abc import Iterable

from profiles.effects import Effect, Tier
from rollout.gates.model import GateId
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.people.roster import Verified
from runtime.people.statement import Matter, StatementType


def matter_to_ask(promotion: str, *, agent: str, deployment: str, effect: Effect, reason: str) -> Matter:
    """Return what is signed to ask for a class; the id is made by whoever asks."""
    body: dict[str, JsonValue] = {
        "agent": agent,
        "deployment": deployment,
        "effect": effect.value,
        "reason": reason,
    }
    return Matter(StatementType.PROMOTE, promotion, deployment, body)


def matter_to_reject(promotion: str, basis: str, *, reason: str) -> Matter:
    """Return what is signed to say no to a request; the yes is the grant's own matter."""
    return Matter(StatementType.REJECTION, promotion, basis, {"reason": reason})


def matter_to_withdraw(promotion: str, basis: str, *, reason: str) -> Matter:
    """Return what is signed to take a request back."""
    return Matter(StatementType.WITHDRAW, promotion, basis, {"reason": reason})


def matter_to_except(promotion: str, basis: str, *, gates: Iterable[GateId], reason: str) -> Matter:
    """Return what is signed to let a request pass with a shorter observation."""
    named: list[JsonValue] = [gate.value for gate in sorted(set(gates))]
    return Matter(StatementType.EXCEPTION, promotion, basis, {"gates": named, "reason": reason})


def matter_to_demote(agent: str, deployment: str, to: Tier, *, reason: str) -> Matter:
    """Return what is signed to take a deployment down to a tier."""
    body: dict[str, JsonValue] = {
        "agent": agent,
        "deployment": deployment,
        "to": int(to),
        "reason": reason,
    }
    return Matter(StatementType.DEMOTE, deployment, digest_of(body), body)


def reason_of(said: Verified) -> str:
    """Return why a person says it; empty where the word has no reason."""
    return text_of(said, "reason")


def text_of(said: Verified, name: str) -> str:
    """Return a text from a word's body; empty where there is none."""
    found = said.statement.body.get(name)
    return found if isinstance(found, str) else ""
