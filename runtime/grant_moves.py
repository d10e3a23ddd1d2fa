"""Grants that move: renewed by a closed review, restored when a deployment is returned to.

Nothing else moves an end. What was taken away for cause does not come back by a restore.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.demotion import DemotionCause
from runtime.grant_chain import Renewal, carried_until, off_renewal, off_restore, renewals_in
from runtime.grant_rules import Order
from runtime.grants import Issued, was_issued, write
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, recheck, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, load_statements
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.grants import GrantCauseRow, GrantRow
from runtime.tables.log import REVOCATION, LogEntryRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CAUSE = GrantCauseRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class _Stored:
    """A grant as it stands in the database, with every word of it that still holds."""

    order: Order
    revoked: bool
    causes: tuple[Verified, ...]


def renew(
    tx: Tx, words: Sequence[Verified], *, roster: Roster, now: datetime
) -> tuple[Renewal, ...] | Refused:
    """Move the ends of the grants that a review renews: all that it lists, or none.

    Args:
        tx: the unit that closes the review.
        words: the REVIEW statements that close it, verified and used up by the caller in this unit or an
            earlier one. Several must list the same renewals.
        roster: who counts now.
        now: the present moment.
    """
    listed = {renewals_in(said.statement) for said in words}
    if len(listed) != 1 or len({said.statement.subject for said in words}) != 1:
        return Refused(RefusalCode.OTHER_MATTER, "the reviews do not renew the same grants")
    renewals = next(iter(listed))
    if len({renewal.grant for renewal in renewals}) != len(renewals):
        return Refused(RefusalCode.OTHER_MATTER, "the review renews one grant twice")
    kept = load_statements(tx.conn, [said.id for said in words])
    if any(said.id not in kept for said in words):
        return Refused(RefusalCode.MISSING, "the review's words are not stored: use them up first")
    for renewal in renewals:
        if refused := _cannot_renew(tx.conn, renewal, words, roster, now):
            return refused
    for renewal in renewals:
        _write_renewal(tx, renewal, words)
    return renewals


def restore(
    tx: Tx, order: Order, signed: SignedStatement, *, roster: Roster, now: datetime
) -> Issued | Refused:
    """Give back an earlier grant of a deployment that is returned to, on one rollout manager's word.

    Args:
        tx: the unit that returns to the deployment.
        order: the new grant; `restores` names the earlier one, which was itself issued and not restored.
        signed: the manager's ROLLBACK over `order.matter(StatementType.ROLLBACK, reason=...)`.
        roster: who counts now.
        now: the present moment.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    if refused := off_restore(said, order, roster) or was_issued(tx.conn, order):
        return refused
    earlier = _stored(tx.conn, order.restores or "", roster)
    if earlier is None:
        return Refused(RefusalCode.OTHER_MATTER, f"there is no grant `{order.restores}` to restore")
    if refused := _gone(tx.conn, earlier.order, roster, now):
        return refused
    causes = (*earlier.causes, said)
    end = carried_until(order, causes, roster)
    if isinstance(end, Refused) or end != order.valid_until:
        late = Refused(RefusalCode.NOT_PERMITTED, "it would last longer than the grant that it restores")
        return end if isinstance(end, Refused) else late
    return consume(tx, said) or write(tx, order, causes, now=now)


def restorable(conn: Connection, deployment: str, *, roster: Roster, now: datetime) -> tuple[Order, ...]:
    """Return the grants of a deployment that could be restored now; each ends where its signed words end."""
    query = select(_GRANT.c.id).where(_GRANT.c.deployment == deployment, _GRANT.c.restores.is_(None))
    found = [_stored(conn, row.id, roster) for row in conn.execute(query.order_by(_GRANT.c.id))]
    return tuple(
        one.order
        for one in found
        if one is not None
        and one.order.effect is not Effect.READ
        and now < one.order.valid_until == carried_until(one.order, one.causes, roster)
        and _gone(conn, one.order, roster, now) is None
    )


