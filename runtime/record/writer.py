"""The writer: opens a log, commits batches of units to it, and signs checkpoints. It knows no threads.

1. BEGIN IMMEDIATE, then the head is read from the database, unless nobody else can have committed since our
   last transaction: two processes cannot fork the log.
2. The units run, each in its own savepoint unless it is alone; their entries are written, the head moves,
   all is committed. If a lone unit raises nothing is: what the record has to say of itself comes later.
3. The database file must be the one that was opened, before the first step and after the commit.
4. A checkpoint is signed over what is committed, put into the anchor, and only then into the database: the
   anchor is never ahead of the disk, and a database behind its anchor was rolled back.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, insert

from runtime.canonical import JsonValue
from runtime.clock import Clock
from runtime.db import be_patient, database_file, is_lost, open_writer, transaction
from runtime.errors import LedgerIntegrityError
from runtime.record.anchor import Anchor, AnchorState
from runtime.record.batch import HEAD_ID, Batch, BatchLostError, Head, read_head
from runtime.record.changes import Changes
from runtime.record.checkpoint import Checkpoint, sign_checkpoint
from runtime.record.clock_step import note_step
from runtime.record.events import Event, EventKind
from runtime.record.guard import FileGuard
from runtime.record.jobs import Job
from runtime.record.keyring import KeyRing
from runtime.record.keys import Keys
from runtime.record.merkle import Frontier
from runtime.record.opening import missing_checkpoints, store_checkpoints
from runtime.record.statements import Statements
from runtime.tables.log import LogHeadRow

OnStep = Callable[[str], None]

_ACTOR = "handrail"
_MONTH = len("2026-11")
CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the clock may be behind the last entry: the clocks of two hosts on one database are never alike."""


class _LoneUnitError(Exception):
    """The only unit of a transaction raised, so there is nothing to commit."""


@dataclass(frozen=True)
class Parts:
    """What a writer is made of."""

    engine: Engine
    keys: Keys
    anchor: Anchor
    clock: Clock
    random: Callable[[int], bytes]
    on_step: OnStep


