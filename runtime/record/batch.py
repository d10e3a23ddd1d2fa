"""One transaction of the record, as it grows: the units that run in it and the entries they append."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlmodel import SQLModel

from runtime.errors import LedgerIntegrityError, LedgerUnavailableError
from runtime.moments import utc_moment, utc_text
from runtime.record.changes import Changes, Mark
from runtime.record.events import CHECKPOINT_KINDS, Event
from runtime.record.leaf import encode_leaf
from runtime.record.merkle import Frontier, leaf_hash
from runtime.record.payload import Commitment, DataKey, seal
from runtime.record.statements import Statements

HEAD_ID = 1


class BatchLostError(LedgerUnavailableError):
    """The database undid the whole transaction, as SQLite does when the disk is full."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends. `high_water` is the last entry's moment as `utc_text`; empty before the first."""

    origin: str
    size: int
    frontier: bytes
    high_water: str


def read_head(connection: Connection, statements: Statements) -> Head | None:
    """Return where the log ends; None when it was never begun."""
    row = statements.head.run(connection, {"head_id": HEAD_ID}).fetchone()
    return None if row is None else Head(*row)


class Tx:
    """What a unit may do: change rows through `conn`, and append to the log in the same transaction.

    A unit must be quick, must not commit, and must not wait for anything.
    """

    __slots__ = ("_batch",)

    def __init__(self, batch: "Batch") -> None:
        self._batch = batch

    @property
    def conn(self) -> Connection:
        """The connection, inside a savepoint that is undone when the unit raises."""
        return self._batch.enter_savepoint()

    @property
    def now(self) -> datetime:
        """The moment of this transaction: by the ledger's clock, but never before the last entry's (F2)."""
        return self._batch.now

    @property
    def mark(self) -> Mark | None:
        """Where the database stands: an equal mark, in this transaction or a later one, means no change.

        None where that cannot be told; see `runtime.record.changes`.
        """
        return self._batch.changes.mark()

    @property
    def committed(self) -> int:
        """How many entries there were before this transaction."""
        return self._batch.committed

    @property
    def coming(self) -> int:
        """The number that the next entry gets: what is named by it has a name of its own."""
        return self._batch.coming

    def append(self, event: Event) -> int:
        """Add one entry; return its number. It is durable once the unit's future has resolved.

        Raises:
            CanonicalError: a value of the event has no canonical form.
        """
        return self._batch.append(event)

    def insert(self, table: type[SQLModel], row: Mapping[str, Any]) -> None:
        """Add one row, as `conn.execute(insert(table), row)` does at ten times the cost.

        Raises:
            Exception: the driver's error, where the row breaks a constraint.
        """
        self._batch.insert(table, row)

    def checkpoint_after(self) -> None:
        """Anchor this transaction before its units hear that they are committed."""
        self._batch.wants_checkpoint = True


@dataclass(frozen=True, slots=True)
class _Point:
    entries: int
    payloads: int
    high_water: str
    wants_checkpoint: bool


