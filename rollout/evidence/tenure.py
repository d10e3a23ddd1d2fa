"""Since when a deployment is at its present tier, from the record: no row that somebody moves counts.

Dwell begins where the tier last moved: an effect class was granted, a grant ended, or power was taken away.
The window of the evidence begins where power last fell, or where the deployment became the present one: what
people judged at a lower tier still counts one tier up, and re-entry restarts both (F13).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select

from profiles.effects import Effect
from rollout.errors import RolloutError
from runtime.demotion import DemotionCause
from runtime.moments import utc_moment
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.log import POWER, REVOCATION, LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_NO_FAULT: Final = frozenset({DemotionCause.SUPERSEDED.value})


@dataclass(frozen=True, slots=True)
class Tenure:
    """How power moved.

    Attributes:
        since: when the present tier began.
        reset_at: when the window of the evidence began.
        expanded_at: when power was last added; None: never.
    """

    since: datetime
    reset_at: datetime
    expanded_at: datetime | None


def tenure(conn: Connection, deployment: str, *, began_at: datetime, now: datetime) -> Tenure:
    """Return how the power of a deployment moved.

    Args:
        conn: a view of the database.
        deployment: the deployment's digest.
        began_at: when it became its agent's present one.
        now: the present moment; a grant that has run out by then ended a tier.

    Raises:
        RolloutError: an entry about its power cannot be read.
    """
    moves = _moves(conn, deployment)
    revoked = _revoked(conn, [move.subject for move in moves if move.subject])
    return _told(moves, revoked, began_at, now)


def fell_at(conn: Connection, agent: str) -> datetime | None:
    """Return when power was last taken from an agent for a fault or by a person; None: never.

    Whichever of its deployments it was: a small change makes another deployment, and ends no cool-down (F21).
    """
    query = select(_LOG.c.leaf).where(
        _LOG.c.kind == EventKind.DEPLOYMENT_DEMOTED.value, _LOG.c.agent == agent
    )
    falls = [_read(leaf) for leaf in conn.execute(query).scalars()]
    return max((one.at for one in falls if one.data.get("cause") not in _NO_FAULT), default=None)


def _told(moves: tuple[Leaf, ...], revoked: dict[str, datetime], began_at: datetime, now: datetime) -> Tenure:
    given = [move for move in moves if move.kind is EventKind.GRANT_ISSUED and _is_write(move)]
    demoted = [move for move in moves if move.kind is EventKind.DEPLOYMENT_DEMOTED]
    ended = [end for end in _ends(given, moves, revoked) if end <= now]
    expanded = [move.at for move in given]
    reset_at = max([began_at, *(move.at for move in demoted), *ended])
    return Tenure(
        since=max([reset_at, *expanded]),
        reset_at=reset_at,
        expanded_at=max(expanded, default=None),
    )


def _ends(given: Iterable[Leaf], moves: Iterable[Leaf], revoked: dict[str, datetime]) -> Iterator[datetime]:
    """Yield when each grant ended or will end: revoked, or at the end that its last renewal gave it."""
    renewed = {
        (move.subject, _until(move, "until")) for move in moves if move.kind is EventKind.GRANT_RENEWED
    }
    for grant in given:
        planned = [_until(grant, "valid_until"), *(end for id_, end in renewed if id_ == grant.subject)]
        end = max(planned)
        yield min(end, revoked.get(grant.subject or "", end))


def _is_write(move: Leaf) -> bool:
    return move.data.get("effect") != Effect.READ.value


def _until(move: Leaf, name: str) -> datetime:
    try:
        return utc_moment(str(move.data.get(name)))
    except ValueError as error:
        raise RolloutError(f"entry {move.seq} has no `{name}`; run `handrail audit verify`") from error


def _moves(conn: Connection, deployment: str) -> tuple[Leaf, ...]:
    query = select(_LOG.c.leaf).where(POWER, _LOG.c.deployment == deployment).order_by(_LOG.c.seq)
    return tuple(_read(leaf) for leaf in conn.execute(query).scalars())


def _revoked(conn: Connection, grants: list[str]) -> dict[str, datetime]:
    query = select(_LOG.c.subject, _LOG.c.at).where(_LOG.c.kind == REVOCATION, _LOG.c.subject.in_(grants))
    return {row.subject: utc_moment(row.at) for row in conn.execute(query)}


@lru_cache(maxsize=4096)
def _read(leaf: bytes) -> Leaf:
    return decode_leaf(leaf)
