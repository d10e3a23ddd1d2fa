"""Whether a deviation is a pattern: three of them in the rolling window, whoever closed the first two (R-52).

Two counts decide: those of the fingerprint, over all deployments of the agent, and those of the rule in one
deployment, so that going from tool to tool hides nothing. What was an incident already does not count again.
Asked in the denying transaction, so it looks at no more rows than it needs.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, Dialect, Integer, bindparam, func, or_, select

from profiles.policy import AlertRules
from runtime.alerts.rules import Deviation, IncidentCause, Severity
from runtime.moments import utc_moment
from runtime.record.statements import Prepared
from runtime.tables.alerts import AlertOccurrenceRow, AlertRow, IncidentRow

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_SAME = _ALERT.c.fingerprint == bindparam("fingerprint")
_ALIKE = (_ALERT.c.deployment == bindparam("deployment")) & (_ALERT.c.rule == bindparam("rule"))
# One step down an index for each alert, however many incidents it had: an agent that goes on after a denial
# has one more at every third.
_NEWEST = (
    select(func.max(_INCIDENT.c.opened_at))
    .where(_INCIDENT.c.alert == _ALERT.c.id, _INCIDENT.c.cause == bindparam("cause"))
    .scalar_subquery()
)
_LAST = select(func.max(_NEWEST)).where(or_(_SAME, _ALIKE))
_FEW, _NONE = bindparam("few", type_=Integer), bindparam("none", type_=Integer)
# SQLite's dialect adds an offset of its own to a limit without one, and `Prepared` would not know its value.
_LATELY = _ONCE.c.at > bindparam("since")
_TOLD = (
    select(_ONCE.c.id)
    .where(_ONCE.c.fingerprint == bindparam("fingerprint"), _LATELY)
    .limit(_FEW)
    .offset(_NONE)
)
_TOLD_ALIKE = (
    select(_ONCE.c.id)
    .where(_ONCE.c.alert.in_(select(_ALERT.c.id).where(_ALIKE)), _LATELY)
    .limit(_FEW)
    .offset(_NONE)
)
_COUNTS = select(
    select(func.count()).select_from(_TOLD.subquery("told")).scalar_subquery(),
    select(func.count()).select_from(_TOLD_ALIKE.subquery("alike")).scalar_subquery(),
)


def is_pattern(conn: Connection, deviation: Deviation, rules: AlertRules, *, now: datetime) -> bool:
    """Whether it happened often enough since the window began and since it was last an incident."""
    if deviation.severity is Severity.LOW:
        return False
    asked = {
        "fingerprint": deviation.fingerprint,
        "deployment": deviation.deployment,
        "rule": deviation.rule.value,
        "cause": IncidentCause.PATTERN.value,
    }
    last, counts = _prepared(conn.dialect)
    (told,) = last.run(conn, asked).fetchone() or (None,)
    began = now - timedelta(days=rules.pattern_days)
    since = began if told is None else max(began, utc_moment(told))
    few = {**asked, "since": since, "few": rules.pattern_count, "none": 0}
    return rules.pattern_count in (counts.run(conn, few).fetchone() or ())


def pattern_count(conn: Connection, fingerprint: str, *, rules: AlertRules, now: datetime) -> int:
    """Return how often a pattern happened in the rolling window, on closed alerts too; for people to read."""
    since = now - timedelta(days=rules.pattern_days)
    query = select(func.count()).where(_ONCE.c.fingerprint == fingerprint, _ONCE.c.at > since)
    return int(conn.execute(query).scalar_one())


@lru_cache(maxsize=8)
def _prepared(dialect: Dialect) -> tuple[Prepared, Prepared]:
    return Prepared(_LAST, dialect), Prepared(_COUNTS, dialect)
