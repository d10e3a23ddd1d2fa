"""What must be shown: the strictest of all policy versions in force since the window began (F25).

Lowering a threshold just before a request changes nothing for windows that had begun. Which versions there
were is read along the chain from the version in force; since when each was, from the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, select

from profiles.effects import Effect
from profiles.policy import Policy, Threshold
from rollout.errors import RolloutError
from runtime.moments import utc_moment
from runtime.people.chain import PolicyState
from runtime.people.versions import Version, read_policy
from runtime.record.events import EventKind
from runtime.tables.log import LogEntryRow
from runtime.tables.people import PolicyVersionRow

_VERSION = PolicyVersionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Required:
    """What must be shown.

    Attributes:
        threshold: None where a policy version names none: then nobody can promote.
        distinct_days: days on which judged items must have happened.
        approval_hours: age at which an approval no longer counts.
        cool_down_days: days after a demotion without a promotion.
    """

    threshold: Threshold | None
    distinct_days: int
    approval_hours: int
    cool_down_days: int


def policies_since(conn: Connection, state: PolicyState, since: datetime) -> tuple[Policy, ...]:
    """Return every policy that was in force at `since` or later, the newest first.

    Raises:
        RolloutError: an earlier version is gone or was changed.
    """
    found = [state.head.policy]
    digest = state.head.digest
    while (began := _began(conn, digest)) is None or began > since:
        previous = _version(conn, digest).previous
        if previous is None:
            break
        found.append(read_policy(_version(conn, previous)))
        digest = previous
    return tuple(found)


def strictest(policies: Sequence[Policy], effect: Effect) -> Required:
    """Return the strictest of what these policies ask for. Pure.

    Args:
        policies: at least one.
        effect: the class that a promotion would open.
    """
    thresholds = [policy.thresholds.get(effect) for policy in policies]
    named = [one for one in thresholds if one is not None]
    return Required(
        threshold=_joined(named) if len(named) == len(policies) else None,
        distinct_days=max(policy.evidence.distinct_days for policy in policies),
        approval_hours=min(policy.expiry.promotion_hours for policy in policies),
        cool_down_days=max(policy.evidence.cool_down_days for policy in policies),
    )


def _joined(thresholds: Sequence[Threshold]) -> Threshold:
    return Threshold(
        agreement=max(one.agreement for one in thresholds),
        observed_days=max(one.observed_days for one in thresholds),
        total_days=max(one.total_days for one in thresholds),
        decide_by_days=min(one.decide_by_days for one in thresholds),
    )


def _began(conn: Connection, digest: str) -> datetime | None:
    """Return since when a version was in force; None if the record does not know: earlier ones count too."""
    query = select(_LOG.c.at).where(_LOG.c.kind == EventKind.POLICY_CHANGED.value, _LOG.c.subject == digest)
    at = conn.execute(query.order_by(_LOG.c.seq.desc()).limit(1)).scalar()
    return None if at is None else utc_moment(at)


def _version(conn: Connection, digest: str) -> Version:
    query = select(_VERSION.c.version, _VERSION.c.previous, _VERSION.c.text)
    row = conn.execute(query.where(_VERSION.c.digest == digest)).first()
    version = None if row is None else _checked(row.version, row.previous, row.text, digest)
    if version is None:
        raise RolloutError(
            f"policy version {digest[:16]} was in force and is not in the database as it was; "
            "run `handrail audit verify`"
        )
    return version


@lru_cache(maxsize=64)
def _checked(version: int, previous: str | None, text: str, digest: str) -> Version | None:
    found = Version(version, previous, text)
    return found if found.digest == digest else None
