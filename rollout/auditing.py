"""The record verifies itself, again and again; what it finds stops everything (G10).

Verifying reads the whole record, so it is done now and then and remembered for a while. A record that is
wrong freezes all agents by Handrail's own word, which only a signed lift ends, and takes every write from
everybody. One that nothing outside vouches for only opens no gate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import select

from profiles.effects import Tier
from profiles.policy import Policy
from rollout.demotions.falls import Fall, fall
from rollout.evidence.model import AuditState
from runtime import freeze
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import SYSTEM, AlertRule, Deviation
from runtime.clock import NewId
from runtime.demotion import DemotionCause
from runtime.freeze_rules import Freeze, Scope
from runtime.grant_rows import KEPT
from runtime.record.batch import Tx
from runtime.record.findings import VerifyReport
from runtime.tables.grants import FreezeLiftRow, FreezeRow, GrantRow

EVERY: Final = timedelta(hours=6)
"""How often the clock verifies."""
FRESH: Final = timedelta(minutes=15)
"""How old the last result may be where power is asked for."""
_BY: Final = "audit"
_FREEZE = FreezeRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LIFT = FreezeLiftRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last verifying found."""

    state: AuditState
    at: datetime


class AuditWatch:
    """Verifies when asked and remembers for a while; safe from several threads."""

    def __init__(self, verify: Callable[[], VerifyReport]) -> None:
        """Take what verifies the record, as somebody would who does not trust this process."""
        self._verify = verify
        self._seen: Seen | None = None
        self._lock = Lock()

    def state(self, now: datetime, *, fresh: timedelta = FRESH) -> AuditState:
        """Return the record's state, verified at most `fresh` ago."""
        with self._lock:
            seen = self._seen
            if seen is None or not seen.at <= now < seen.at + fresh:
                seen = Seen(as_state(self._verify(), now), now)
                self._seen = seen
            return seen.state

    def last(self) -> AuditState | None:
        """Return what was found last, however long ago; None: nobody verified it yet."""
        seen = self._seen
        return None if seen is None else seen.state

    def known(self, now: datetime) -> AuditState:
        """Return what was found last without verifying, as inside a unit; it says itself when that was."""
        del now
        return self.last() or AuditState(size=0, anchored=0, faults=(), verified_at=None)


def as_state(report: VerifyReport, now: datetime) -> AuditState:
    """Return what the review gates look at; an anchor that cannot be read vouches for nothing."""
    return AuditState(
        size=report.entries,
        anchored=report.anchored_entries if report.anchor.anchored else 0,
        faults=tuple(str(finding) for finding in report.findings),
        verified_at=now,
    )


def stop_all(tx: Tx, state: AuditState, *, policy: Policy, new_id: NewId) -> tuple[Fall, ...]:
    """Stop everything because the record is wrong; once, however often it is found wrong.

    Args:
        tx: the unit.
        state: what was found; without a fault nothing is done.
        policy: in force.
        new_id: makes the freeze's id.
    """
    if not state.faults or _is_stopped(tx):
        return ()
    reason = f"the record is wrong ({len(state.faults)} findings): handrail audit verify"
    freeze.stop(tx, Freeze(new_id("freeze"), Scope.ALL, "all", reason, None), owner=_BY, now=tx.now)
    raise_alert(tx, Deviation(agent=SYSTEM, rule=AlertRule.AUDIT, tool="record"), policy=policy, now=tx.now)
    query = select(_GRANT.c.deployment).where(KEPT, _GRANT.c.valid_until > tx.now)
    deployments = sorted(set(tx.conn.execute(query).scalars()))
    return tuple(
        one for each in deployments for one in fall(tx, each, Tier.OBSERVE, DemotionCause.AUDIT, actor=_BY)
    )


def _is_stopped(tx: Tx) -> bool:
    """Whether this stop stands already. One that was lifted while the record is still wrong comes again.

    A person's stop ends as they signed it, so it is none, whatever name its row has.
    """
    query = select(_FREEZE.c.id).where(
        _FREEZE.c.owner == _BY, _FREEZE.c.scope == Scope.ALL.value, _FREEZE.c.statement.is_(None)
    )
    standing = {row.id for row in tx.conn.execute(query)}
    lifted = {
        row.freeze for row in tx.conn.execute(select(_LIFT.c.freeze).where(_LIFT.c.freeze.in_(standing)))
    }
    return bool(standing - lifted)
