"""What the clock does at every tick, in one order, for `serve` and for `simulate` alike.

1. Become or stay the leader; whoever is not does only what each process owes by itself.
2. Give a sign of life and count what happened.
3. Take power away: unwatched actions, overdue alerts and reviews, patterns, lost agreement, outdated rules.
4. Only then what may lead to more: draws for reviewers; requests whose time is over end.
5. Verify the record now and then.

Every unit of a job runs under the fence of this tick's lease: a process that was stopped half-way and goes on
after another took over writes nothing (`runtime.leader`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from rollout.activity import scan_activity
from rollout.auditing import EVERY, AuditWatch, stop_all
from rollout.demotions.falls import look
from rollout.demotions.lapses import end_of_day, look_for_gaps, tell_of_clock
from rollout.evidence.assessor import Assessor
from rollout.evidence.drawing import Drawing
from rollout.monitor import beat
from rollout.promotions.ending import sweep
from rollout.reviews.desk import Desk
from rollout.scheduler import Job
from runtime import leader
from runtime.alerts.baseline import watch_rates
from runtime.alerts.watch import watch
from runtime.clock import NewId
from runtime.people.policies import PolicyBook
from runtime.people.roster import Roster
from runtime.record.batch import Tx
from runtime.record.ledger import Ledger

T = TypeVar("T")
STEPS: Final = 200
"""Steps of one job in one tick; the next tick goes on."""


@dataclass
class Lease:
    """This process's part in keeping the clock: its name, and the fence that it holds."""

    holder: str
    fence: int | None = None


@dataclass(frozen=True)
class Clockwork:
    """The rollout of one record: everything that the clock drives, and that people ask for.

    Attributes:
        ledger: the record.
        book: the policy in force.
        audit: what verifying the record found.
        assessor: collects evidence.
        reviews: keeps, prints and closes reviews.
        drawing: draws what people must judge.
        new_id: makes ids.
        lease: who keeps the clock.
        verify_every: how often the clock verifies the whole record.
    """

    ledger: Ledger
    book: PolicyBook
    audit: AuditWatch
    assessor: Assessor
    reviews: Desk
    drawing: Drawing
    new_id: NewId
    lease: Lease
    verify_every: timedelta = field(default=EVERY)

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of one tick, in order."""
        work: tuple[tuple[str, Callable[[datetime], object]], ...] = (
            ("give a sign of life", self._beat),
            ("count activity", lambda _now: scan_activity(self.ledger)),
            ("look for unwatched actions", self._gaps),
            ("steps of the clock", self._clock),
            ("unusual calls", lambda _now: watch_rates(self.ledger, self.book)),
            ("overdue alerts", self._alerts),
            ("reviews", self.reviews.run),
            ("demotions", self._falls),
            ("outdated rules", self._outdated),
            ("verify the record", self._verify),
            ("end requests", self._sweep),
            ("draw for review", self.drawing.daily),
        )
        led = tuple(Job(name, partial(self._led, run)) for name, run in work)
        return (Job("keep the clock", self._lead), *led)

    def give_back(self, now: datetime) -> None:
        """Let another process keep the clock at once."""
        fence = self.lease.fence
        if fence is not None:
            self._write(lambda tx: leader.give_back(tx, fence, now))
            self.lease.fence = None

    def _lead(self, _now: datetime) -> None:
        self.lease.fence = None
        self.lease.fence = self._write(lambda tx: leader.take(tx, self.lease.holder, tx.now))

    def _led(self, run: Callable[[datetime], object], now: datetime) -> None:
        fence = self.lease.fence
        if fence is not None:
            with self.ledger.guarded(lambda tx: leader.check(tx, fence)):
                run(now)

    def _beat(self, _now: datetime) -> None:
        self._write(lambda tx: beat(tx, tx.now))

    def _gaps(self, _now: datetime) -> None:
        self._write(lambda tx: look_for_gaps(tx, policy=self._roster(tx).policy))

    def _clock(self, _now: datetime) -> None:
        self._write(lambda tx: tell_of_clock(tx, policy=self._roster(tx).policy))

    def _alerts(self, _now: datetime) -> None:
        self._until(lambda tx: watch(tx, policy=self._roster(tx).policy).done)

    def _falls(self, _now: datetime) -> None:
        self._until(lambda tx: look(tx, roster=self._roster(tx)).done)

    def _outdated(self, _now: datetime) -> None:
        self._write(lambda tx: end_of_day(tx, policy=self._roster(tx).policy))

    def _sweep(self, _now: datetime) -> None:
        self._write(lambda tx: sweep(tx, roster=self._roster(tx)))

    def _verify(self, now: datetime) -> None:
        state = self.audit.state(now, fresh=self.verify_every)
        self._write(lambda tx: stop_all(tx, state, policy=self._roster(tx).policy, new_id=self.new_id))

    def _until(self, step: Callable[[Tx], bool]) -> None:
        for _ in range(STEPS):
            if self._write(step):
                return

    def _write(self, unit: Callable[[Tx], T]) -> T:
        return self.ledger.write_sync(unit)

    def _roster(self, tx: Tx) -> Roster:
        return self.book.current(tx.conn).roster


def wind_up(
    ledger: Ledger,
    book: PolicyBook,
    *,
    audit: AuditWatch,
    new_id: NewId,
    random: Callable[[int], bytes],
    verify_every: timedelta = EVERY,
    engine: Callable[[], str | None] = lambda: None,
    code: str | None = None,
) -> Clockwork:
    """Compose the rollout of one record.

    Args:
        ledger: the record.
        book: the policy in force.
        audit: verifies the whole record, as somebody would who does not trust this process.
        new_id: makes ids.
        random: gives seeds.
        verify_every: how often the clock verifies.
        engine: version of the engine here, as it was last asked for; None where there is none.
        code: digest of the code and the rules that a proof must be about; this process's code without.
    """
    assessor = Assessor(book, audit.known, engine=engine, code=code)
    return Clockwork(
        ledger=ledger,
        book=book,
        audit=audit,
        assessor=assessor,
        reviews=Desk(ledger, book, ledger.keyring, assessor, audit.last, new_id),
        drawing=Drawing(ledger, book, random),
        new_id=new_id,
        lease=Lease(new_id("serve")),
        verify_every=verify_every,
    )
