"""Does the agent reach for what keeps it: its runtime, grants, schedule, logs, kill switch or config? R-04.

A finding denies, whatever was granted or approved, and costs all power (`runtime.gate.triggers`). Model calls
are not scanned: what an agent thinks is not an act.
"""

from profiles.schema import ArgumentRole
from runtime.canonical import JsonValue
from runtime.gate.actions import ActionKind
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.arguments import Value, texts_of
from runtime.gate.facts import Facts
from runtime.gate.preservation.pack import Attempt, shipped_pack
from runtime.gate.reading import Reading

CHECK = "self-preservation"
_TEXTS = frozenset({ArgumentRole.TEXT, ArgumentRole.BODY, ArgumentRole.QUERY})


def check_self_preservation(reading: Reading, _facts: Facts) -> Verdict:
    """Deny what the rule pack finds in the tool's name or in an argument."""
    if reading.action.kind is ActionKind.MODEL or _is_too_large(reading):
        return allow(CHECK)
    found = sorted(_attempts(reading))
    if not found:
        return allow(CHECK)
    reasons = tuple(
        Reason(ReasonCode.SELF_PRESERVATION, f"reaches for its own {one.aim}", rule=one.rule) for one in found
    )
    return Verdict(CHECK, Answer.DENY, reasons)


def _attempts(reading: Reading) -> frozenset[Attempt]:
    pack = shipped_pack()
    # What could not be read by its declared roles is read as text.
    values = reading.values or tuple(texts_of(reading.action.args))
    found = pack.in_name(reading.action.tool)
    for value in values:
        text: JsonValue = value.value
        if isinstance(text, str):
            found |= pack.in_text(text) if _is_text(value) else pack.in_name(text)
    return found


def _is_text(value: Value) -> bool:
    return value.role in _TEXTS


def _is_too_large(reading: Reading) -> bool:
    """Whether it was denied unread: nobody should be able to make us read on."""
    return any(fault.code in (ReasonCode.TOO_LARGE, ReasonCode.CHECK_ERROR) for fault in reading.faults)
