"""Printing a packet: one for each review, put into the record, encrypted; again until the review is closed.

A packet is collected from one view of the database and written by one unit, so a crash leaves either none or
a whole one, and whoever prints next does the rest (F4). What people sign is the packet that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, update

from rollout.reviews.kinds import OWED
from rollout.reviews.packet.model import Head, Packet, read_packet
from rollout.reviews.rows import ReviewError, obligation_of, packet_row
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.moments import utc_text
from runtime.notices.outbox import NoticeKind, Route
from runtime.notices.outbox import put as tell
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.keyring import KeyRing
from runtime.record.trace import PayloadState, read_entry
from runtime.tables.reviews import PacketRow

_PACKET = PacketRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Shown:
    """A packet that was printed, read back from the record.

    Attributes:
        packet: as it was printed.
        seq: the entry that holds it.
    """

    packet: Packet
    seq: int


def put(tx: Tx, packet: Packet, *, again: bool) -> bool:
    """Write a packet; return whether this call did.

    Args:
        tx: the unit of work.
        packet: as it was collected.
        again: replace the one that stands; else it stays, if it was made when this one was needed.

    Raises:
        ReviewError: the review is closed, or is not owed any more.
    """
    head = packet.head
    owed = obligation_of(tx.conn, head.obligation)
    if owed.state not in OWED:
        raise ReviewError(f"review {head.obligation} is {owed.state}: its packet stays as it is")
    last = packet_row(tx.conn, head.obligation)
    if last is not None and not _replaces(packet, last, again=again):
        return False
    row = {"digest": packet.digest, "log_seq": tx.append(_event(packet)), "made_at": head.made_at}
    if last is None:
        tx.conn.execute(insert(PacketRow).values(obligation=head.obligation, **row))
        _tell(tx, head)
    else:
        tx.conn.execute(update(PacketRow).where(_PACKET.c.obligation == head.obligation).values(row))
    return True


def read(conn: Connection, keyring: KeyRing, obligation: str) -> Shown | None:
    """Return the packet that stands; None: none was printed yet.

    Raises:
        ReviewError: there is no such review, or its packet is not the one that was recorded.
    """
    obligation_of(conn, obligation)
    row = packet_row(conn, obligation)
    if row is None:
        return None
    entry = read_entry(conn, keyring, row.log_seq)
    if entry.payload_state is PayloadState.PURGED:
        raise ReviewError(f"review {obligation}: its packet was purged")
    value, leaf = (entry.payload or {}).get("packet"), entry.leaf
    about = (leaf.kind, leaf.subject, leaf.data.get("packet"))
    if not isinstance(value, Mapping) or about != (EventKind.REVIEW_PRINTED, obligation, row.digest):
        raise ReviewError(f"review {obligation}: its packet is gone; run `handrail audit verify`")
    if digest_of(value) != row.digest:
        raise ReviewError(f"review {obligation}: its packet was changed; run `handrail audit verify`")
    return Shown(read_packet(value), row.log_seq)


def _tell(tx: Tx, head: Head) -> None:
    facts: dict[str, JsonValue] = {
        "agent": head.agent,
        "kind": head.kind.value,
        "due_at": utc_text(head.due_at),
    }
    tell(tx, NoticeKind.OBLIGATION, head.obligation, Route.OPERATORS, facts=facts, now=tx.now)


def _replaces(packet: Packet, last: PacketRow, *, again: bool) -> bool:
    """Whether a packet takes the place of the last one: asked for, or the last was cut off too early."""
    if packet.digest == last.digest or packet.head.made_at < last.made_at:
        return False
    return again or last.made_at < packet.head.due_at <= packet.head.made_at


def _event(packet: Packet) -> Event:
    head = packet.head
    return Event(
        kind=EventKind.REVIEW_PRINTED,
        at=head.made_at,
        actor="rollout",
        agent=head.agent,
        deployment=head.deployment,
        subject=head.obligation,
        data={
            "kind": head.kind.value,
            "packet": packet.digest,
            "patterns": len(packet.patterns),
            "made_at": utc_text(head.made_at),
        },
        payload={"packet": packet.as_json()},
    )
