"""Versions of agents' memory and what stands in each, as writings on record leave them (R-77)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Table, select
from sqlalchemy.engine import RowMapping

from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import PRODUCTION, Chapter, Hear, Told
from runtime.record.held.values import as_stored, shown, shown_key
from runtime.tables.memory import MemoryEntryRow, MemoryVersionRow

_VERSION: Final[Table] = MemoryVersionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its tables
_ENTRY: Final[Table] = MemoryEntryRow.__table__  # type: ignore[attr-defined]  # as above
_DIGESTED: Final = ("name", "sha256", "size", "action", "run", "taint", "written_at")


@dataclass(slots=True)
class _Draft:
    """A version as its writings are read.

    Attributes:
        told: the writings, in order.
        parent: the version it began from; `...` where the record does not say.
    """

    told: list[Told] = field(default_factory=list)
    parent: Any = ...


class Memory(Chapter):
    """Rows of memories."""

    kept: ClassVar[tuple[Kept, ...]] = (kept(MemoryVersionRow, "id"),)

    def __init__(self, *given: Any) -> None:
        """Begin without versions."""
        super().__init__(*given)
        self._drafts: dict[str, _Draft] = {}
        self._of_run: dict[str | None, str] = {}

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.MEMORY_WRITTEN: self._written,
            EventKind.MEMORY_DRAFTED: self._drafted,
            EventKind.RUN_ENDED: self._ended,
        }

    def _written(self, told: Told) -> None:
        version = told.data.get("version")
        if not isinstance(version, str):
            return
        if version not in self._drafts:
            self._begin(told, version)
        self._drafts[version].told.append(told)
        if self._is_over(told.run):
            self.story["memory_version"].maybe(version)

    def _begin(self, told: Told, version: str) -> None:
        self._drafts[version] = _Draft(parent=told.data.get("parent", ...))
        self._of_run[told.run] = version
        self.story["memory_version"].put(
            told.seq,
            version,
            agent=told.agent,
            setting=told.data.get("setting", PRODUCTION),
            run=told.run,
            digest=None,
            state="draft",
            log_seq=0,
            **told.some("parent", "made_at"),
        )

    def _drafted(self, told: Told) -> None:
        book = self.story["memory_version"]
        book.surely(told.subject)
        book.tell(told.seq, told.subject, state="closed", log_seq=told.seq, **told.some("digest", "parent"))
        if (draft := self._drafts.get(str(told.subject))) is not None:
            draft.parent = told.data.get("parent", ...)

    def _ended(self, told: Told) -> None:
        """A draft that says what its run began with is forgotten when the run ends; no entry says so."""
        version = self._of_run.get(told.run)
        if version is not None:
            self.story["memory_version"].maybe(version)

    def _is_over(self, run: str | None) -> bool:
        return bool(self.story["run"].said("state", run) == "ended")

    def check(self, connection: Connection, findings: Findings) -> None:
        """See `Chapter.check`."""
        there = set(connection.execute(select(_VERSION.c.id)).scalars())
        entered = set(connection.execute(select(_ENTRY.c.version).distinct()).scalars())
        for version, draft in self._drafts.items():
            if version in there or version in entered:
                _compare(connection, version, draft, findings)
        for version in sorted(entered - self._drafts.keys(), key=str):
            for row in _rows(connection, version):
                detail = "no entry says that it was written"
                findings.add(FindingKind.ROW_ADDED, _ENTRY.name, detail, row=_key(row))


def _compare(connection: Connection, version: str, draft: _Draft, findings: Findings) -> None:
    parent = draft.parent
    if parent is ...:
        parent = connection.execute(select(_VERSION.c.parent).where(_VERSION.c.id == version)).scalar()
    left: dict[str, Told | None] = dict.fromkeys(map(_digest, _rows(connection, parent)))
    for told in draft.told:
        left.pop(str(told.data.get("gone")), None)
        if (entry := told.data.get("entry")) is not None:
            left[str(entry)] = told
    strange = [row for row in _rows(connection, version) if left.pop(_digest(row), left) is left]
    for row in strange:
        _name(row, left, findings)
    for digest, by in left.items():
        where = "the version it began from has it" if by is None else f"entry {by.seq} says it was written"
        detail = f"{where}, digest {digest[:16]}"
        findings.add(FindingKind.ROW_DELETED, _ENTRY.name, detail, row=shown_key((version,)))


def _name(row: RowMapping, left: dict[str, Told | None], findings: Findings) -> None:
    """Name what is wrong with a row that is not as it was written."""
    for digest, told in left.items():
        if told is None or told.subject != row["action"]:
            continue
        del left[digest]
        said = {"run": told.run, **told.some("size", "taint")}
        wrong = [name for name, value in said.items() if row[name] != value]
        for name in wrong:
            detail = f"got {shown(row[name])}; entry {told.seq} says {shown(said[name])}"
            findings.changed(_ENTRY.name, name, _key(row), detail)
        if not wrong:
            detail = f"got digest {_digest(row)[:16]}; entry {told.seq} says {digest[:16]}"
            findings.changed(_ENTRY.name, "name, sha256 or written_at", _key(row), detail)
        return
    detail = "no entry says that it was written, as it stands there"
    findings.add(FindingKind.ROW_ADDED, _ENTRY.name, detail, row=_key(row))


def _rows(connection: Connection, version: str | None) -> Sequence[RowMapping]:
    if version is None:
        return ()
    query = select(*map(as_stored, _ENTRY.c)).where(_ENTRY.c.version == version).order_by(_ENTRY.c.name)
    return connection.execute(query).mappings().all()


def _digest(row: RowMapping) -> str:
    """As `runtime.memory.model.Entry.digest`, over the row as it is stored."""
    try:
        return sha256(canonical({name: row[name] for name in _DIGESTED})).hexdigest()
    except CanonicalError:
        return ""


def _key(row: RowMapping) -> str | int:
    return shown_key((row["version"], row["name"]))
