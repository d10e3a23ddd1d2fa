"""What the log says about an action: decision, intent and outcome (R-10, R-11, R-79).

What is sensitive or written by the agent stands in the encrypted payload. The readable part holds names of
the profile, digests and counts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from runtime.canonical import JsonValue, canonical
from runtime.errors import CanonicalError
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided
from runtime.gate.lookalike import printable
from runtime.gate.reading import Reading
from runtime.gate.replies import Failed, Performed, Result, Ticket
from runtime.gate.setting import noted
from runtime.record.events import Event, EventKind

NOT_PROVIDED: Final = "not_provided"
_AGENT = "agent"
_KEPT_BYTES = 16_777_216


class Drawn(NamedTuple):
    """What an intent draws on beside what every action does; `audit verify` holds rows against it.

    Attributes:
        lease: id, audience and end of the action's lease.
        counted: budgets of effect classes.
    """

    lease: tuple[str, str, str]
    counted: Sequence[str]


def decision_event(
    kind: EventKind,
    run: RunContext,
    decided: Decided,
    *,
    now: datetime,
    hold: str | None = None,
    seen: Sequence[str] = (),
    drawn: Drawn | None = None,
) -> Event:
    """Return the entry of a decision: an intent, or a decision that lets nothing happen.

    Args:
        kind: `ACTION_INTENT` or `ACTION_DECISION`.
        run: whose action it is.
        decided: what was decided.
        now: when.
        hold: the hold that it uses or opens.
        seen: digests of what it makes seen.
        drawn: what an intent draws on.
    """
    reading = decided.reading
    data: dict[str, JsonValue] = {
        "action": reading.action.kind.value,
        "answer": decided.answer.value,
        "digest": reading.digest,
        "effect": reading.effect.value,
        "name": reading.name,
        "reasons": sorted({reason.code.value for reason in decided.decision.reasons}),
        "units": reading.units,
        **noted(run.setting),
    }
    if hold is not None:
        data["hold"] = hold
    if seen:
        data["seen"] = list(seen)
    if drawn is not None:
        _draw(data, drawn, reading)
    return Event(
        kind=kind,
        at=now,
        actor=_AGENT,
        agent=run.agent,
        deployment=run.deployment,
        run=run.run,
        subject=reading.action.id,
        data=data,
        payload=_payload(decided),
    )


def _draw(data: dict[str, JsonValue], drawn: Drawn, reading: Reading) -> None:
    data["lease"] = list(drawn.lease)
    if drawn.counted:
        data["counted"] = list(drawn.counted)
    ask = reading.action.model
    if ask is not None:
        data["ask"] = {
            "tokens": ask.tokens,
            "micros": ask.cost_micros,
            "holder": ask.holder,
            "day": ask.day,
        }


def outcome_event(
    ticket: Ticket, result: Result, *, now: datetime, used: Sequence[int] | None = None
) -> Event:
    """Return the entry of an outcome: done, failed or unknown.

    Args:
        ticket: of the intent.
        result: what came of it.
        now: when.
        used: what a model call used: calls, tokens asked and answered, cost; None where nobody knows.
    """
    data: dict[str, JsonValue] = {"status": status_of(result), "intent": ticket.intent_seq, **_noted(result)}
    if used is not None:
        data["used"] = list(used)
    return Event(
        kind=EventKind.ACTION_OUTCOME,
        at=now,
        actor="handrail",
        agent=ticket.agent,
        deployment=ticket.deployment,
        run=ticket.action.run,
        subject=ticket.action.id,
        data=data,
        payload=_result_payload(result),
    )


def status_of(result: Result) -> str:
    """Return the word for a result; it is the action's next state too."""
    if isinstance(result, Performed):
        return "done"
    return "failed" if isinstance(result, Failed) else "unknown"


def args_for_record(reading: Reading) -> JsonValue:
    """Return the arguments as the record keeps them: whole, or why they cannot be kept."""
    if any(r.code in (ReasonCode.TOO_LARGE, ReasonCode.MALFORMED) for r in reading.faults):
        return _readable_or(dict(reading.action.args), "not kept: too large, or not readable as JSON")
    return dict(reading.action.args)


def verdicts_for_record(verdicts: Sequence[Verdict]) -> JsonValue:
    """Return every check's answer: the ones that simply allow by name, the others with their reasons."""
    silent = " ".join([v.check for v in verdicts if v.answer is Answer.ALLOW and not v.reasons])
    told = {
        v.check: [v.answer.value, *[_reason(reason) for reason in v.reasons]]
        for v in verdicts
        if v.answer is not Answer.ALLOW or v.reasons
    }
    return {"allow": silent, **told}


def recordable(text: str | None) -> str | None:
    """Return agent text in a form that the record can always take: a lone surrogate has no canonical form."""
    return None if text is None else text.encode(errors="backslashreplace").decode()


def _reason(reason: Reason) -> JsonValue:
    fields = (reason.code.value, reason.key, reason.rule, printable(reason.detail, 300))
    return [recordable(field) for field in fields]


def _payload(decided: Decided) -> dict[str, JsonValue]:
    reading = decided.reading
    rationale = reading.action.rationale
    return {
        "tool": recordable(printable(reading.action.tool, 300)),
        "args": args_for_record(reading),
        "rationale": NOT_PROVIDED if rationale is None else recordable(rationale[:8000]),
        "verdicts": verdicts_for_record(decided.decision.verdicts),
        "questions": _questions(decided),
    }


def _questions(decided: Decided) -> dict[str, JsonValue]:
    """Answer the three questions of R-79 in words."""
    verdicts = {verdict.check: verdict for verdict in decided.decision.verdicts}
    sensitive = verdicts.get("sensitive")
    labels = sorted({r.rule or "" for r in sensitive.reasons}) if sensitive else None
    odd = sorted({r.code.value for v in verdicts.values() if v.check != "sensitive" for r in v.reasons})
    human = "not needed" if decided.answer is Answer.ALLOW else decided.answer.value
    return {
        "makes_sense_now": odd or "yes",
        "sensitive_data": "not asked" if labels is None else (labels or "none found"),
        "human": human,
    }


def _noted(result: Result) -> dict[str, JsonValue]:
    note = result.note if isinstance(result, Performed) else None
    return {} if note is None else {"context": note.as_data()}


def _result_payload(result: Result) -> dict[str, JsonValue]:
    if isinstance(result, Performed):
        told: dict[str, JsonValue] = {"payload": result.payload, "is_error": result.is_error}
        if result.note is not None and result.note.changes:
            told["scrubbed"] = result.note.as_payload()
        return told
    return {"reason": recordable(printable(result.reason, 500))}


def _readable_or(value: JsonValue, otherwise: str) -> JsonValue:
    try:
        form = canonical(value)
    except (CanonicalError, RecursionError):
        return otherwise
    return value if len(form) <= _KEPT_BYTES else otherwise
