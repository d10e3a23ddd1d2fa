"""The outbox as a queue: rows are spread over the channels, claimed for a time, and marked as sent.

A claim is a moment before which nobody else tries. A process that dies while it sends loses nothing: the
claim runs out and the notice is sent again. So a notice arrives at least once.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from runtime.notices.message import Message, Notice
from runtime.notices.outbox import UNSPREAD, Route
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.alerts import NoticeRow

MOST: Final = 500
"""How many notices one round takes."""
CLAIM: Final = timedelta(minutes=5)
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
NOBODY: Final = "none"
"""The channel of a notice that was written while no channel was set up: it counts as sent."""

_NOTICE = NoticeRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def is_due(conn: Connection, *, now: datetime) -> bool:
    """Whether anything waits to be sent."""
    return conn.execute(select(_NOTICE.c.id).where(*_due(now)).limit(1)).first() is not None


def claim(tx: Tx, channels: Sequence[str]) -> tuple[Message, ...]:
    """Take what is due, for the time of `CLAIM`; return it as one message for each channel and route.

    Args:
        tx: the unit.
        channels: the channels there are now; what waits for one that is gone goes by those.
    """
    _spread(tx, channels)
    query = select(_NOTICE).where(*_due(tx.now), _NOTICE.c.channel.in_(channels))
    rows = tx.conn.execute(query.order_by(_NOTICE.c.created_at, _NOTICE.c.id).limit(MOST)).mappings().all()
    taken = {"next_try_at": tx.now + CLAIM, "tries": _NOTICE.c.tries + 1}
    tx.conn.execute(update(NoticeRow).where(_NOTICE.c.id.in_([row["id"] for row in rows])).values(taken))
    return _grouped(rows)


def settle(tx: Tx, message: Message, *, sent: bool) -> None:
    """Record that a message was taken, or when it is tried again. Nothing is ever given up."""
    for one in message.notices:
        wait = min(FIRST_WAIT * 2 ** min(one.tries - 1, 10), LONGEST_WAIT)
        values = {"sent_at": tx.now} if sent else {"next_try_at": tx.now + wait}
        tx.conn.execute(update(NoticeRow).where(_NOTICE.c.id == one.id).values(values))
    tx.append(
        Event(
            kind=EventKind.NOTICE_SENT,
            at=tx.now,
            actor="notify",
            data={
                "channel": message.channel,
                "route": message.route.value,
                "sent": sent,
                "waiting": message.counts,
            },
        )
    )


def _due(now: datetime) -> tuple[Any, ...]:
    return (_NOTICE.c.sent_at.is_(None), _NOTICE.c.next_try_at <= now)


def _spread(tx: Tx, channels: Sequence[str]) -> None:
    """Give each notice that has no channel, or one that is gone, a row for each channel there is."""
    lost = select(_NOTICE).where(*_due(tx.now), _NOTICE.c.channel.not_in(channels))
    for row in tx.conn.execute(lost.order_by(_NOTICE.c.created_at).limit(MOST)).mappings().all():
        first, *others = channels or (NOBODY,)
        values = {"channel": first} if channels else {"channel": first, "sent_at": tx.now}
        tx.conn.execute(update(NoticeRow).where(_NOTICE.c.id == row["id"]).values(values))
        if row["channel"] == UNSPREAD:
            copies = [{**row, "id": f"{row['id']}-{name}", "channel": name} for name in others]
            for copy in copies:
                tx.conn.execute(insert(NoticeRow).values(copy))


def _grouped(rows: Collection[Mapping[Any, Any]]) -> tuple[Message, ...]:
    groups: defaultdict[tuple[str, str], list[Notice]] = defaultdict(list)
    for row in rows:
        facts = json.loads(row["body"])
        one = Notice(row["id"], row["kind"], row["subject"], row["created_at"], facts, row["tries"] + 1)
        groups[row["channel"], row["route"]].append(one)
    return tuple(Message(channel, Route(route), tuple(told)) for (channel, route), told in groups.items())
