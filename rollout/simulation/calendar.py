"""The calendar of a story: what of the record people would write into one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from profiles.effects import Effect, Tier
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.log import LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the calendar.

    Attributes:
        day: days since the beginning.
        at: when.
        kind: the record's word for it.
        text: ours.
    """

    day: int
    at: datetime
    kind: str
    text: str


def happenings(conn: Connection, *, begin: datetime) -> tuple[Happening, ...]:
    """Read the calendar from the record, oldest first."""
    query = select(_LOG.c.leaf).where(_LOG.c.kind.in_([kind.value for kind in _WORDS]))
    leaves = [decode_leaf(leaf) for leaf in conn.execute(query.order_by(_LOG.c.seq)).scalars()]
    told = ((leaf, _WORDS[leaf.kind](leaf)) for leaf in leaves)
    return tuple(
        Happening((leaf.at - begin).days, leaf.at, leaf.kind.value, text) for leaf, text in told if text
    )


def _granted(leaf: Leaf) -> str:
    effect = Effect(str(leaf.data["effect"]))
    return "" if effect is Effect.READ else f"{effect.value} granted: tier {int(effect.tier)}"


def _demoted(leaf: Leaf) -> str:
    return f"down from tier {leaf.data['from']} to {leaf.data['to']}: {leaf.data['cause']}"


def _owed(leaf: Leaf) -> str:
    late = ", late" if leaf.data["late"] else ""
    return f"{leaf.data['kind']} review owed by {str(leaf.data['due_at'])[:10]}{late}"


_WORDS: Final[Mapping[EventKind, Callable[[Leaf], str]]] = {
    EventKind.DEPLOYMENT_CREATED: lambda leaf: f"{leaf.agent} deployed: tier {int(Tier.OBSERVE)}",
    EventKind.REVIEW_OWED: _owed,
    EventKind.REVIEW_CLOSED: lambda leaf: f"{leaf.data['kind']} review closed by {leaf.actor}",
    EventKind.GRANT_ISSUED: _granted,
    EventKind.DEPLOYMENT_DEMOTED: _demoted,
    EventKind.WRITES_SUSPENDED: lambda leaf: f"writes suspended: {leaf.data['code']}",
    EventKind.ALERT_RAISED: lambda leaf: f"alert: {leaf.data.get('rule', 'unknown')}",
    EventKind.ALERT_CLOSED: lambda leaf: f"alert closed by {leaf.actor}: {leaf.data['disposition']}",
    EventKind.INCIDENT_OPENED: lambda leaf: f"incident: {leaf.data['cause']}",
    EventKind.INCIDENT_ACKNOWLEDGED: lambda leaf: f"incident acknowledged by {leaf.actor}",
    EventKind.FREEZE_SET: lambda leaf: f"frozen: {leaf.data['scope']}, by {leaf.actor}",
    EventKind.FREEZE_LIFTED: lambda leaf: f"freeze lifted by {leaf.actor}",
}
