"""G1: observed dwell. Time counts only as far as the monitor saw it, and only days with activity (F1, F14).

Here too, because they are about time: one expansion in 7 observed days (R-34) and the cool-down after a
demotion. A recorded exception shortens the dwell and nothing else.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from profiles.effects import Effect
from profiles.policy import Threshold
from profiles.risk import Risk
from rollout.evidence.model import Dwell, Evidence
from rollout.gates.inputs import Exceptions
from rollout.gates.model import GateId, GateResult
from rollout.gates.outcomes import Missing, answer, failed, unknown, waiting
from runtime.moments import utc_text

SILENCE: Final = timedelta(minutes=10)
"""How old the monitor's last sign of life may be; it beats every minute."""
EXPANSION: Final = timedelta(days=7)
DECIDE: Final = "a human must decide: extend, narrow, retire"
_DAY: Final = timedelta(days=1)


def g1_dwell(evidence: Evidence, exceptions: Exceptions, *, now: datetime) -> GateResult:
    """Has the deployment been observed for long enough at its present tier?"""
    dwell, threshold = evidence.dwell, evidence.threshold
    excepted_by = excepting(evidence, exceptions, GateId.G1)
    too_short = [] if threshold is None else list(_too_short(dwell, threshold, now))
    if too_short:
        too_short += [one for one in [undecided(evidence, now)] if one is not None]
    found = [
        _no_threshold(evidence),
        _silent(dwell, now),
        *([] if excepted_by else too_short),
        _too_soon(dwell, now),
        _cooling(dwell, now),
    ]
    there = (
        f"{span(dwell.observed_seconds)} observed since {day(dwell.since)}, {dwell.active_days} active days"
    )
    if too_short and excepted_by:
        there += f"; exception by {', '.join(excepted_by)}"
    return answer(GateId.G1, there, found, excepted=bool(too_short and excepted_by))


def excepting(evidence: Evidence, exceptions: Exceptions, gate: GateId) -> tuple[str, ...]:
    """Return who excepts a gate: nobody where risk or class is critical, nor one person alone (R-32)."""
    persons = tuple(sorted(set(exceptions.get(gate, ()))))
    critical = evidence.risk is Risk.CRITICAL or evidence.effect is Effect.CRITICAL
    return () if critical or len(persons) < 2 else persons  # noqa: PLR2004 - two persons sign an exception


def undecided(evidence: Evidence, now: datetime) -> Missing | None:
    """Return that it has taken too long already: somebody must decide (F15)."""
    threshold = evidence.threshold
    if threshold is None or now < evidence.dwell.since + threshold.decide_by_days * _DAY:
        return None
    days = (now - evidence.dwell.since) // _DAY
    return waiting(f"day {days} of {threshold.decide_by_days}: {DECIDE}")


def span(seconds: float) -> str:
    """Return a length of time such as `6d 22h`."""
    hours = int(seconds // 3600)
    return f"{hours // 24}d {hours % 24}h"


def day(moment: datetime) -> str:
    """Return a moment's UTC day."""
    return utc_text(moment)[:10]


def _no_threshold(evidence: Evidence) -> Missing | None:
    if evidence.threshold is not None:
        return None
    return unknown(f"the policy has no threshold for {evidence.effect.value}: nobody can promote to it")


def _silent(dwell: Dwell, now: datetime) -> Missing | None:
    """A monitor that says nothing is no data, whatever it saw before (F18)."""
    if dwell.last_heartbeat is None:
        return unknown("the monitor was never heard of")
    if now - dwell.last_heartbeat > SILENCE:
        return unknown(f"the monitor is silent since {utc_text(dwell.last_heartbeat)}")
    return None


def _too_short(dwell: Dwell, threshold: Threshold, now: datetime) -> Iterator[Missing]:
    spans = (
        (threshold.observed_days, dwell.observed_seconds, "observed at this tier"),
        (threshold.total_days, dwell.total_observed_seconds, "observed in total"),
    )
    for days, seconds, what in spans:
        if (lacking := days * _DAY - timedelta(seconds=seconds)) > timedelta(0):
            yield waiting(f"{span(seconds)} of {days}d {what}", now + lacking)


def _too_soon(dwell: Dwell, now: datetime) -> Missing | None:
    if dwell.since_expansion_seconds is None:
        return None
    lacking = EXPANSION - timedelta(seconds=dwell.since_expansion_seconds)
    if lacking <= timedelta(0):
        return None
    said = f"{span(dwell.since_expansion_seconds)} of 7d observed since the last expansion"
    return waiting(said, now + lacking)


def _cooling(dwell: Dwell, now: datetime) -> Missing | None:
    until = dwell.cool_down_until
    if until is None or now >= until:
        return None
    return failed(f"cool-down after a demotion until {utc_text(until)}", until)
