"""The desk where reviews are kept, printed and closed: the work of the clock, and of whoever asks.

`run` is the whole unattended job (R-92). It may run late, twice, in two processes or be killed half-way:
what is owed are rows with unique keys, and a packet is written by one unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from rollout.evidence.model import AuditState
from rollout.promotions.assessor import Assessor
from rollout.reviews import closing, printing, rows
from rollout.reviews.closing import Closed, Waiting
from rollout.reviews.closure import Closure
from rollout.reviews.obligations import Kept, hold, keep, unwatched
from rollout.reviews.packet.collect import Sight, collect
from rollout.reviews.packet.model import Packet
from rollout.reviews.printing import Shown
from rollout.reviews.rows import ReviewError
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import AlertRule, AlertState, Deviation
from runtime.clock import NewId
from runtime.db import words_of
from runtime.people.policies import PolicyBook
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.record.keyring import KeyRing
from runtime.record.ledger import Ledger
from runtime.tables.alerts import AlertRow

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

AT_ONCE = 25
"""Packets that one run prints at most; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did: ids of reviews that are owed now, became overdue, or were printed; and of alarms."""

    owed: tuple[str, ...]
    overdue: tuple[str, ...]
    printed: tuple[str, ...]
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Desk:
    """Everything about reviews that touches the record.

    Attributes:
        ledger: the record.
        book: the policy in force.
        keyring: opens packets.
        assessor: collects evidence.
        audit: what verifying the record found last; None where nobody verified it.
        new_id: names new obligations.
    """

    ledger: Ledger
    book: PolicyBook
    keyring: KeyRing
    assessor: Assessor
    audit: Callable[[], AuditState | None]
    new_id: NewId

    def run(self, now: datetime) -> Ran:
        """Do what is owed: make and mark obligations, print due packets, raise the alarm of R-85.

        Raises:
            ReviewError: some packets could not be printed; everything else was done.
        """
        kept = self._keep()
        self.ledger.write_sync(hold)
        alarms = self.ledger.write_sync(self._alarm)
        printed = self._print_due(now)
        owed = tuple(id_ for one in kept for id_ in one.owed)
        overdue = tuple(id_ for one in kept for id_ in one.overdue)
        return Ran(owed, overdue, printed, alarms)

    def print_again(self, obligation: str, now: datetime) -> Shown:
        """Print a review's packet as it is now; words that wait for other persons' are void by it.

        Raises:
            ReviewError: there is no such review, it has not begun, or it is closed.
        """
        self._print(obligation, now, again=True)
        shown = self.shown(obligation)
        if shown is None:
            raise ReviewError(f"review {obligation}: its packet is gone; run `handrail audit verify`")
        return shown

    def shown(self, obligation: str) -> Shown | None:
        """Return the packet that stands; None: none was printed yet.

        Raises:
            ReviewError: there is no such review, or its packet is not the one that was recorded.
        """
        with self.ledger.read() as conn:
            return printing.read(conn, self.keyring, obligation)

    def closing(self, obligation: str, signed: SignedStatement) -> Callable[[Tx], Closed | Waiting | Refused]:
        """Return the unit that takes a word on a review; undo it where it refuses.

        Raises:
            ReviewError: there is no such review, or no packet was printed for it.
        """
        shown = self.shown(obligation)
        if shown is None:
            raise ReviewError(f"review {obligation} was not printed yet; `handrail review run {obligation}`")
        return lambda tx: closing.close(
            tx, shown, signed, roster=self.book.current(tx.conn).roster, new_id=self.new_id
        )

    def said(self, shown: Shown) -> dict[str, Closure]:
        """Return what persons have signed about the packet that stands, where more must sign the same."""
        with self.ledger.read() as conn:
            return closing.said_about(conn, shown.packet, roster=self.book.current(conn).roster)

    def _keep(self) -> list[Kept]:
        kept = [self.ledger.write_sync(self._step)]
        while not kept[-1].done:
            kept.append(self.ledger.write_sync(self._step))
        return kept

    def _step(self, tx: Tx) -> Kept:
        return keep(tx, rules=self.book.current(tx.conn).head.policy.reviews, new_id=self.new_id)

    def _alarm(self, tx: Tx) -> tuple[str, ...]:
        """Alert on each live deployment for which nothing is owed though the clock has just looked (R-85)."""
        policy = self.book.current(tx.conn).head.policy
        found = [_deviation(deployment, agent) for deployment, agent in unwatched(tx.conn)]
        new = [one for one in found if not _is_open(tx.conn, one)]
        return tuple(raise_alert(tx, one, policy=policy, now=tx.now).id for one in new)

    def _print_due(self, now: datetime) -> tuple[str, ...]:
        with self.ledger.read() as conn:
            due = rows.to_print(conn, now=now, limit=AT_ONCE)
        printed, faults = [], []
        for obligation in due:
            try:
                if self._print(obligation, now, again=False):
                    printed.append(obligation)
            except Exception as error:  # noqa: BLE001 - one broken review must not stop the others; it is told
                faults.append(f"{obligation}: {words_of(error)}")
        if faults:
            raise ReviewError(f"{len(faults)} packets could not be printed: {'; '.join(faults)}")
        return tuple(printed)

    def _print(self, obligation: str, now: datetime, *, again: bool) -> bool:
        packet = self._collect(obligation, now)
        return self.ledger.write_sync(lambda tx: printing.put(tx, packet, again=again))

    def _collect(self, obligation: str, now: datetime) -> Packet:
        audit = self.audit()
        with self.ledger.read() as conn:
            roster = self.book.current(conn).roster
            return collect(conn, obligation, Sight(roster, audit, self.assessor, now))


def _deviation(deployment: str, agent: str) -> Deviation:
    return Deviation(
        agent=agent,
        rule=AlertRule.UNWATCHED,
        tool="reviews",
        resource="obligation",
        deployment=deployment,
    )


def _is_open(conn: Connection, deviation: Deviation) -> bool:
    """Whether people were told already: a state that lasts is one occurrence, not one for each tick."""
    query = select(_ALERT.c.id).where(
        _ALERT.c.fingerprint == deviation.fingerprint, _ALERT.c.state == AlertState.OPEN.value
    )
    return conn.execute(query).first() is not None
