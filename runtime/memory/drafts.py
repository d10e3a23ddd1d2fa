"""The units by which a run's draft comes to be, changes, and is closed for good.

A draft is opened by a run's first writing and holds all that the run can read. It is closed in the unit that
records the run's ending; what an approved write adds later is a further version, closed at once.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from runtime.canonical import JsonValue
from runtime.memory import rows
from runtime.memory.errors import AgentMemoryError
from runtime.memory.leaves import GONE, after, leaves
from runtime.memory.model import Entry, Version, VersionState, version_digest
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.runs.states import RunState
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def write(tx: Tx, draft: Version, entry: Entry, *, deployment: str) -> None:
    """Write an entry into a run's draft, which is opened by this if it is not there yet.

    Args:
        tx: the unit.
        draft: the draft without the entry.
        entry: what is written, in place of the one of its name.
        deployment: digest of the run's deployment.

    Raises:
        AgentMemoryError: the draft was closed since it was read; nothing is changed.
    """
    before = _open(tx, draft)
    rows.put(tx.conn, draft.id, (entry,))
    replaced = next((one.digest for one in before.entries if one.name == entry.name), None)
    _record(tx, draft, entry.action, deployment, entry, gone=replaced)
    _close_if_over(tx, draft.run, deployment)


def delete(tx: Tx, draft: Version, entry: Entry, *, action: str, deployment: str) -> None:
    """Remove an entry from a run's draft; see `write`."""
    _open(tx, draft)
    rows.drop(tx.conn, draft.id, entry.name)
    _record(tx, draft, action, deployment, entry, gone=entry.digest)
    _close_if_over(tx, draft.run, deployment)


def close(tx: Tx, run: str, *, deployment: str) -> Version | None:
    """Close a run's draft under its digest, if it has one and it differs from what the run began with.

    Args:
        tx: the unit, usually the one that records the run's ending.
        run: the run's id.
        deployment: digest of its deployment, for the record.

    Returns:
        The closed version; None if there is nothing to review.
    """
    draft = rows.draft_of(tx.conn, run)
    if draft is None:
        return None
    digest = version_digest(draft.agent, draft.setting, draft.entries)
    if digest == _digest_before(tx.conn, draft) and not _has_lost(tx.conn, draft):
        rows.forget(tx.conn, draft.id)
        return None
    seq = tx.append(_drafted(draft, digest, deployment, now=tx.now))
    rows.close(tx.conn, draft.id, digest=digest, log_seq=seq)
    return replace(draft, state=VersionState.CLOSED, digest=digest, log_seq=seq)


def _open(tx: Tx, draft: Version) -> Version:
    """Return the draft as its rows have it, which begin with this."""
    found = rows.find(tx.conn, draft.id)
    if found is None:
        rows.insert_version(tx.conn, draft)
        return draft
    if found.state is not VersionState.DRAFT:
        raise AgentMemoryError(
            f"memory version {draft.id} of {draft.agent} was closed when its run ended; expected a draft: "
            f"the next writing begins a new one"
        )
    return found


def _record(tx: Tx, draft: Version, action: str, deployment: str, entry: Entry, *, gone: str | None) -> None:
    """Record what was written or removed, and the entry that is no longer there for it."""
    removed = gone == entry.digest
    data: dict[str, JsonValue] = {"setting": draft.setting.value, "version": draft.id, "action": action}
    data |= {"parent": draft.parent, "made_at": utc_text(draft.made_at)}
    data |= {} if gone is None else {GONE: gone}
    if not removed:
        data |= {"entry": entry.digest, "size": entry.size, "taint": entry.taint.value}
    tx.append(
        Event(
            kind=EventKind.MEMORY_WRITTEN,
            at=tx.now,
            actor="agent",
            agent=draft.agent,
            deployment=deployment,
            run=draft.run,
            subject=action,
            data=data,
            payload={"name": entry.name, "sha256": entry.sha256, "removed": removed},
        )
    )


def _close_if_over(tx: Tx, run: str, deployment: str) -> None:
    state = tx.conn.execute(select(_RUN.c.state).where(_RUN.c.id == run)).scalar()
    if state == RunState.ENDED.value:
        close(tx, run, deployment=deployment)


def _has_lost(conn: Connection, draft: Version) -> bool:
    """Whether the record has a writing of this draft that its rows have lost: then it is not nothing."""
    query = select(_LOG.c.leaf).where(
        _LOG.c.run == draft.run, _LOG.c.kind == EventKind.MEMORY_WRITTEN.value, _LOG.c.agent == draft.agent
    )
    told = [leaf for leaf in leaves(conn, query.order_by(_LOG.c.seq)) if leaf.data.get("version") == draft.id]
    return not set(after({}, told)) <= {entry.digest for entry in draft.entries}


def _digest_before(conn: Connection, draft: Version) -> str:
    parent = None if draft.parent is None else rows.find(conn, draft.parent)
    return version_digest(draft.agent, draft.setting, () if parent is None else parent.entries)


def _drafted(draft: Version, digest: str, deployment: str, *, now: datetime) -> Event:
    untrusted = sum(entry.is_untrusted for entry in draft.entries)
    return Event(
        kind=EventKind.MEMORY_DRAFTED,
        at=now,
        actor="handrail",
        agent=draft.agent,
        deployment=deployment,
        run=draft.run,
        subject=draft.id,
        data={
            "setting": draft.setting.value,
            "parent": draft.parent,
            "digest": digest,
            "entries": len(draft.entries),
            "untrusted": untrusted,
        },
    )
