"""How far the clock has looked for causes, as the record has it.

The cursor of a job that only counts is a row. This one is an entry: whoever moved a row on by hand would keep
a demotion from ever happening, and nothing would show it.
"""

from sqlalchemy import Connection, select

from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.leaf import decode_leaf
from runtime.tables.log import LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def read_from(conn: Connection, name: str) -> int:
    """Return where a job goes on; 0 for a job that never found anything to read.

    Raises:
        runtime.errors.CanonicalError: the entry was changed.
    """
    query = select(_LOG.c.leaf).where(_LOG.c.kind == EventKind.CAUSES_READ.value, _LOG.c.subject == name)
    leaf = conn.execute(query.order_by(_LOG.c.seq.desc()).limit(1)).scalar()
    return 0 if leaf is None else int(str(decode_leaf(leaf).data.get("next", 0)))


def move_to(tx: Tx, name: str, position: int) -> None:
    """Note, in the unit that acts on what was read, that a job goes on from here."""
    tx.append(
        Event(kind=EventKind.CAUSES_READ, at=tx.now, actor="rollout", subject=name, data={"next": position})
    )
