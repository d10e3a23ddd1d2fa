"""A town in which reviews are printed and closed. Evidence is invented (`Eyes`); everything else is real."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from profiles.effects import Effect
from rollout.reviews.closing import Closed, Waiting
from rollout.reviews.closure import Closure, Word, matter_to_close
from rollout.reviews.desk import Desk
from rollout.reviews.packet.model import Packet
from rollout.reviews.renewal import renewable
from runtime.alerts.rules import Disposition
from runtime.clock import new_id
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.moments import utc_text
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Person, Town
from tests.standins.promoting import Eyes
from tests.standins.recorded import add_run
from tests.standins.towns import ROSA, grant

RUN = "run-reviewed"


class Reviewing:
    """One agent at tier 0 whose reviews are due, and a desk."""

    def __init__(self, town: Town, *, profile: str = "action-executor", days: float = 35) -> None:
        self.town = town
        self.deployment = deployed(town, profile=profile, days=days)
        self.desk = Desk(
            ledger=town.ledger,
            book=town.book,
            keyring=town.ledger.keyring,
            assessor=Eyes(town.book, town.now),
            audit=lambda: None,
            new_id=new_id,
        )
        began(town, "bot", self.deployment)
        self.tick()

    def tick(self) -> tuple[str, ...]:
        """Run the unattended job; return what it printed."""
        return self.desk.run(self.town.now).printed

    def later(self, **span: float) -> tuple[str, ...]:
        self.town.later(**span)
        return self.tick()

    def owed(self, kind: str = "periodic", which: int = 0) -> str:
        """The id of a review that is owed; `which` counts from the first due."""
        query = text(
            "SELECT id FROM obligation WHERE kind = :kind AND state IN ('open', 'overdue') ORDER BY due_at"
        )
        return str(self.town.read(lambda conn: conn.execute(query, {"kind": kind}).all())[which][0])

    def packet(self, obligation: str) -> Packet:
        """Print it again and return it."""
        return self.desk.print_again(obligation, self.town.now).packet

    def says(self, packet: Packet, **changes: object) -> Closure:
        """What closes the review of a packet: a word about each pattern, answers, all that can be renewed."""
        whole = Closure(
            words=tuple(Word(one.id, Disposition.EXPLAINED, "looked at it") for one in packet.patterns),
            answers=tuple("no" for _ in packet.questions),
            renews=tuple(one.grant for one in renewable(packet)),
        )
        return replace(whole, **changes)  # type: ignore[arg-type]  # tests change what they name

    def close(
        self, packet: Packet, who: Person = ROSA, closure: Closure | None = None
    ) -> Closed | Waiting | Refused:
        matter = matter_to_close(packet, closure or self.says(packet))
        return self.hand_in(packet.head.obligation, self.town.signed(who, matter))

    def hand_in(self, obligation: str, signed: SignedStatement) -> Closed | Waiting | Refused:
        """Hand in a word; a refusal undoes its unit, as the control plane does."""
        unit = self.desk.closing(obligation, signed)
        try:
            return self.town.write(lambda tx: _or_undone(unit(tx)))
        except _UndoneError as undone:
            return undone.refused

    def draft(self, *, days: float, requester: str = "bot") -> Order:
        """Grant `draft` for some days."""
        now = self.town.now
        ends = now + timedelta(days=days)
        order = Order(new_id("grant"), self.deployment, Effect.DRAFT, now, ends, requester, OWNER)
        assert isinstance(grant(self.town, order, ROSA), Issued)
        return order

    def heartbeats(self, **span: float) -> None:
        """Let the monitor have watched up to now, for so long."""
        now = self.town.now
        began = utc_text(now - timedelta(**span))
        self.town.write(lambda tx: tx.append(Event(kind=EventKind.MONITOR_OBSERVED, at=now, subject=began)))

    def happens(self, kind: EventKind, *, times: int = 1, **data: object) -> None:
        """Let something stand in the record about this deployment."""

        def unit(tx: Tx) -> None:
            for number in range(times):
                tx.append(
                    Event(
                        kind=kind,
                        at=tx.now,
                        actor="agent",
                        agent="bot",
                        deployment=self.deployment,
                        run=RUN,
                        subject=f"act-{number}",
                        data=data,  # type: ignore[arg-type]  # the facts of tests are plain JSON
                    )
                )

        self.town.write(unit)


def began(town: Town, agent: str, deployment: str) -> None:
    """Write the row of a run that goes on."""
    row = {
        "id": RUN,
        "deployment": deployment,
        "agent": agent,
        "state": "running",
        "operator": "unix:root",
        "requested_at": town.now,
        "expires_at": town.now + timedelta(days=365),
    }
    town.write(lambda tx: add_run(tx, row))


class _UndoneError(Exception):
    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.detail)


def _or_undone(answer: Closed | Waiting | Refused) -> Closed | Waiting:
    if isinstance(answer, Refused):
        raise _UndoneError(answer)
    return answer
