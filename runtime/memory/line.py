"""What the record says of an agent's memory in one setting: its closed versions and people's words on them.

The line is read from the log alone. Rows only hold entries, and a version's rows count only if their digest
is the recorded one and the record has the writing of every entry in them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from profiles.setting import Setting
from runtime import agents
from runtime.memory import rows
from runtime.memory.errors import AgentMemoryError, MemoryAlteredError
from runtime.memory.leaves import after, leaves
from runtime.memory.model import Entry, Standing, Version, version_digest
from runtime.memory.words import Do, MemoryOrder, counts
from runtime.people.roster import Roster
from runtime.people.statements import load_statements
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf
from runtime.tables.log import LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_KINDS = (
    EventKind.MEMORY_WRITTEN,
    EventKind.MEMORY_DRAFTED,
    EventKind.MEMORY_ADOPTED,
    EventKind.MEMORY_QUARANTINED,
)


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A version as its closing was recorded."""

    id: str
    parent: str | None
    run: str
    digest: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Word:
    """An adoption or a return as it was recorded; `fault` is why it carries nothing now."""

    version: str
    do: Do
    person: str
    at: datetime
    fault: str | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """An agent's versions in one setting, oldest first, and what people said of them.

    Attributes:
        words: adoptions and returns, oldest first; the last one makes the present version.
        written: digests of the entries whose writing was recorded.
        held: of each closed version what it holds by the record of its writings and of those it came from:
            digests of entries, each with the action that wrote it.
        quarantined: versions that somebody quarantined as a whole.
        condemned: digests of entries that somebody quarantined.
    """

    agent: str
    setting: Setting
    closed: tuple[Closed, ...]
    words: tuple[Word, ...]
    written: frozenset[str]
    held: Mapping[str, Mapping[str, str]]
    quarantined: frozenset[str]
    condemned: frozenset[str]

    @property
    def present(self) -> Closed | None:
        """The present version; None for the empty memory. Whether it may be read is not said here."""
        return self.of(self.words[-1].version) if self.words else None

    def of(self, version: str) -> Closed | None:
        """Return the closed version of this id, or None."""
        return next((one for one in self.closed if one.id == version), None)

    def by_digest(self, digest: str) -> Closed | None:
        """Return the closed version with this digest, or None.

        A run that writes and removes again comes back to a digest. The version that was adopted is meant,
        and where none was, the first.
        """
        found = [one for one in self.closed if one.digest == digest]
        adopted = (one for one in found if self.fault(one.id) is None)
        return next(adopted, found[0] if found else None)

    def fault(self, version: str) -> str | None:
        """Return why the last word on a version does not make it a reviewed one; None if it does."""
        spoken = [word for word in self.words if word.version == version]
        return spoken[-1].fault if spoken else "nobody has adopted it"

    def is_quarantined(self, version: Version) -> bool:
        """Whether it, a version that it came from, or an entry in it was quarantined."""
        return self.stops(version.id, version.parent, version.entries)

    def without(self, version: str, entry: str | None) -> "Line":
        """Return the line as it is once a version, or one entry wherever it is, was quarantined."""
        if entry is None:
            return replace(self, quarantined=self.quarantined | {version})
        return replace(self, condemned=self.condemned | {entry})

    def stops(self, version: str, parent: str | None, entries: Iterable[Entry]) -> bool:
        """See `is_quarantined`; where the record has the version, its own parent counts."""
        came_from = {version, *self._ancestry(version, parent)}
        return bool(came_from & self.quarantined) or any(one.digest in self.condemned for one in entries)

    def standing(self, version: Version) -> Standing:
        """Return what a closed version is worth now."""
        if self.is_quarantined(version):
            return Standing.QUARANTINED
        if self.words and self.words[-1].version == version.id:
            return Standing.PRESENT
        adopted = any(word.version == version.id for word in self.words)
        return Standing.EARLIER if adopted else Standing.PROPOSED

    def _ancestry(self, version: str, parent: str | None) -> Iterator[str]:
        parents = {one.id: one.parent for one in self.closed}
        before, seen = parents.get(version, parent), set[str]()
        while before is not None and before not in seen:
            yield before
            seen.add(before)
            before = parents.get(before)


