"""Reading the record back: traces, open actions, exports, purges."""

import json
import threading
from typing import Any

import pytest
from sqlalchemy import text

from runtime.errors import LedgerError, LedgerIntegrityError, PayloadError
from runtime.record.checkpoint import open_checkpoint
from runtime.record.events import EventKind
from runtime.record.export import export_log
from runtime.record.findings import FindingKind
from runtime.record.keyring import KeyRing
from runtime.record.keys import load_keys
from runtime.record.ledger import Limits
from runtime.record.merkle import Frontier, leaf_hash
from runtime.record.note import NoteSigner
from runtime.record.purge import purge_payloads
from runtime.record.reconcile import OpenCause, open_actions
from runtime.record.trace import PayloadState, trace_run
from runtime.record.verify import verify_state


def keyring(record: Any) -> KeyRing:
    return KeyRing(load_keys(record.settings.keys_dir).wrapper)


def append(ledger: Any, event: Any) -> int:
    return ledger.write_sync(lambda tx: tx.append(event))


def test_a_trace_tells_one_run_in_order(record: Any) -> None:
    """R-65."""
    ledger = record.open()
    for number in range(12):
        append(ledger, record.event(number, run=f"run-{number % 3}"))

    with ledger.read() as connection:
        entries = list(trace_run(connection, keyring(record), "run-1"))

    assert [entry.leaf.data["number"] for entry in entries] == [1, 4, 7, 10]
    assert entries[0].payload == {"text": "a secret number 1"}


def test_an_entry_that_is_not_there_is_an_error(record: Any) -> None:
    with pytest.raises(LedgerIntegrityError, match="no entry 99"):
        record.open().entry(99)


def test_a_payload_moved_to_another_entry_does_not_open(record: Any) -> None:
    ledger = record.open()
    record.fill(ledger, 2)
    ledger.write_sync(
        lambda tx: tx.conn.execute(
            text(
                "UPDATE log_payload SET sealed = (SELECT sealed FROM log_payload WHERE seq = 2) WHERE seq = 3"
            )
        )
    )

    with pytest.raises(PayloadError, match="entry 3"):
        ledger.entry(3)


def action(record: Any, kind: EventKind, name: str, status: str | None = None) -> Any:
    data = {} if status is None else {"status": status}
    return record.event(kind=kind, subject=name, data=data)


def test_actions_without_a_known_end_are_listed(record: Any) -> None:
    """R-10."""
    ledger = record.open()
    intent, outcome, settled = EventKind.ACTION_INTENT, EventKind.ACTION_OUTCOME, EventKind.ACTION_RECONCILED
    for event in (
        action(record, intent, "done"),
        action(record, intent, "lost"),
        action(record, intent, "failed"),
        action(record, outcome, "done", "done"),
        action(record, intent, "unknown"),
        action(record, intent, "found out"),
        action(record, outcome, "failed", "failed"),
        action(record, outcome, "unknown", "unknown"),
        action(record, outcome, "found out", "unknown"),
        action(record, intent, "silent"),
        action(record, outcome, "silent"),
        action(record, settled, "found out", "done"),
    ):
        append(ledger, event)

    with ledger.read() as connection:
        found = {item.intent.subject: item.cause for item in open_actions(connection)}

    assert found == {
        "lost": OpenCause.NO_OUTCOME,
        "unknown": OpenCause.UNKNOWN_OUTCOME,
        "silent": OpenCause.UNKNOWN_OUTCOME,
    }


def root_of(lines: list[str]) -> bytes:
    frontier = Frontier()
    for line in lines:
        frontier.append(leaf_hash(json.loads(line)["leaf"].encode()))
    return frontier.root()


def test_an_export_is_proof_enough_by_itself(record: Any) -> None:
    ledger = record.open()
    record.fill(ledger, 10)
    ledger.checkpoint()
    record.fill(ledger, 3)

    with ledger.read() as connection:
        first, *lines = list(export_log(connection))

    checkpoint = open_checkpoint(
        load_keys(record.settings.keys_dir).signer.verifier, json.loads(first)["checkpoint"]
    )
    assert checkpoint.size == len(lines) == 12
    assert root_of(lines) == checkpoint.root
    assert "secret" not in "".join(lines)


def test_an_export_can_hold_the_payloads(record: Any) -> None:
    ledger = record.open()
    record.fill(ledger, 2)
    ledger.checkpoint()

    with ledger.read() as connection:
        _first, *lines = list(export_log(connection, payloads=keyring(record)))

    assert [json.loads(line)["payload"] for line in lines] == [
        None,
        None,
        {"text": "a secret number 0"},
        {"text": "a secret number 1"},
    ]


def test_a_purge_takes_the_text_and_leaves_every_proof(record: Any) -> None:
    ledger = record.open()
    record.fill(ledger, 5)

    deleted = ledger.write_sync(
        lambda tx: purge_payloads(tx, first=3, last=4, actor="alice", reason="asked", now=record.clock())
    )

    assert deleted == 2
    assert [ledger.entry(seq).payload_state for seq in (0, 2, 3, 4, 5)] == [
        PayloadState.NONE,
        PayloadState.PRESENT,
        PayloadState.PURGED,
        PayloadState.PURGED,
        PayloadState.PRESENT,
    ]
    ledger.close()
    report = verify_state(record.settings)
    assert (report.findings, report.purged_payloads, report.exit_code) == ((), 2, 0)


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (4, 3), (0, 7), (0, 10**9)])
def test_a_purge_cannot_cover_what_is_yet_to_come(record: Any, first: int, last: int) -> None:
    """Else one purge entry would excuse every later deletion."""
    ledger = record.open()
    record.fill(ledger, 5)

    with pytest.raises(LedgerError, match="cannot purge"):
        ledger.write_sync(
            lambda tx: purge_payloads(
                tx, first=first, last=last, actor="alice", reason="asked", now=record.clock()
            )
        )


def test_verifying_while_the_log_is_written_raises_no_alarm(record: Any) -> None:
    ledger = record.open(limits=Limits(checkpoint_entries=5))
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            record.fill(ledger, 3)

    writer = threading.Thread(target=write)
    writer.start()
    reports = [verify_state(record.settings) for _ in range(8)]
    done.set()
    writer.join()

    assert [report.findings for report in reports] == [()] * 8
    assert reports[0].entries < reports[-1].entries


def test_progress_is_told(record: Any) -> None:
    ledger = record.open()
    ledger.write_sync(lambda tx: [tx.append(record.event(number)) for number in range(1200)])
    told: list[tuple[int, int]] = []

    verify_state(record.settings, progress=lambda done, total: told.append((done, total)))

    assert told == [(500, 1202), (1000, 1202), (1202, 1202)]


def test_a_key_given_from_elsewhere_is_the_one_that_counts(record: Any) -> None:
    record.fill(record.open(), 1)
    ours = load_keys(record.settings.keys_dir).signer.verifier
    other = NoteSigner(ours.name, b"o" * 32).verifier

    assert verify_state(record.settings, key=ours).findings == ()
    kinds = {item.kind for item in verify_state(record.settings, key=other).findings}

    assert kinds == {FindingKind.KEY_REPLACED, FindingKind.CHECKPOINT_FORGED}
