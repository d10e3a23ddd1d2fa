"""Moves that take power away and give it back, in a town."""

from datetime import timedelta

from profiles.effects import Effect, Tier
from runtime.clock import new_id
from runtime.demotion import DemotionCause, drop
from runtime.grant_chain import RENEWS, Renewal
from runtime.grant_moves import renew, restore
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.people.roster import Refused, verify
from runtime.people.statement import Matter, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.suspension_rules import Suspension, SuspensionCode, matter_to_resume
from runtime.suspensions import Resumed, resume, standing, suspend
from tests.standins.persons import Person, Town
from tests.standins.recorded import add_agent, add_deployment
from tests.standins.towns import DEPLOYMENT, OLGA, ROSA, grant, order

DIGEST = "c0" * 32


def granted_draft(town: Town, *, days: float = 7) -> Order:
    """Reading and drafting for the deployment of the town; return the draft grant."""
    grant(town, order(town, Effect.READ), OLGA)
    asked = order(town, Effect.DRAFT, days=days)
    assert isinstance(grant(town, asked, ROSA), Issued)
    return asked


def suspend_in(
    town: Town,
    code: SuspensionCode,
    subject: str = "thing-1",
    *,
    effect: Effect | None = None,
    deployment: str = DEPLOYMENT,
) -> str | None:
    return town.write(
        lambda tx: suspend(
            tx, deployment, effect=effect, code=code, subject=subject, reason="a test", now=tx.now
        )
    )


def resume_by(town: Town, who: Person, suspension: str, *, reason: str = "looked at") -> Resumed | Refused:
    signed = town.signed(who, matter_to_resume(suspension, reason=reason))
    return town.write(lambda tx: resume(tx, signed, roster=town.book.current(tx.conn).roster, now=town.now))


def suspensions_of(town: Town, deployment: str = DEPLOYMENT) -> tuple[Suspension, ...]:
    return town.read(lambda conn: standing(conn, deployment, now=town.now, roster=town.state.roster))


def say(
    town: Town, who: Person, type_: StatementType, subject: str, *, digest: str = DIGEST, **body: object
) -> None:
    """Store a signed word as the room that takes it would."""
    matter = Matter(type_, subject, digest, body)  # type: ignore[arg-type]  # the words of tests are plain JSON
    signed = town.signed(who, matter)

    def unit(tx: Tx) -> None:
        said = verify(signed, town.book.current(tx.conn).roster, now=tx.now)
        assert not isinstance(said, Refused), said
        assert consume(tx, said) is None

    town.write(unit)


def register(town: Town, owner: str, *, agent: str = "bot", deployment: str = DEPLOYMENT) -> None:
    """Put an agent and its deployment into the tables; nothing here reads more of them than the owner."""

    def unit(tx: Tx) -> None:
        agent_row = {"name": agent, "owner": owner, "traits": "[]", "risk": "high", "registered_at": tx.now}
        add_agent(tx, agent_row)
        row = {"digest": deployment, "agent": agent, "parts": b"{}", "profile_text": "", "statement": "x"}
        add_deployment(tx, {**row, "created_at": tx.now})

    town.write(unit)


def renew_by(
    town: Town, who: Person, *renewals: Renewal, obligation: str = "obl-1"
) -> tuple[Renewal, ...] | Refused:
    """Close a review that renews grants."""
    body = {RENEWS: [renewal.as_json() for renewal in renewals]}
    signed = town.signed(who, Matter(StatementType.REVIEW, obligation, DIGEST, body))  # type: ignore[arg-type]  # lists of JSON are JSON

    def unit(tx: Tx) -> tuple[Renewal, ...] | Refused:
        roster = town.book.current(tx.conn).roster
        said = verify(signed, roster, now=tx.now)
        assert not isinstance(said, Refused), said
        return consume(tx, said) or renew(tx, [said], roster=roster, now=tx.now)

    return town.write(unit)


def drop_in(
    town: Town,
    cause: DemotionCause,
    *,
    to: Tier = Tier.OBSERVE,
    deployment: str = DEPLOYMENT,
) -> tuple[str, ...]:
    return town.write(lambda tx: drop(tx, deployment, to, cause, actor="gate", now=tx.now))


def restored(
    town: Town, earlier: Order, *, days: float, requester: str = "bot", owner: str = "olga"
) -> Order:
    """The order that gives an earlier grant back for some days from now."""
    return Order(
        new_id("grant"),
        earlier.deployment,
        earlier.effect,
        town.now,
        town.now + timedelta(days=days),
        requester,
        owner,
        earlier.basis,
        earlier.id,
    )


def restore_by(
    town: Town, who: Person, asked: Order, *, reason: str = "the new one fails"
) -> Issued | Refused:
    signed = town.signed(who, asked.matter(StatementType.ROLLBACK, reason=reason))
    return town.write(
        lambda tx: restore(tx, asked, signed, roster=town.book.current(tx.conn).roster, now=tx.now)
    )