class Writer:
    """Writes one log. Calls must not overlap."""

    def __init__(self, parts: Parts) -> None:
        """Open the log, or begin it when the database has none.

        Raises:
            LedgerIntegrityError: keys, anchor and database do not belong together.
            KeyFileError: the wrap key is not the one that wrapped the data keys.
        """
        self._parts = parts
        self._connection = open_writer(parts.engine, patient=False)
        self._changes = Changes(self._connection)
        self._statements = Statements.of(parts.engine.dialect)
        self._keyring = KeyRing(parts.keys.wrapper)
        self._guard = FileGuard({})
        self._own_events: list[tuple[EventKind, dict[str, JsonValue]]] = []
        self._anchor_fault: str | None = None
        self._clock_is_behind = False
        self._patient = False
        self.checkpoint_latest: Checkpoint | None = None
        self._be_patient(patient=True)
        self._head = self._open()
        self._guard = FileGuard.of_database(database_file(parts.engine.url))

    @property
    def entries_since_checkpoint(self) -> int:
        """How many committed entries no checkpoint covers yet."""
        latest = self.checkpoint_latest
        return self._head.size - (0 if latest is None else latest.size)

    @property
    def anchor_state(self) -> AnchorState:
        """Whether checkpoints reach the anchor."""
        if self._anchor_fault is not None:
            return AnchorState(anchored=False, reason=self._anchor_fault)
        return self._parts.anchor.state()

    def commit(self, jobs: Sequence[Job], *, patient: bool = False) -> bool:
        """Run the units of `jobs` in one transaction; each job then holds its result or its error.

        Args:
            jobs: what to run.
            patient: whether to queue behind another program that writes, where the database has a queue.

        Returns:
            whether one of them asked for a checkpoint.

        Raises:
            LedgerIntegrityError: the log is not the one that was opened.
            Exception: the transaction failed, and none of the units took effect.
        """
        step = self._parts.on_step
        self._guard.check()
        self._be_patient(patient=patient)
        try:
            with self._transaction():
                batch = self._begin(alone=len(jobs) == 1)
                step("batch.begun")
                _run_all(batch, jobs)
                step("batch.run")
                head = batch.flush()
                step("batch.flushed")
        except _LoneUnitError:
            self._undone()
            return False
        except BaseException:
            self._undone()
            raise
        step("batch.committed")
        self._guard.check()
        self._own_events.clear()
        self._head = head
        return batch.wants_checkpoint

    def checkpoint(self) -> Checkpoint:
        """Sign the log as it is committed, and anchor it; nothing new is signed for the same size."""
        latest = self.checkpoint_latest
        if latest is not None and latest.size == self._head.size:
            return latest
        frontier = Frontier.from_bytes(self._head.size, self._head.frontier)
        checkpoint = sign_checkpoint(self._parts.keys.signer, frontier.size, frontier.root())
        self._parts.on_step("checkpoint.signed")
        self._anchor(checkpoint)
        self._parts.on_step("checkpoint.anchored")
        self._be_patient(patient=True)
        with self._transaction(), self._changes.of_the_record():
            store_checkpoints(self._connection, [checkpoint])
        self._parts.on_step("checkpoint.stored")
        self.checkpoint_latest = checkpoint
        return checkpoint

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _undone(self) -> None:
        """All of the transaction is undone: what was read in it, and what the record was to say of itself."""
        self._changes.rolled_back()
        self._keyring.forget()
        self._clock_is_behind = False

    def _transaction(self) -> AbstractContextManager[object]:
        try:
            return transaction(self._connection)
        except Exception:
            if not is_lost(self._connection):
                raise
            self._connect_again()
            return transaction(self._connection)

    def _connect_again(self) -> None:
        """The server has gone and nothing has begun: what it holds now is checked as at every transaction."""
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()
        self._connection = open_writer(self._parts.engine, patient=self._patient)
        self._changes = Changes(self._connection)

    def _be_patient(self, *, patient: bool) -> None:
        if patient is not self._patient:
            be_patient(self._connection, patient=patient)
            self._patient = patient

    def _open(self) -> Head:
        verifier = self._parts.keys.signer.verifier
        with self._transaction():
            head = read_head(self._connection, self._statements)
            opened = missing_checkpoints(self._connection, head, self._parts.anchor, verifier)
            self.checkpoint_latest = opened.latest
            store_checkpoints(self._connection, opened.missing)
            self._keyring.open_newest(self._connection)
            if head is None:
                head = Head(verifier.name, 0, b"", "")
                self._connection.execute(insert(LogHeadRow), _head_row(head))
        if head.size == 0:
            data: dict[str, JsonValue] = {"origin": verifier.name, "verifier": str(verifier)}
            self._own_events.append((EventKind.LOG_OPENED, data))
        self._pin()
        return head

    def _pin(self) -> None:
        try:
            self._parts.anchor.pin(self._parts.keys.signer.verifier)
        except OSError as error:
            self._lose_anchor(error)

    def _begin(self, *, alone: bool) -> Batch:
        ours = self._changes.begin()
        head = self._head if ours else read_head(self._connection, self._statements)
        if head is None or head.size < self._head.size or head.origin != self._head.origin:
            raise LedgerIntegrityError(
                f"the log's head says {head} where {self._head.size} entries were committed; "
                "stop here and run `handrail audit verify`"
            )
        now = self._parts.clock()
        batch = Batch(
            self._connection,
            head,
            statements=self._statements,
            changes=self._changes,
            now=now,
            random=self._parts.random,
            alone=alone,
        )
        self._note_clock(batch, head, now)
        for kind, data in self._own_events:
            batch.append(Event(kind=kind, at=now, actor=_ACTOR, data=data))
        self._give_data_key(batch)
        return batch

    def _note_clock(self, batch: Batch, head: Head, now: datetime) -> None:
        behind = now + CLOCK_TOLERANCE < batch.now
        if behind and not self._clock_is_behind:
            note_step(self._connection, batch, clock=batch.latest, high_water=head.high_water, now=now)
        self._clock_is_behind = behind

    def _give_data_key(self, batch: Batch) -> None:
        month = batch.latest[:_MONTH]
        batch.data_key = self._keyring.find(self._connection, month)
        if batch.data_key is None:
            data = self._keyring.create(self._connection, month, self._parts.random)
            batch.append(Event(kind=EventKind.KEY_CREATED, at=batch.now, actor=_ACTOR, data=data))
            batch.data_key = self._keyring.find(self._connection, month)

    def _anchor(self, checkpoint: Checkpoint) -> None:
        try:
            self._parts.anchor.append(checkpoint.note)
        except OSError as error:
            self._lose_anchor(error)
        else:
            self._anchor_fault = None

    def _lose_anchor(self, error: OSError) -> None:
        if self._anchor_fault is None:
            self._own_events.append((EventKind.ANCHOR_LOST, {"reason": str(error)}))
        self._anchor_fault = f"a checkpoint could not be written: {error}"


def _run_all(batch: Batch, jobs: Sequence[Job]) -> None:
    for job in jobs:
        _run(batch, job)
    if len(jobs) == 1 and jobs[0].error is not None:
        raise _LoneUnitError


def _run(batch: Batch, job: Job) -> None:
    try:
        job.result = batch.run(job.unit)
    except BatchLostError:
        raise
    except Exception as error:  # noqa: BLE001 whatever a unit raises goes to whoever submitted it
        job.error = error


def _head_row(head: Head) -> dict[str, object]:
    return {
        "id": HEAD_ID,
        "origin": head.origin,
        "size": head.size,
        "frontier": head.frontier,
        "high_water": head.high_water,
    }
