"""Reading requests. A row says where to look; the record says what was asked for, and that it is over.

So a row that was put in, changed or set back by hand is worth nothing.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from profiles.effects import Effect
from rollout.promotions.frozen import Frozen, PromotionError, thaw
from rollout.promotions.states import OPEN, PromotionState
from runtime.record.events import EventKind
from runtime.record.leaf import decode_leaf
from runtime.tables.log import LogEntryRow
from runtime.tables.promotions import PromotionRow

_PROMOTION = PromotionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ENDS = (EventKind.PROMOTION_APPLIED.value, EventKind.PROMOTION_ENDED.value)
_OPEN = sorted(state.value for state in OPEN)
_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is stored.

    Attributes:
        frozen: what approvers sign.
        state: how far it has come.
        created_at: when it was made.
        ended_at: when it was over; None while it is open.
        end_reason: why it is over, for people.
    """

    frozen: Frozen
    state: PromotionState
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None

    @property
    def open(self) -> bool:
        """Whether something can still happen."""
        return self.state in OPEN


def find(conn: Connection, promotion: str) -> Request:
    """Return a request by its id, or by a beginning of it that only one has.

    Raises:
        PromotionError: none or several match, or what is stored is not what was recorded.
    """
    if len(promotion) < _SHORTEST:
        raise PromotionError(f"promotion {promotion!r}: give at least {_SHORTEST} characters of its id")
    query = select(_PROMOTION).where(_PROMOTION.c.id.startswith(promotion, autoescape=True))
    rows = conn.execute(query.limit(2)).mappings().all()
    if len(rows) != 1:
        raise PromotionError(f"promotion {promotion}: {len(rows)} match; see `handrail promote list`")
    return _request(conn, rows[0])


def listed(
    conn: Connection, *, agent: str | None = None, past: bool = False
) -> tuple[list[Request], list[str]]:
    """Return the open requests, oldest first, or with `past` all; and what is wrong with other rows."""
    query = select(_PROMOTION).order_by(_PROMOTION.c.created_at, _PROMOTION.c.id)
    if agent is not None:
        query = query.where(_PROMOTION.c.agent == agent)
    if not past:
        query = query.where(_PROMOTION.c.state.in_(_OPEN))
    found, faults = [], []
    for row in conn.execute(query).mappings().all():
        try:
            found.append(_request(conn, row))
        except PromotionError as error:
            faults.append(str(error))
    return [one for one in found if past or one.open], faults


def to_end(conn: Connection, deployment: str | None = None) -> list[tuple[Frozen, datetime]]:
    """Return what stands in open rows, of one deployment or of all, with when each was made, oldest first.

    They are read to be ended, so what the record says of them is not asked: it does not know yet what was
    asked for in this very transaction. Rows that cannot be read at all grant nothing and are left out.
    """
    query = select(_PROMOTION.c.frozen, _PROMOTION.c.created_at).where(_PROMOTION.c.state.in_(_OPEN))
    if deployment is not None:
        query = query.where(_PROMOTION.c.deployment == deployment)
    found = []
    for row in conn.execute(query.order_by(_PROMOTION.c.created_at, _PROMOTION.c.id)).all():
        with suppress(PromotionError):
            found.append((thaw(row.frozen), row.created_at))
    return found


def is_recorded(conn: Connection, frozen: Frozen) -> bool:
    """Whether the record knows of exactly this request; not yet, in the transaction that makes it."""
    return _recorded(conn, frozen.promotion) == frozen.basis


def open_for(conn: Connection, deployment: str, effect: Effect) -> str | None:
    """Return the open request of a deployment for a class; there is at most one."""
    query = select(_PROMOTION.c.id).where(
        _PROMOTION.c.deployment == deployment,
        _PROMOTION.c.effect == effect.value,
        _PROMOTION.c.state.in_(_OPEN),
    )
    return conn.execute(query).scalar_one_or_none()


def is_known(conn: Connection, promotion: str) -> bool:
    """Whether a request of exactly this id was ever made."""
    return conn.execute(select(_PROMOTION.c.id).where(_PROMOTION.c.id == promotion)).first() is not None


def _request(conn: Connection, row: RowMapping) -> Request:
    """Return the request of a row.

    Raises:
        PromotionError: its bytes are not those that were recorded, or the row names another thing.
    """
    frozen = thaw(row["frozen"])
    named = (row["id"], row["deployment"], row["effect"], row["grant"])
    recorded = _recorded(conn, row["id"])
    same = named == (frozen.promotion, frozen.deployment, frozen.effect.value, frozen.grant)
    if not same or recorded != frozen.basis:
        raise PromotionError(
            f"promotion {row['id']} is not what was recorded: its row was made or changed by hand; "
            "run `handrail audit verify`"
        )
    state = PromotionState(row["state"])
    over = _ended(conn, row["id"]) if state in OPEN else None
    return Request(frozen, over or state, row["created_at"], row["ended_at"], row["end_reason"])


def _recorded(conn: Connection, promotion: str) -> str | None:
    """Return the basis that the record has for a request; None if it knows of none."""
    query = select(_LOG.c.leaf).where(
        _LOG.c.kind == EventKind.PROMOTION_REQUESTED.value, _LOG.c.subject == promotion
    )
    leaf = conn.execute(query.order_by(_LOG.c.seq).limit(1)).scalar()
    return None if leaf is None else str(decode_leaf(leaf).data.get("basis"))


def _ended(conn: Connection, promotion: str) -> PromotionState | None:
    """Return how the record says that a request ended, whatever its row says; None if it did not."""
    query = select(_LOG.c.leaf).where(_LOG.c.kind.in_(_ENDS), _LOG.c.subject == promotion)
    leaf = conn.execute(query.order_by(_LOG.c.seq).limit(1)).scalar()
    return None if leaf is None else PromotionState(str(decode_leaf(leaf).data.get("state")))