class Batch:
    """The entries of one transaction, numbered as they come and written at its end."""

    def __init__(
        self,
        connection: Connection,
        head: Head,
        *,
        statements: Statements,
        changes: Changes,
        now: datetime,
        random: Callable[[int], bytes],
        alone: bool = False,
    ) -> None:
        """Begin without entries.

        Args:
            connection: in the transaction.
            head: where the log ends.
            statements: of this kind of database.
            changes: of this connection.
            now: by the clock.
            random: for salts and nonces.
            alone: whether there is one unit only. It needs no savepoint: if it raises, all is undone.
        """
        self.committed = head.size
        self.wants_checkpoint = False
        self.data_key: DataKey | None = None
        self._connection = connection
        self._statements = statements
        self.changes = changes
        self._head = head
        self._random = random
        self._high_water = head.high_water
        self.latest = utc_text(now)
        self.now = now if self.latest >= head.high_water else utc_moment(head.high_water)
        self._entries: list[dict[str, Any]] = []
        self._payloads: list[dict[str, Any]] = []
        self._alone = alone
        self._in_savepoint = False

    def run(self, unit: Callable[[Tx], Any]) -> Any:
        """Run one unit; what it did is undone when it raises, by the caller if it was to be alone.

        Raises:
            BatchLostError: it could not be undone alone; all of the transaction is gone.
            Exception: whatever the unit raised.
        """
        point = _Point(len(self._entries), len(self._payloads), self._high_water, self.wants_checkpoint)
        try:
            result = unit(Tx(self))
        except Exception:
            self._undo(point)
            raise
        self._leave_savepoint("RELEASE SAVEPOINT unit")
        return result

    def enter_savepoint(self) -> Connection:
        """Return the connection, inside the running unit's savepoint where it has one."""
        if not self._in_savepoint and not self._alone:
            self._statement("SAVEPOINT unit")
            self._in_savepoint = True
        return self._connection

    def insert(self, table: type[SQLModel], row: Mapping[str, Any]) -> None:
        """Add one row inside the running unit's savepoint."""
        self._statements.into(table, tuple(row)).run(self.enter_savepoint(), row)

    @property
    def coming(self) -> int:
        """The number that the next entry gets."""
        return self._head.size + len(self._entries)

    def append(self, event: Event) -> int:
        """Take one entry."""
        seq = self.coming
        at = max(self._high_water, min(utc_text(event.at), self.latest))
        commitment = None if event.payload is None else self._seal(seq, event)
        leaf = encode_leaf(seq, at, event, commitment)
        self._entries.append(_entry(seq, at, leaf, event))
        self._high_water = at
        self.changes.appended()
        self.wants_checkpoint = self.wants_checkpoint or event.kind in CHECKPOINT_KINDS
        return seq

    def flush(self) -> Head:
        """Write the entries and move the head; return where the log now ends.

        Raises:
            LedgerIntegrityError: someone else moved the head.
        """
        if not self._entries:
            return self._head
        frontier = Frontier.from_bytes(self._head.size, self._head.frontier)
        for entry in self._entries:
            frontier.append(entry["leaf_hash"])
        head = Head(self._head.origin, frontier.size, frontier.to_bytes(), self._high_water)
        with self.changes.of_the_record():
            self._statements.entry.run_many(self._connection, self._entries)
            if self._payloads:
                self._statements.payload.run_many(self._connection, self._payloads)
            self._move_head(head)
        return head

    def _move_head(self, head: Head) -> None:
        moved = {
            "head_id": HEAD_ID,
            "old_size": self._head.size,
            "new_size": head.size,
            "new_frontier": head.frontier,
            "new_high_water": head.high_water,
        }
        if self._statements.move.run(self._connection, moved).rowcount != 1:
            raise LedgerIntegrityError(
                "the head of the log moved inside our transaction; run `handrail audit verify`"
            )

    def _seal(self, seq: int, event: Event) -> Commitment:
        if self.data_key is None or event.payload is None:
            raise LedgerIntegrityError(f"entry {seq} has a payload and there is no data key to seal it")
        sealed, commitment = seal(
            event.payload, self.data_key, origin=self._head.origin, seq=seq, random=self._random
        )
        self._payloads.append({"seq": seq, "key_id": commitment.key, "sealed": sealed})
        return commitment

    def _undo(self, point: _Point) -> None:
        del self._entries[point.entries :]
        del self._payloads[point.payloads :]
        self._high_water = point.high_water
        self.wants_checkpoint = point.wants_checkpoint
        self._leave_savepoint("ROLLBACK TO SAVEPOINT unit", "RELEASE SAVEPOINT unit")

    def _leave_savepoint(self, *statements: str) -> None:
        if not self._in_savepoint:
            return
        self._in_savepoint = False
        try:
            for statement in statements:
                self._statement(statement)
        except Exception as error:
            raise BatchLostError(f"the transaction is lost: {error}") from error

    def _statement(self, statement: str) -> None:
        # The driver's cursor: SQLAlchemy's own savepoints cost ten times as much, at every unit.
        self._connection.connection.cursor().execute(statement)


def _entry(seq: int, at: str, leaf: bytes, event: Event) -> dict[str, Any]:
    return {
        "seq": seq,
        "leaf": leaf,
        "leaf_hash": leaf_hash(leaf),
        "at": at,
        "kind": event.kind.value,
        "actor": event.actor,
        "agent": event.agent,
        "deployment": event.deployment,
        "run": event.run,
        "subject": event.subject,
    }
