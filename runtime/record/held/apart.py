"""Rows that are held together, not one by one: what a draw took, notices, days that alarmed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.engine import RowMapping

from runtime.db import streamed
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.held.book import CHUNK
from runtime.record.held.story import Chapter, Hear, Told
from runtime.record.held.values import as_stored, shown, shown_key
from runtime.tables.actions import ActionRow, SuggestionRow
from runtime.tables.alerts import NoticeRow
from runtime.tables.baselines import ToolDayRow
from runtime.tables.evidence import DrawnItemRow

_ITEM: Final[Table] = DrawnItemRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its tables
_SUGGESTION: Final[Table] = SuggestionRow.__table__  # type: ignore[attr-defined]  # as above
_ACTION: Final[Table] = ActionRow.__table__  # type: ignore[attr-defined]  # as above
_NOTICE: Final[Table] = NoticeRow.__table__  # type: ignore[attr-defined]  # as above
_DAY: Final[Table] = ToolDayRow.__table__  # type: ignore[attr-defined]  # as above


@dataclass(frozen=True, slots=True)
class _Draw:
    """What an entry says of the items of one draw."""

    entry: int
    columns: Mapping[str, Any]
    count: int
    digest: str


class Drawn(Chapter):
    """Items that people must judge; the record has a digest over those of each draw (R-84)."""

    def __init__(self, *given: Any) -> None:
        """Begin without draws."""
        super().__init__(*given)
        self._draws: dict[str, _Draw] = {}

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {EventKind.ITEMS_DRAWN: self._drawn}

    def _drawn(self, told: Told) -> None:
        columns = {"deployment": told.deployment, "agent": told.agent, **told.some("effect", "kind")}
        self._draws[str(told.subject)] = _Draw(
            told.seq, columns, told.data.get("drawn", 0), str(told.data.get("items"))
        )

    def check(self, connection: Connection, findings: Findings) -> None:
        """See `Chapter.check`."""
        left = dict(self._draws)
        for draw, items in groupby(_items(connection), key=lambda item: item["draw"]):
            said = left.pop(draw, None)
            if said is None:
                for item in items:
                    detail = "no entry says that its draw was made"
                    findings.add(FindingKind.ROW_ADDED, _ITEM.name, detail, row=shown_key((item["item"],)))
            else:
                _compare(said, draw, items, findings)
        for draw, said in left.items():
            if said.count:
                _compare(said, draw, (), findings)


def _items(connection: Connection) -> Iterator[RowMapping]:
    happened = func.coalesce(as_stored(_SUGGESTION.c.created_at), as_stored(_ACTION.c.settled_at))
    query = (
        select(*map(as_stored, _ITEM.c), happened.label("happened"))
        .outerjoin(_SUGGESTION, _SUGGESTION.c.id == _ITEM.c.item)
        .outerjoin(_ACTION, _ACTION.c.id == _ITEM.c.item)
        .order_by(_ITEM.c.draw, _ITEM.c.item)
    )
    return (row._mapping for row in streamed(connection, query, chunk=CHUNK))  # noqa: SLF001 - its public name


def _compare(said: _Draw, draw: str, items: Iterable[RowMapping], findings: Findings) -> None:
    lines = []
    for item in items:
        blind = item["blind"]
        lines.append(f"{item['item']} {item['cluster']} {int(blind) if blind in {0, 1} else shown(blind)}")
        _columns(said, item, findings)
    count, digest = len(lines), hashlib.sha256("\n".join(sorted(lines)).encode(errors="replace")).hexdigest()
    if digest == said.digest:
        return
    detail = f"draw {draw}: got {count} items, SHA-256 {digest[:16]}; entry {said.entry} says {said.count}"
    detail = f"{detail}, SHA-256 {said.digest[:16]}"
    if count == said.count:
        findings.changed(_ITEM.name, "item, cluster or blind", shown_key((draw,)), detail)
    else:
        kind = FindingKind.ROW_DELETED if count < said.count else FindingKind.ROW_ADDED
        findings.add(kind, _ITEM.name, detail, row=shown_key((draw,)))


def _columns(said: _Draw, item: RowMapping, findings: Findings) -> None:
    happened = {} if item["happened"] is None else {"happened_at": item["happened"]}
    for column, expected in {**said.columns, **happened}.items():
        if item[column] != expected:
            detail = f"got {shown(item[column])}; entry {said.entry} says {shown(expected)}"
            findings.changed(_ITEM.name, column, shown_key((item["item"],)), detail)


class Notices(Chapter):
    """Notices that people must get; each has an id over what it says."""

    def __init__(self, *given: Any) -> None:
        """Begin without causes."""
        super().__init__(*given)
        self._due: dict[tuple[str, str | None, str], int] = {}

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.APPROVAL_REQUESTED: self._held,
            EventKind.ALERT_RAISED: self._raised,
            EventKind.INCIDENT_OPENED: self._opened,
            EventKind.INCIDENT_REMINDED: self._reminded,
            EventKind.REVIEW_PRINTED: self._printed,
        }

    def _held(self, told: Told) -> None:
        if "created_at" in told.data:
            self._due["hold", told.subject, "operators"] = told.seq

    def _raised(self, told: Told) -> None:
        if "counted" in told.data and told.data.get("severity") != "low":
            self._due["alert", told.subject, "operators"] = told.seq

    def _opened(self, told: Told) -> None:
        if "counted" in told.data:
            self._due["incident", told.subject, "operators"] = told.seq
            self._due["incident", told.subject, "leadership"] = told.seq

    def _reminded(self, told: Told) -> None:
        self._due["reminder", told.subject, "leadership"] = told.seq

    def _printed(self, told: Told) -> None:
        if "made_at" in told.data:
            self._due["obligation", told.subject, "operators"] = told.seq

    def check(self, connection: Connection, findings: Findings) -> None:
        """See `Chapter.check`."""
        for row in streamed(connection, select(*map(as_stored, _NOTICE.c)), chunk=CHUNK):
            notice = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
            self._due.pop((notice["kind"], notice["subject"], notice["route"]), None)
            id_ = _id_of(notice)
            if notice["id"] not in (id_, f"{id_}-{notice['channel']}"):
                detail = f"got {shown(notice['id'])}; what the notice says gives {shown(id_)}"
                column = "id, kind, subject, route, created_at or body"
                findings.changed(_NOTICE.name, column, shown_key((notice["id"],)), detail)
        for (kind, subject, route), entry in self._due.items():
            detail = f"entry {entry} says that {route} are told"
            findings.add(FindingKind.ROW_DELETED, _NOTICE.name, detail, row=shown_key((kind, subject)))


def _id_of(notice: RowMapping) -> str:
    """As `runtime.notices.outbox` makes it."""
    words = "\n".join(str(notice[name]) for name in ("kind", "subject", "route", "created_at", "body"))
    return f"ntc-{hashlib.sha256(words.encode(errors='surrogatepass')).hexdigest()[:24]}"


class Alarmed(Chapter):
    """Days of which an alarm was raised: each is told of once, so a mark by hand would silence it."""

    kept: ClassVar = ()

    def __init__(self, *given: Any) -> None:
        """Begin without alarms."""
        super().__init__(*given)
        self._raised: set[tuple[str | None, Any, Any]] = set()

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {EventKind.ALERT_RAISED: self._alert}

    def _alert(self, told: Told) -> None:
        if told.data.get("resource") == "rate":
            self._raised.add((told.deployment, told.data.get("tool"), told.data.get("rule")))

    def check(self, connection: Connection, findings: Findings) -> None:
        """See `Chapter.check`."""
        query = select(_DAY.c.deployment, _DAY.c.day, _DAY.c.tool, _DAY.c.told).where(
            _DAY.c.told.is_not(None)
        )
        for row in streamed(connection, query, chunk=CHUNK):
            if (row.deployment, row.tool, row.told) not in self._raised:
                detail = f"got {shown(row.told)}; the record has no such alert"
                key = shown_key((row.deployment, row.day, row.tool))
                findings.changed(_DAY.name, "told", key, detail)
