"""Reading the record of a window for what nobody expects, and the alerts of that window."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from rollout.reviews.packet.activity import UNINDEXED_KIND, entries_in, runs_of
from rollout.reviews.packet.model import Pattern, Window
from rollout.reviews.packet.unexpected import OF_RUNS, as_patterns, kinds, unexpected
from runtime.canonical import JsonValue
from runtime.db import streamed
from runtime.freeze_rules import Scope
from runtime.record.events import EventKind
from runtime.record.leaf import decode_fields
from runtime.suspension_rules import EVERYTHING
from runtime.tables.actions import ActionRow
from runtime.tables.alerts import AlertOccurrenceRow, AlertRow
from runtime.tables.log import LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose record is read."""

    obligation: str
    agent: str
    deployment: str


def patterns_of(
    conn: Connection, whose: Whose, window: Window, *, longest_gap_seconds: int
) -> tuple[Pattern, ...]:
    """Return everything unexpected in a window.

    Args:
        conn: one consistent view of the database.
        whose: the deployment; what befell all of them counts too.
        window: the time that the review looks at.
        longest_gap_seconds: how long nobody may have watched without a word about it.
    """
    found = Counter(_in_the_record(conn, whose, window))
    found.update(dict(_alerts(conn, whose, window)))
    if window.gap_seconds > longest_gap_seconds:
        found["the monitor did not watch all the time"] = 1
    return as_patterns(whose.obligation, found.items())


def _in_the_record(conn: Connection, whose: Whose, window: Window) -> Iterator[str]:
    entries = entries_in(conn, window.begin, window.end)
    within = (_LOG.c.seq >= entries.start, _LOG.c.seq < entries.stop)
    for which in (_of_runs(whose, window), _of_others(whose)):
        query = (
            select(_LOG.c.leaf, _ACTION.c.tool)
            .outerjoin(_ACTION, _ACTION.c.id == _LOG.c.subject)
            .where(*within, which)
            .order_by(_LOG.c.seq)
        )
        for row in streamed(conn, query, chunk=_CHUNK):
            fields = decode_fields(row.leaf)
            kind, data = EventKind(fields["kind"]), fields["data"]
            if _concerns(kind, data, whose):
                yield from unexpected(kind, data, row.tool)


def _of_runs(whose: Whose, window: Window) -> ColumnElement[bool]:
    """What the deployment's runs did: many entries, found by their runs."""
    return and_(
        _LOG.c.run.in_(runs_of(whose.deployment, window)), UNINDEXED_KIND.in_(_named(kinds() & OF_RUNS))
    )


def _of_others(whose: Whose) -> ColumnElement[bool]:
    """What befell the deployment, its agent or everybody: few entries, found by their kinds."""
    ours = or_(
        _LOG.c.deployment.in_([whose.deployment, EVERYTHING]),
        and_(_LOG.c.deployment.is_(None), or_(_LOG.c.agent.is_(None), _LOG.c.agent == whose.agent)),
    )
    return and_(_LOG.c.kind.in_(_named(kinds() - OF_RUNS)), ours)


def _named(found: Iterable[EventKind]) -> list[str]:
    return sorted(kind.value for kind in found)


def _concerns(kind: EventKind, data: Mapping[str, JsonValue], whose: Whose) -> bool:
    """Whether a freeze stopped this deployment; every other entry was already asked for by name."""
    if kind is not EventKind.FREEZE_SET:
        return True
    targets = {Scope.AGENT.value: whose.agent, Scope.DEPLOYMENT.value: whose.deployment}
    scope, target = str(data.get("scope")), data.get("target")
    return scope not in targets or targets[scope] == target


def _alerts(conn: Connection, whose: Whose, window: Window) -> Iterator[tuple[str, int]]:
    query = (
        select(
            _ALERT.c.rule, _ALERT.c.severity, _ALERT.c.tool, _ALERT.c.resource, func.count().label("number")
        )
        .join(_ONCE, _ONCE.c.alert == _ALERT.c.id)
        .where(
            _ALERT.c.agent == whose.agent,
            or_(_ONCE.c.deployment == whose.deployment, _ONCE.c.deployment.is_(None)),
            _ONCE.c.at >= window.begin,
            _ONCE.c.at < window.end,
        )
        .group_by(_ALERT.c.fingerprint, _ALERT.c.rule, _ALERT.c.severity, _ALERT.c.tool, _ALERT.c.resource)
    )
    for row in conn.execute(query):
        yield f"alert {row.rule} ({row.severity}): {row.tool}, {row.resource}", row.number
