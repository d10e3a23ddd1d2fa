"""The broker: leases. A run has one; each admitted action gets a child of it, for one use and one digest.

A token is an opaque 256-bit string of which only the SHA-256 is stored: a copy of the database opens nothing.
A run's own lease is not counted down; its budgets count. A child ends with its parent: whatever revokes a
run's lease stops the run at its next action.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, bindparam, insert, update

from runtime.clock import NewId
from runtime.gate.answers import Reason, ReasonCode
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
from runtime.tables.leases import LeaseRow

RUN_AUDIENCE: Final = "run"

_LEASE = LeaseRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SPEND = (
    update(LeaseRow)
    .where(_LEASE.c.id == bindparam("lease"), _LEASE.c.uses_left == bindparam("one"))
    .values(uses_left=bindparam("none"))
)


@dataclass(frozen=True)
class RunLease:
    """A run's lease as it stands in the database."""

    id: str
    uses_left: int
    expires_at: datetime
    revoked: bool

    def problem(self, now: datetime) -> Reason | None:
        """Why it is good for nothing now; None if it is good."""
        if self.revoked:
            return Reason(ReasonCode.NO_LEASE, "the run's lease was revoked")
        if now >= self.expires_at:
            return Reason(ReasonCode.LEASE_EXPIRED, "the run's lease has expired")
        if self.uses_left < 1:
            return Reason(ReasonCode.LEASE_SPENT, "the run's lease is used up")
        return None


@dataclass(frozen=True)
class Lease:
    """A lease that was just issued, with the one copy of its token."""

    id: str
    token: str = field(repr=False)
    expires_at: datetime


class Broker:
    """Issues, reads, spends and revokes leases, always inside the caller's transaction."""

    def __init__(self, new_id: NewId, random: Callable[[int], bytes]) -> None:
        """Take the sources of ids and tokens."""
        self._new_id = new_id
        self._random = random

    def open_run(self, tx: Tx, run: str, *, agent: str, deployment: str, expires_at: datetime) -> Lease:
        """Give a run its one lease, which ends with the run's own time."""
        lease = self._issue(tx, run_lease_id(run), run, audience=RUN_AUDIENCE, expires_at=expires_at)
        tx.append(
            Event(
                kind=EventKind.LEASE_ISSUED,
                at=tx.now,
                actor="broker",
                agent=agent,
                deployment=deployment,
                run=run,
                subject=lease.id,
                data={"expires_at": utc_text(expires_at)},
            )
        )
        return lease

    def for_action(
        self,
        tx: Tx,
        run: str,
        *,
        parent: str | None,
        audience: str,
        action: str,
        digest: str,
        expires_at: datetime,
    ) -> Lease:
        """Give one action its lease: this action, these arguments, one use."""
        return self._issue(
            tx,
            self._new_id("lease"),
            run,
            audience=audience,
            expires_at=expires_at,
            parent=parent,
            action=action,
            args_digest=digest,
        )

    def spend(self, tx: Tx, lease: str) -> bool:
        """Use up the lease of an action; false if it was used already."""
        return (
            _prepared(tx.conn.dialect)["spend"].run(tx.conn, {"lease": lease, "one": 1, "none": 0}).rowcount
            == 1
        )

    def revoke(self, tx: Tx, run: str, *, cause: str, actor: str) -> bool:
        """Revoke a run's lease, and with it every child; false if there was none to revoke."""
        ended = tx.conn.execute(
            update(LeaseRow)
            .where(_LEASE.c.id == run_lease_id(run), _LEASE.c.revoked_at.is_(None))
            .values(revoked_at=tx.now)
        )
        if ended.rowcount != 1:
            return False
        tx.append(Event(kind=EventKind.LEASE_REVOKED, at=tx.now, actor=actor, run=run, data={"cause": cause}))
        return True

    def _issue(self, tx: Tx, id_: str, run: str, *, expires_at: datetime, **limits: str | None) -> Lease:
        token = base64.urlsafe_b64encode(self._random(32)).decode().rstrip("=")
        row: dict[str, Any] = {
            name: limits.get(name) for name in ("parent", "audience", "action", "args_digest")
        }
        row |= {
            "id": id_,
            "token_hash": hash_of_token(token),
            "holder": run,
            "uses_left": 1,
            "expires_at": expires_at,
            "revoked_at": None,
        }
        _prepared(tx.conn.dialect)["issue"].run(tx.conn, row)
        return Lease(row["id"], token, expires_at)


def run_lease_id(run: str) -> str:
    """Return the id of a run's one lease."""
    return f"lease-of-{run}"


def hash_of_token(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=2)
def _prepared(dialect: Dialect) -> Mapping[str, Prepared]:
    return {
        "issue": Prepared(insert(LeaseRow), dialect),
        "spend": Prepared(_SPEND, dialect),
    }
