"""The packet's lines in words: one place for what text, Markdown and HTML all say. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.reviews.packet.model import (
    NOT_AVAILABLE,
    AlertLine,
    ClassEvidence,
    Granted,
    Packet,
)

PASS_AT = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the packet: what it is about, what is to be said, and whether a person must look at it."""

    name: str
    text: str
    warns: bool = False


def lines(packet: Packet) -> tuple[Line, ...]:
    """Return the packet in words, in the order of its sections."""
    return tuple(_lines(packet))


def title(packet: Packet) -> str:
    """Return the packet's first line."""
    head = packet.head
    return f"REVIEW {head.obligation}  agent={head.agent}  dep={head.deployment[:12]}  {head.kind.value}"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units, such as `6d22h`."""
    minutes = int(seconds) // 60
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days}d{hours}h"
    return f"{hours}h{minutes % 60}m" if hours else f"{minutes}m"


def _lines(packet: Packet) -> Iterator[Line]:
    head, window = packet.head, packet.window
    late = head.late or head.made_at > head.due_at
    yield Line("due", f"{_minute(head.due_at)} ({'late' if late else 'on time'})", warns=late)
    yield Line("risk", f"{head.risk}, reviewed {head.cadence}, owned by {head.owner}")
    yield Line(
        "window",
        f"{_minute(window.begin)} to {_minute(window.end)}, observed {span(window.observed_seconds)}"
        f" (monitor gap {span(window.gap_seconds)} excluded)",
        warns=window.gap_seconds > 2 * 3600,
    )
    granted = ", ".join(_granted(one, head.made_at) for one in packet.grants)
    yield Line("tier", f"{packet.tier}: {granted}")
    yield _renewal(packet)
    yield from (Line("suspended", reason, warns=True) for reason in packet.suspensions)
    yield Line(
        "actions",
        f"{packet.total('carried_out')} carried out / {packet.total('denied')} denied"
        f" / {packet.total('held')} held / {packet.total('suggested')} suggested",
    )
    for found in packet.evidence:
        yield from _evidence(found)
    yield Line("drift", packet.drift or NOT_AVAILABLE)
    seen = NOT_AVAILABLE if packet.first_seen is None else f"{packet.first_seen} for the first time"
    yield Line("first-seen", seen)
    yield Line("drills", packet.drills or NOT_AVAILABLE)
    yield from _alerts(packet)
    yield from _patterns(packet)
    yield _specification(packet)
    yield _audit(packet)
    yield from (Line("answer", question) for question in packet.questions)


def _granted(one: Granted, now: datetime) -> str:
    if one.valid_until is None:
        return f"{one.effect.value}=no"
    ends = "until" if now < one.valid_until else "ended"
    return f"{one.effect.value} {ends} {_minute(one.valid_until)}"


def _renewal(packet: Packet) -> Line:
    if packet.renews_until is None:
        return Line("renewal", "none: another review is overdue and must be closed first", warns=True)
    return Line("renewal", f"closing renews grants until {_minute(packet.renews_until)}")


def _evidence(found: ClassEvidence) -> Iterator[Line]:
    name = f"evidence {found.effect.value}"
    judged = found.agree + found.miss
    if not found.population:
        yield Line(name, "no suggestion was made: no data")
    else:
        left = f", {found.unjudged} not judged (blocks G2)" if found.unjudged else ""
        yield Line(
            name, f"{found.population} suggested, {found.drawn} drawn{left}", warns=bool(found.unjudged)
        )
    if judged and found.e_value is not None:
        passed = "passes" if float(found.e_value) >= PASS_AT else "inconclusive"
        yield Line(
            name,
            f"agreement {found.agree}/{judged}  E={found.e_value} of {PASS_AT} at {found.limit} ({passed})"
            f"  CP95 >= {found.lower}",
        )
    if found.harmful:
        yield Line(name, f"harmful {found.harmful}", warns=True)
    elif judged and found.harmful_upper is not None:
        yield Line(name, f"harmful 0 (the true rate may be up to {found.harmful_upper})")
    if found.blockers:
        gates = " ".join(gate.value for gate in found.blockers)
        yield Line("blockers", f"{found.effect.value}: {gates}", warns=True)


def _alerts(packet: Packet) -> Iterator[Line]:
    closed = sum(alert.state == "closed" for alert in packet.alerts)
    yield Line("alerts", f"{len(packet.alerts)}: {closed} closed, {len(packet.alerts) - closed} open")
    for alert in packet.alerts:
        yield Line("alert", _alert(alert, packet.head.made_at), warns=alert.state != "closed")


def _alert(alert: AlertLine, now: datetime) -> str:
    allowed = span((alert.due_at - alert.first_at).total_seconds())
    clock = (
        f", {span((now - alert.first_at).total_seconds())} of {allowed}" if alert.state != "closed" else ""
    )
    seen = f", pattern seen {alert.pattern_count}x" if alert.pattern_count > 1 else ""
    leader = "acknowledged" if alert.acknowledged else "no leadership acknowledgement"
    escalated = f" -> ESCALATED {alert.incident} ({leader})" if alert.incident else ""
    return f"{alert.alert} {alert.rule} {alert.severity} {alert.state}{clock}{seen}{escalated}"


def _patterns(packet: Packet) -> Iterator[Line]:
    if not packet.patterns:
        yield Line("patterns", "nothing unexpected in the record")
    for pattern in packet.patterns:
        yield Line("pattern", f"{pattern.id}  {pattern.count}x  {pattern.text}", warns=True)


def _specification(packet: Packet) -> Line:
    found = packet.specification
    due = NOT_AVAILABLE if found.due_at is None else _date(found.due_at)
    return Line(
        "profile",
        f"{found.profile} v{found.version}, same digest since {_date(found.since)}, review due {due}",
        warns=found.due_at is None or found.due_at <= packet.head.made_at,
    )


def _audit(packet: Packet) -> Line:
    found = packet.audit
    if found.faults is None:
        return Line("record", f"not verified; {found.size} entries, anchored to {found.anchored}", warns=True)
    if found.faults:
        return Line("record", f"FAULTS: {'; '.join(found.faults)}", warns=True)
    at = NOT_AVAILABLE if found.verified_at is None else _minute(found.verified_at)
    return Line("record", f"verified to {found.size} at {at}, anchored to {found.anchored}")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
