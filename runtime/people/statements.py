"""Keeping what persons said: each statement is stored once, with its exact bytes, and used once.

What is read back is only bytes. Whether they count is decided again by `roster.recheck` at each use.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select

from runtime.people.roster import RefusalCode, Refused, Verified
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.people import StatementRow

_TABLE = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_USED = select(_TABLE.c.id)


def was_used(conn: Connection, said: Verified) -> Refused | None:
    """Return a refusal if this statement, or another with its nonce, was used before; None if not."""
    nonce = said.statement.nonce
    if conn.execute(_USED.where((_TABLE.c.nonce == nonce) | (_TABLE.c.id == said.id))).first():
        return Refused(RefusalCode.USED, f"statement {said.id[:16]} was used before: sign a new one")
    return None


def consume(tx: Tx, said: Verified) -> Refused | None:
    """Use up a statement that was just verified: store it and record it, or say that it was used before.

    Call it in the transaction that acts on the statement, so that one does not happen without the other.
    """
    if refused := was_used(tx.conn, said):
        return refused
    tx.conn.execute(insert(StatementRow).values(_row(tx, said)))
    tx.append(_event(tx, said))
    return None


def load_statements(conn: Connection, ids: Iterable[str]) -> Mapping[str, SignedStatement]:
    """Return the stored statements with these ids; one whose bytes are not those of its id is left out."""
    rows = conn.execute(
        select(_TABLE.c.id, _TABLE.c.body, _TABLE.c.signature).where(_TABLE.c.id.in_(sorted(set(ids))))
    )
    found = {row.id: SignedStatement(row.body, row.signature) for row in rows}
    return {id_: signed for id_, signed in found.items() if signed.id == id_}


def statements_on(conn: Connection, subject: str) -> tuple[SignedStatement, ...]:
    """Return everything that was said about a subject, oldest first."""
    rows = conn.execute(
        select(_TABLE.c.body, _TABLE.c.signature)
        .where(_TABLE.c.subject == subject)
        .order_by(_TABLE.c.made_at, _TABLE.c.id)
    )
    return tuple(SignedStatement(row.body, row.signature) for row in rows)


def read_ids(text: str) -> tuple[str, ...]:
    """Return the ids in a column that holds a JSON list of them; anything else holds none."""
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(id_ for id_ in found if isinstance(id_, str)) if isinstance(found, list) else ()


def _row(tx: Tx, said: Verified) -> dict[str, object]:
    return {
        "id": said.id,
        "nonce": said.statement.nonce,
        "type": said.statement.type.value,
        "person": said.person,
        "subject": said.statement.subject,
        "body": said.signed.body,
        "signature": said.signed.signature,
        "made_at": tx.now,
    }


def _event(tx: Tx, said: Verified) -> Event:
    statement = said.statement
    return Event(
        kind=EventKind.STATEMENT_MADE,
        at=tx.now,
        actor=said.person,
        subject=statement.subject,
        data={
            "id": said.id,
            "type": statement.type.value,
            "key": said.fingerprint,
            "signature": hashlib.sha256(said.signed.signature.encode()).hexdigest(),
        },
        payload={"statement": said.signed.body.decode(), "signature": said.signed.signature},
    )
