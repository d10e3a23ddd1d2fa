"""After a restart: every intent without an outcome gets the outcome `unknown`; time goes on from the mark."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select

from runtime.gate.parts import GateParts
from runtime.gate.rows import settle_action
from runtime.gate.states import ActionState
from runtime.gate.world import HOUR, minute_key
from runtime.moments import utc_moment
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.actions import ActionRow, BudgetRow
from runtime.tables.agents import RunRow
from runtime.tables.log import LogHeadRow

_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_BUDGET = BudgetRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_HEAD = LogHeadRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


async def recover(parts: GateParts) -> datetime:
    """Close what an earlier process of this node left open; return the moment before which it cannot be now.

    Whether the effect of such an intent happened is for people or connectors to find out.

    Raises:
        runtime.errors.LedgerError: the record does not answer.
    """
    return await parts.ledger.write(lambda tx: _recover(tx, parts.node))


def _recover(tx: Tx, node: str) -> datetime:
    _drop_old_minutes(tx)
    for row in _open_intents(tx.conn, node):
        settle_action(tx.conn, row.id, ActionState.UNKNOWN, now=tx.now)
        tx.append(_unknown(row, tx.now))
    mark = tx.conn.execute(select(_HEAD.c.high_water)).scalar()
    return max(tx.now, utc_moment(mark)) if mark else tx.now


def _drop_old_minutes(tx: Tx) -> None:
    """Forget what agents used before the last hour; no budget looks further back."""
    old = minute_key(tx.now - 2 * HOUR)
    tx.conn.execute(delete(BudgetRow).where(_BUDGET.c.key.like("minute:%"), _BUDGET.c.key < old))


def _open_intents(conn: Connection, node: str) -> list[Any]:
    query = (
        select(_ACTION.c.id, _ACTION.c.run, _ACTION.c.deployment, _ACTION.c.log_seq, _RUN.c.agent)
        .join(_RUN, _RUN.c.id == _ACTION.c.run)
        .where(_ACTION.c.state == ActionState.INTENT.value)
        .where(or_(_RUN.c.node == node, _RUN.c.node.is_(None)))
        .order_by(_ACTION.c.log_seq)
    )
    return list(conn.execute(query))


def _unknown(row: Any, now: datetime) -> Event:
    return Event(
        kind=EventKind.ACTION_OUTCOME,
        at=now,
        actor="handrail",
        agent=row.agent,
        deployment=row.deployment,
        run=row.run,
        subject=row.id,
        data={"status": ActionState.UNKNOWN.value, "intent": row.log_seq},
        payload={"reason": "the process ended before it knew"},
    )