def read_line(conn: Connection, agent: str, setting: Setting, *, roster: Roster) -> Line:
    """Read an agent's line of versions in one setting.

    Raises:
        runtime.agents.AgentError: there is no such agent, or its row is not what was recorded.
    """
    owner = agents.as_registered(conn, agent).owner
    told = [leaf for leaf in _leaves(conn, agent) if leaf.data.get("setting") == setting.value]
    quarantines = [leaf for leaf in told if leaf.kind is EventKind.MEMORY_QUARANTINED]
    adoptions = [leaf for leaf in told if leaf.kind is EventKind.MEMORY_ADOPTED]
    stored = load_statements(conn, [str(leaf.data.get("statement")) for leaf in adoptions])
    words = []
    for leaf in adoptions:
        order = _order(leaf, agent, setting)
        fault = counts(stored.get(str(leaf.data.get("statement"))), order, owner, roster)
        words.append(_word(leaf, order.do, fault))
    return Line(
        agent=agent,
        setting=setting,
        closed=tuple(_closed(leaf) for leaf in told if leaf.kind is EventKind.MEMORY_DRAFTED),
        words=tuple(words),
        written=frozenset(str(x.data.get("entry")) for x in told if x.kind is EventKind.MEMORY_WRITTEN),
        held=_held(told),
        quarantined=frozenset(str(x.subject) for x in quarantines if x.data.get("entry") is None),
        condemned=frozenset(str(x.data["entry"]) for x in quarantines if x.data.get("entry") is not None),
    )


def read_version(conn: Connection, line: Line, version: str) -> Version:
    """Return a closed version whose rows are what the record says.

    Args:
        conn: a fresh view of the database.
        line: the agent's line in the version's setting.
        version: its id, or a beginning of at least 8 characters that only one has.

    Raises:
        AgentMemoryError: there is no such closed version in this line.
        MemoryAlteredError: its rows are not what was recorded.
    """
    known = _named(line, version)
    found = rows.find(conn, known.id)
    if found is None:
        raise _altered(line, known, "its rows are gone")
    if (found.agent, found.setting) != (line.agent, line.setting):
        raise _altered(line, known, "its row is of another agent or setting")
    if version_digest(line.agent, line.setting, found.entries) != known.digest:
        raise _altered(line, known, "its entries are not those of its digest")
    held, there = line.held[known.id], {entry.digest for entry in found.entries}
    if not there <= set(held):
        raise _altered(line, known, "the record has no writing of one of its entries")
    if lost := [f"{one[:12]} (written by {held[one]})" for one in sorted(set(held) - there)]:
        raise _altered(line, known, f"it has lost entries that the record has: {', '.join(lost)}")
    return found


def quarantined(conn: Connection, line: Line) -> tuple[Closed, ...]:
    """Return the closed versions that no run reads any more, oldest first."""
    found = ((one, rows.find(conn, one.id)) for one in line.closed)
    return tuple(
        one for one, row in found if line.stops(one.id, one.parent, () if row is None else row.entries)
    )


def _named(line: Line, version: str) -> Closed:
    if len(version) < 8:  # noqa: PLR2004 - `mem-` and four characters: shorter ones would soon be ambiguous
        raise AgentMemoryError(f"memory version {version!r}: give at least 8 characters of it")
    found = [one for one in line.closed if one.id.startswith(version)]
    if len(found) != 1:
        raise AgentMemoryError(
            f"memory version {version}: {len(found)} of {line.agent} in {line.setting.value} match, expected "
            f"one; see `handrail memory log {line.agent} --setting {line.setting.value}`"
        )
    return found[0]


def _leaves(conn: Connection, agent: str) -> Iterator[Leaf]:
    query = select(_LOG.c.leaf).where(_LOG.c.kind.in_([kind.value for kind in _KINDS]), _LOG.c.agent == agent)
    return leaves(conn, query.order_by(_LOG.c.seq))


def _held(told: Iterable[Leaf]) -> dict[str, Mapping[str, str]]:
    """Follow the writings of each version from the one that it came from. Pure."""
    writings: dict[str, list[Leaf]] = {}
    held: dict[str, Mapping[str, str]] = {}
    for leaf in told:
        if leaf.kind is EventKind.MEMORY_WRITTEN:
            writings.setdefault(str(leaf.data.get("version")), []).append(leaf)
        elif leaf.kind is EventKind.MEMORY_DRAFTED:
            version, before = str(leaf.subject), held.get(str(leaf.data.get("parent")), {})
            held[version] = after(before, writings.pop(version, ()))
    return held


def _closed(leaf: Leaf) -> Closed:
    parent = leaf.data.get("parent")
    return Closed(
        id=str(leaf.subject),
        parent=None if parent is None else str(parent),
        run=str(leaf.run),
        digest=str(leaf.data.get("digest")),
        at=leaf.at,
    )


def _word(leaf: Leaf, do: Do, fault: str | None) -> Word:
    return Word(version=str(leaf.subject), do=do, person=str(leaf.actor), at=leaf.at, fault=fault)


def _order(leaf: Leaf, agent: str, setting: Setting) -> MemoryOrder:
    return MemoryOrder(
        do=Do(str(leaf.data.get("do"))),
        agent=agent,
        setting=setting,
        version=str(leaf.subject),
        digest=str(leaf.data.get("digest")),
        reason="",
    )


def _altered(line: Line, known: Closed, what: str) -> MemoryAlteredError:
    return MemoryAlteredError(
        f"memory version {known.id} of {line.agent}: {what}; expected what was recorded: run `handrail audit "
        f"verify`, then quarantine it with `handrail memory quarantine {line.agent} {known.id} --reason TEXT`"
    )
