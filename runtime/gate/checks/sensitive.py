"""Is sensitive data involved, and does it leave? R-18, R-75.

- a read whose arguments carry a secret is held: a search or an address can carry it out;
- anything sensitive in a `send` or `critical` action is held for a person;
- anything sensitive on its way to an undeclared recipient or host: a read is held, a write suggested;
- anything else passes, and what was found stands in the record.

Model calls are not scanned: they go to the one provider that the profile declares.
"""

from collections.abc import Iterator

from profiles.effects import Effect
from profiles.schema import ArgumentRole
from runtime.gate.actions import ActionKind
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.arguments import Value
from runtime.gate.facts import Facts
from runtime.gate.reading import Reading
from runtime.gate.sensitive.pack import DataClass, Finding, shipped_pack

CHECK = "sensitive"
_LEAVING = ("recipient:", "host:")


def check_sensitive(reading: Reading, _facts: Facts) -> Verdict:
    """Answer by the table above."""
    if reading.action.kind is ActionKind.MODEL:
        return allow(CHECK)
    spelled = (*reading.values, *_names(reading))
    found = sorted({(f.data_class, f.rule) for value in spelled for f in _findings(value)})
    if not found:
        return allow(CHECK)
    reasons = tuple(
        Reason(ReasonCode.SENSITIVE, f"{kind} data ({rule})", rule=rule, key=f"data:{rule}")
        for kind, rule in found
    )
    return Verdict(CHECK, _answer(reading, frozenset(kind for kind, _ in found)), reasons)


def _names(reading: Reading) -> Iterator[Value]:
    """Yield the names that the agent chose: of arguments, and of what it asks for where that is no tool."""
    action = reading.action
    chosen = action.args if action.kind is ActionKind.TOOL else (action.tool, *action.args)
    for name in chosen:
        yield Value(name, ArgumentRole.TEXT, name)


def _findings(value: Value) -> frozenset[Finding]:
    text = value.value if isinstance(value.value, str) else repr(value.value)
    found = shipped_pack().scan(text)
    if value.role is ArgumentRole.RECIPIENT:  # an account number as recipient is an address, not a leak
        return frozenset(finding for finding in found if finding.data_class is DataClass.SECRET)
    return found


def _answer(reading: Reading, kinds: frozenset[DataClass]) -> Answer:
    outside = any(not place.known and place.key.startswith(_LEAVING) for place in reading.places)
    if reading.is_read:
        return Answer.HOLD if outside or DataClass.SECRET in kinds else Answer.ALLOW
    if outside:
        return Answer.SUGGEST
    return Answer.HOLD if reading.effect in (Effect.SEND, Effect.CRITICAL) else Answer.ALLOW