def _cannot_renew(
    conn: Connection, renewal: Renewal, words: Sequence[Verified], roster: Roster, now: datetime
) -> Refused | None:
    stored = _stored(conn, renewal.grant, roster)
    if stored is None or stored.revoked or _was_revoked(conn, stored.order):
        return Refused(RefusalCode.OTHER_MATTER, f"there is no standing grant `{renewal.grant}` to renew")
    order = stored.order
    end = carried_until(order, stored.causes, roster)
    if isinstance(end, Refused):
        return end
    if not end == order.valid_until == renewal.begin:
        return Refused(RefusalCode.OTHER_MATTER, f"grant {order.id} ends at {end}, not at {renewal.begin}")
    if order.effect is not Effect.READ and now >= end:
        return Refused(RefusalCode.EXPIRED, f"grant {order.id} ended at {end}: it takes a new promotion")
    return off_renewal(renewal, order, words, roster)


def _write_renewal(tx: Tx, renewal: Renewal, words: Sequence[Verified]) -> None:
    of_it = _GRANT.c.id == renewal.grant
    deployment = tx.conn.execute(select(_GRANT.c.deployment).where(of_it)).scalar_one()
    tx.conn.execute(update(GrantRow).where(of_it).values(valid_until=renewal.until))
    statements = [said.id for said in words]
    tx.conn.execute(insert(GrantCauseRow), [{"grant": renewal.grant, "statement": id_} for id_ in statements])
    data: dict[str, JsonValue] = {**renewal.as_json(), "statements": statements}
    tx.append(
        Event(
            kind=EventKind.GRANT_RENEWED,
            at=tx.now,
            actor=words[-1].person,
            deployment=deployment,
            subject=renewal.grant,
            data=data,
        )
    )


def _gone(conn: Connection, earlier: Order, roster: Roster, now: datetime) -> Refused | None:
    """Return why a grant cannot come back: it never left, it left too long ago, or power left for cause."""
    ended = _revocations(conn, earlier)
    window = timedelta(days=roster.policy.evidence.rollback_days)
    if not any(leaf.subject == earlier.id and now - leaf.at < window for leaf in ended):
        detail = f"grant {earlier.id} did not end within the last {window.days} days by another deployment"
        return Refused(RefusalCode.EXPIRED, detail)
    causes = {str(leaf.data.get("cause")) for leaf in ended} | _row_causes(conn, earlier.deployment)
    if causes != {DemotionCause.SUPERSEDED.value}:
        others = ", ".join(sorted(causes - {DemotionCause.SUPERSEDED.value}))
        return Refused(
            RefusalCode.NOT_PERMITTED, f"power of this deployment was taken away for cause: {others}"
        )
    return None


def _revocations(conn: Connection, order: Order) -> list[Leaf]:
    """Return what the record says of revoked grants of the same deployment."""
    query = select(_LOG.c.leaf).where(_LOG.c.kind == REVOCATION, _LOG.c.deployment == order.deployment)
    return [decode_leaf(row.leaf) for row in conn.execute(query.order_by(_LOG.c.seq))]


def _was_revoked(conn: Connection, order: Order) -> bool:
    return any(leaf.subject == order.id for leaf in _revocations(conn, order))


def _row_causes(conn: Connection, deployment: str) -> set[str]:
    """Return the causes of revocations that are only in rows, such as those of this very transaction."""
    query = select(_GRANT.c.revoke_cause).where(
        _GRANT.c.deployment == deployment, _GRANT.c.revoked_at.is_not(None)
    )
    return {str(row.revoke_cause) for row in conn.execute(query)}


def _stored(conn: Connection, grant: str, roster: Roster) -> _Stored | None:
    row = conn.execute(select(_GRANT).where(_GRANT.c.id == grant)).mappings().one_or_none()
    if row is None or row["effect"] not in tuple(Effect):
        return None
    ids = conn.execute(select(_CAUSE.c.statement).where(_CAUSE.c.grant == grant)).scalars()
    heard = [recheck(signed, roster) for signed in load_statements(conn, ids).values()]
    order = Order(
        row["id"],
        row["deployment"],
        Effect(row["effect"]),
        row["valid_from"],
        row["valid_until"],
        row["requester"],
        row["owner"],
        row["basis"],
        row["restores"],
    )
    causes = tuple(said for said in heard if isinstance(said, Verified))
    return _Stored(order, row["revoked_at"] is not None, causes)
