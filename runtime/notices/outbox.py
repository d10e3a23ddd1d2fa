"""The outbox: a notice is written in the unit that found its cause, and sent later by `runtime.notices.post`.

A notice holds ids, counts and names that people chose. No word of an agent's is in it, so nothing an agent
writes reaches a shell, a pager or a chat by this way.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

from runtime.canonical import JsonValue, canonical
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.tables.alerts import NoticeRow


class Route(StrEnum):
    """Who is told."""

    OPERATORS = "operators"
    LEADERSHIP = "leadership"


class NoticeKind(StrEnum):
    """What is told."""

    HOLD = "hold"
    SUGGESTION = "suggestion"
    ALERT = "alert"
    ALERT_OVERDUE = "alert-overdue"
    INCIDENT = "incident"
    REMINDER = "reminder"  # of an incident that no leader has acknowledged (F26)
    OBLIGATION = "obligation"


UNSPREAD = "all"
"""The channel of a notice that the sender has not yet copied to every channel there is."""


def put(
    tx: Tx, kind: NoticeKind, subject: str, route: Route, *, facts: dict[str, JsonValue], now: datetime
) -> str:
    """Write a notice in the unit that found its cause; return its id.

    Args:
        tx: the unit.
        kind: what is told.
        subject: the id of what it is about.
        route: who is told.
        facts: ids, counts and names that people chose.
        now: the present moment.
    """
    parts = "\n".join((kind.value, subject, route.value, utc_text(now), canonical(facts).decode()))
    id_ = f"ntc-{hashlib.sha256(parts.encode()).hexdigest()[:24]}"
    row = {
        "id": id_,
        "channel": UNSPREAD,
        "route": route.value,
        "kind": kind.value,
        "subject": subject,
        "body": canonical(facts).decode(),
        "created_at": now,
        "next_try_at": now,
        "tries": 0,
        "sent_at": None,
    }
    tx.insert(NoticeRow, row)
    return id_
