"""The ledger: units alone and together, time, checkpoints, bounds."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from runtime.errors import (
    CanonicalError,
    KeyFileError,
    LedgerBusyError,
    LedgerIntegrityError,
    LedgerUnavailableError,
)
from runtime.record.events import EventKind
from runtime.record.keys import create_keys
from runtime.record.ledger import Ledger, Limits
from runtime.record.setup import open_ledger
from runtime.record.trace import tail
from runtime.record.verify import verify_state
from runtime.tables.actions import SeenRow
from runtime.tables.agents import AgentRow

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class RefusedError(Exception):
    """What a unit of these tests raises."""


def note_seen(tx: Any, key: str) -> None:
    tx.conn.execute(insert(SeenRow), {"deployment": "d", "key": key, "first_action": "a"})


def seen(ledger: Ledger) -> list[str]:
    with ledger.read() as connection:
        return list(connection.execute(select(SeenRow.key).order_by(SeenRow.key)).scalars())


def kinds(ledger: Ledger) -> list[EventKind]:
    with ledger.read() as connection:
        return [entry.leaf.kind for entry in tail(connection, ledger.keyring, after=-1)]


def test_a_new_log_begins_with_its_name_and_key(record: Any) -> None:
    ledger = record.open()

    opened = ledger.entry(0).leaf

    assert opened.kind is EventKind.LOG_OPENED
    assert str(opened.data["verifier"]).startswith(str(opened.data["origin"]))
    assert kinds(ledger) == [EventKind.LOG_OPENED, EventKind.KEY_CREATED]


def test_an_entry_comes_back_as_it_was_told(record: Any) -> None:
    ledger = record.open()
    event = record.event(7, payload={"args": {"amount": 2**63, "note": "#int:1"}, "unicode": "\u2028\x00"})

    seq = ledger.write_sync(lambda tx: tx.append(event))

    entry = ledger.entry(seq)
    assert (entry.leaf.seq, entry.leaf.subject, entry.leaf.data) == (seq, event.subject, event.data)
    assert entry.payload == event.payload


def test_rows_and_entries_of_a_unit_are_committed_together(record: Any) -> None:
    ledger = record.open()

    def unit(tx: Any) -> int:
        note_seen(tx, "one")
        return tx.append(record.event())

    seq = ledger.write_sync(unit)

    assert seen(ledger) == ["one"]
    assert ledger.entry(seq).leaf.kind is EventKind.SESSION_NOTED


def hold_writer(ledger: Ledger) -> tuple[threading.Event, "Future[None]"]:
    """Keep the writer busy until the event is set, so that what comes next lands in one batch."""
    go, begun = threading.Event(), threading.Event()

    def unit(_tx: Any) -> None:
        begun.set()
        go.wait(10)

    future = ledger.submit(unit)
    begun.wait(10)
    return go, future


def test_a_failing_unit_fails_alone(record: Any) -> None:
    ledger = record.open()

    def failing(tx: Any) -> None:
        tx.append(record.event(99))
        note_seen(tx, "failing")
        raise RefusedError

    def working(name: str) -> Callable[[Any], int]:
        def unit(tx: Any) -> int:
            note_seen(tx, name)
            return tx.append(record.event())

        return unit

    go, _held = hold_writer(ledger)
    first, failed, second = [ledger.submit(unit) for unit in (working("a"), failing, working("b"))]
    go.set()

    assert second.result(10) == first.result(10) + 1
    with pytest.raises(RefusedError):
        failed.result(10)
    assert seen(ledger) == ["a", "b"]
    assert 99 not in [entry.leaf.data.get("number") for entry in entries(ledger)]


def test_what_the_record_has_to_say_outlives_a_lone_unit_that_fails(record: Any) -> None:
    """R-10: alone it has no savepoint, so all of its transaction is undone; the next says it again."""
    ledger = record.open()
    record.clock.now += timedelta(days=40)  # a month without a data key yet
    ledger.write_sync(lambda _tx: None)
    record.clock.now += timedelta(days=40)

    def failing(tx: Any) -> None:
        tx.append(record.event(99))
        note_seen(tx, "failing")
        raise RefusedError

    for step in (timedelta(0), timedelta(hours=-2)):
        record.clock.now += step
        before = len(entries(ledger))
        for _ in range(2):
            with pytest.raises(RefusedError):
                ledger.write_sync(failing)
        assert len(entries(ledger)) == before
        seq = ledger.write_sync(lambda tx: tx.append(record.event(7)))
        said = EventKind.CLOCK_ANOMALY if step else EventKind.KEY_CREATED
        told = [entry.leaf.kind for entry in entries(ledger)][before:]
        assert (told[0], told[-1], told.count(said)) == (said, EventKind.SESSION_NOTED, 1)
        assert ledger.entry(seq).payload is not None
    assert seen(ledger) == []


def entries(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(tail(connection, ledger.keyring, after=-1))


def test_a_unit_that_breaks_a_constraint_fails_alone(record: Any) -> None:
    ledger = record.open()
    ledger.write_sync(lambda tx: note_seen(tx, "a"))

    with pytest.raises(Exception, match="UNIQUE"):
        ledger.write_sync(lambda tx: note_seen(tx, "a"))

    ledger.write_sync(lambda tx: note_seen(tx, "b"))
    assert seen(ledger) == ["a", "b"]


def test_a_quick_insert_stores_what_a_core_insert_stores(record: Any) -> None:
    ledger = record.open()
    row = {
        "name": "finance",
        "owner": "alice",
        "traits": "[]",
        "risk": "high",
        "registered_at": NOON,
    }
    ledger.write_sync(lambda tx: tx.insert(AgentRow, row))
    ledger.write_sync(lambda tx: tx.conn.execute(insert(AgentRow), row | {"name": "other"}))

    with ledger.read() as connection:
        quick, core = connection.execute(select(AgentRow).order_by(AgentRow.name)).all()
    assert dict(quick._mapping, name="other") == dict(core._mapping)
    with pytest.raises(Exception, match="UNIQUE"):
        ledger.write_sync(lambda tx: tx.insert(AgentRow, row))


def test_an_event_without_a_canonical_form_is_refused(record: Any) -> None:
    ledger = record.open()

    for bad in ({"payload": {"text": "\ud800"}}, {"data": {"x": float("nan")}}, {"subject": "\ud800"}):
        event = record.event(**bad)
        with pytest.raises(CanonicalError):
            ledger.write_sync(lambda tx, event=event: tx.append(event))

    assert len(entries(ledger)) == 2


def test_many_clients_of_one_loop_are_all_answered_in_order(record: Any) -> None:
    ledger = record.open()

    async def client(number: int) -> list[int]:
        return [await ledger.write(lambda tx: tx.append(record.event(number))) for _ in range(20)]

    async def main() -> list[list[int]]:
        return await asyncio.gather(*[client(number) for number in range(16)])

    answers = asyncio.run(main())

    assert sorted(seq for answer in answers for seq in answer) == list(range(2, 322))
    assert all(answer == sorted(answer) for answer in answers)


def test_a_units_own_timeout_error_is_not_taken_for_ours(record: Any) -> None:
    ledger = record.open()

    def unit(_tx: Any) -> None:
        raise TimeoutError("the unit's own")

    with pytest.raises(TimeoutError, match="own"):
        ledger.write_sync(unit)
    with pytest.raises(TimeoutError, match="own"):
        asyncio.run(ledger.write(unit))


def test_waiting_is_bounded_and_what_was_dropped_never_runs(record: Any) -> None:
    """F-23: a record that does not answer denies; it does not hang."""
    ledger = record.open(limits=Limits(wait_seconds=0.2))
    go, held = hold_writer(ledger)

    with pytest.raises(LedgerUnavailableError, match="dropped") as waited:
        ledger.write_sync(lambda tx: note_seen(tx, "late"))
    with pytest.raises(LedgerUnavailableError, match="dropped"):
        asyncio.run(ledger.write(lambda tx: note_seen(tx, "later")))
    go.set()
    held.result(10)

    ledger.write_sync(lambda tx: note_seen(tx, "next"))
    assert seen(ledger) == ["next"]
    assert not waited.value.may_be_written


def test_a_cancelled_request_that_had_not_begun_never_runs(record: Any) -> None:
    ledger = record.open()
    go, held = hold_writer(ledger)

    async def main() -> None:
        task = asyncio.create_task(ledger.write(lambda tx: note_seen(tx, "cancelled")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    go.set()
    held.result(10)

    ledger.write_sync(lambda tx: note_seen(tx, "next"))
    assert seen(ledger) == ["next"]


def test_the_queue_is_bounded(record: Any) -> None:
    ledger = record.open(limits=Limits(queued_units=3))
    go, held = hold_writer(ledger)

    futures = [ledger.submit(lambda _tx: None) for _ in range(4)]
    go.set()

    held.result(10)
    assert [future.exception(10) for future in futures[:3]] == [None] * 3
    assert isinstance(futures[3].exception(10), LedgerUnavailableError)


def test_a_unit_that_waits_for_a_unit_is_refused(record: Any) -> None:
    ledger = record.open()

    with pytest.raises(LedgerUnavailableError, match="itself"):
        ledger.write_sync(lambda _tx: ledger.write_sync(lambda _inner: None))


def test_the_log_never_goes_backwards_in_time(record: Any) -> None:
    """A clock stepping back is recorded once, and entries keep the last moment until it has caught up."""
    ledger = record.open()
    before = ledger.write_sync(lambda tx: tx.append(record.event()))
    record.clock.now -= timedelta(hours=2)

    first = ledger.write_sync(lambda tx: tx.append(record.event()))
    second = ledger.write_sync(lambda tx: tx.append(record.event()))

    at = ledger.entry(before).leaf.at
    anomalies = [entry.leaf for entry in entries(ledger) if entry.leaf.kind is EventKind.CLOCK_ANOMALY]
    assert [leaf.seq for leaf in anomalies] == [before + 1]
    assert ledger.entry(first).leaf.at == ledger.entry(second).leaf.at == at


def test_an_event_from_the_future_does_not_move_the_clock(record: Any) -> None:
    ledger = record.open()

    seq = ledger.write_sync(lambda tx: tx.append(record.event(at=record.clock.now + timedelta(days=400))))

    assert ledger.entry(seq).leaf.at <= record.clock.now


def test_a_second_writer_is_refused_until_the_first_closes(record: Any) -> None:
    """Two `serve` on one state directory."""
    first = record.open()

    with pytest.raises(LedgerBusyError, match="locked by process"):
        record.open()

    first.close()
    record.open().write_sync(lambda tx: tx.append(record.event()))


def test_a_copy_of_a_record_is_not_written_to_beside_it(record: Any, tmp_path: Path) -> None:
    """Both would be anchored in one place, and neither could be believed afterwards."""
    record.open().close()
    copy = record.settings.model_copy(update={"state_dir": tmp_path / "copy"})
    copytree(record.settings.state_dir, copy.state_dir)
    first = open_ledger(record.settings)

    with pytest.raises(LedgerBusyError, match="HANDRAIL_ANCHOR_DIR"):
        open_ledger(copy)

    first.close()
    open_ledger(copy).close()


def test_reading_cannot_write_and_sees_one_moment(record: Any) -> None:
    ledger = record.open()

    with ledger.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM log_entry")).scalar()
        record.fill(ledger, 3)
        assert connection.execute(text("SELECT count(*) FROM log_entry")).scalar() == before
        with pytest.raises(Exception, match="readonly"):
            connection.execute(text("DELETE FROM log_entry"))


def anchored_sizes(record: Any) -> list[int]:
    lines = record.anchored.read_text().splitlines()
    return [int(line.split("\\n")[1]) for line in lines]


def test_checkpoints_come_at_256_entries_on_demand_and_at_the_end(record: Any) -> None:
    ledger = record.open()
    record.fill(ledger, 300)
    assert anchored_sizes(record) == [2, 258]

    assert ledger.checkpoint().size == 302
    assert ledger.checkpoint().size == 302
    assert anchored_sizes(record) == [2, 258, 302]

    record.fill(ledger, 1)
    ledger.close()
    assert anchored_sizes(record) == [2, 258, 302, 303]


@pytest.mark.parametrize("kind", [EventKind.APPROVAL_GIVEN, EventKind.POLICY_CHANGED, EventKind.FREEZE_SET])
def test_weighty_events_are_anchored_before_their_writer_hears_of_them(record: Any, kind: EventKind) -> None:
    ledger = record.open()

    seq = ledger.write_sync(lambda tx: tx.append(record.event(kind=kind)))

    assert anchored_sizes(record)[-1] == seq + 1


def test_a_quiet_log_is_anchored_after_a_while(record: Any) -> None:
    ledger = record.open(limits=Limits(checkpoint_seconds=0.1))
    record.fill(ledger, 1)
    waited = threading.Event()

    for _ in range(100):
        if anchored_sizes(record)[-1] == 3:
            break
        waited.wait(0.1)

    assert anchored_sizes(record)[-1] == 3


def test_a_lost_anchor_is_said_recorded_and_recovers(record: Any) -> None:
    ledger = record.open()
    aside = record.settings.anchor_dir.with_name("aside")
    record.settings.anchor_dir.rename(aside)
    record.fill(ledger, 1)

    ledger.checkpoint()
    assert "UNANCHORED" in str(ledger.anchor_state())
    aside.rename(record.settings.anchor_dir)
    record.fill(ledger, 1)
    ledger.checkpoint()

    assert ledger.anchor_state().anchored
    assert kinds(ledger).count(EventKind.ANCHOR_LOST) == 1
    assert verify_state(record.settings).exit_code == 0


def test_a_closed_ledger_denies(record: Any) -> None:
    ledger = record.open()
    ledger.close()
    ledger.close()

    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.write_sync(lambda _tx: None)
    with pytest.raises(LedgerUnavailableError, match="closed"):
        asyncio.run(ledger.write(lambda _tx: None))


def test_what_was_queued_before_close_is_committed(record: Any) -> None:
    ledger = record.open()
    futures = [ledger.submit(lambda tx: tx.append(record.event())) for _ in range(50)]

    ledger.close()

    assert [future.result(0) for future in futures] == list(range(2, 52))


def test_a_log_goes_on_after_a_restart(record: Any) -> None:
    record.fill(record.open(), 5)
    record.opened[-1].close()

    ledger = record.open()
    record.fill(ledger, 5)
    ledger.close()

    report = verify_state(record.settings)
    assert (report.exit_code, report.entries, report.findings) == (0, 12, ())


def test_the_keys_of_another_log_are_refused(record: Any, new_record: Any) -> None:
    record.fill(record.open(), 1)
    record.opened[-1].close()
    other = new_record("other")
    for name in ("wrap.key", "checkpoint.key"):
        (record.settings.keys_dir / name).write_text((other.settings.keys_dir / name).read_text())

    with pytest.raises(LedgerIntegrityError, match="restore the keys"):
        record.open()


def test_a_replaced_wrap_key_is_told_at_once(record: Any) -> None:
    record.fill(record.open(), 1)
    record.opened[-1].close()
    keys = record.settings.state_dir / "fresh"
    create_keys(keys, new_id=lambda prefix: prefix, random=lambda count: b"x" * count)
    (record.settings.keys_dir / "wrap.key").write_text((keys / "wrap.key").read_text())

    for _ in range(2):
        with pytest.raises(KeyFileError, match="not the key that wrapped"):
            record.open()


def test_a_ledger_that_cannot_begin_gives_its_lock_back(record: Any) -> None:
    with pytest.raises(LedgerUnavailableError, match="no randomness"):
        record.open(random=no_randomness)

    record.fill(record.open(), 1)


def no_randomness(_count: int) -> bytes:
    raise OSError("no randomness")


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(days=40)], ids=["this month", "a later month"])
def test_each_month_has_its_own_data_key(record: Any, offset: timedelta) -> None:
    ledger = record.open()
    first = ledger.write_sync(lambda tx: tx.append(record.event()))
    record.clock.now += offset

    second = ledger.write_sync(lambda tx: tx.append(record.event()))

    keys = {ledger.entry(seq).leaf.payload.key for seq in (first, second)}
    assert keys == ({"2026-11", "2026-12"} if offset else {"2026-11"})
    assert kinds(ledger).count(EventKind.KEY_CREATED) == len(keys)
    ledger.close()
    assert verify_state(record.settings).findings == ()
