"""Fixtures: a town without a policy, and one with a person for each role."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from profiles.effects import Effect
from runtime.clock import new_id
from runtime.freeze import Lifted, freeze, frozen, unfreeze
from runtime.freeze_rules import Freeze, Scope, Stop, matter_to_unfreeze
from runtime.grant_rules import Order
from runtime.grants import Issued, granted, issue
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement, StatementType
from tests.standins.databases import Database
from tests.standins.persons import Person, Town, policy_of

OLGA, ROSA, DORA, SVEN, LENA = (Person(name) for name in ("olga", "rosa", "dora", "sven", "lena"))
EVERYONE = (OLGA, ROSA, DORA, SVEN, LENA)
STAFF = policy_of(
    OLGA.enrolled("operations", "policy", identities=["unix:olga"]),
    ROSA.enrolled("rollout", "policy"),
    DORA.enrolled("domain"),
    SVEN.enrolled("security"),
    LENA.enrolled("leadership"),
)
DEPLOYMENT = "d1" * 32


@pytest.fixture
def town(tmp_path: Path, database: Database) -> Iterator[Town]:
    """An installation without a policy, on each kind of database in turn."""
    town = Town(tmp_path, database=database)
    yield town
    town.close()


@pytest.fixture
def staffed(town: Town) -> Town:
    """An installation with a person for each role: olga operates, rosa rolls out, dora knows the domain..."""
    town.begin(STAFF, *EVERYONE)
    return town


def order(
    town: Town,
    effect: Effect,
    *,
    days: float = 7,
    requester: str = "bot",
    owner: str = "olga",
    deployment: str = DEPLOYMENT,
) -> Order:
    return Order(
        new_id("grant"), deployment, effect, town.now, town.now + timedelta(days=days), requester, owner
    )


def grant(
    town: Town, asked: Order, *signers: Person, type_: StatementType = StatementType.GRANT
) -> Issued | Refused:
    return hand_in(town, asked, [town.signed(person, asked.matter(type_)) for person in signers])


def hand_in(town: Town, asked: Order, signed: Sequence[SignedStatement]) -> Issued | Refused:
    return town.write(
        lambda tx: issue(tx, asked, signed, roster=town.book.current(tx.conn).roster, now=town.now)
    )


def allowed(town: Town, deployment: str = DEPLOYMENT) -> set[Effect]:
    """What the deployment may do now, asked as at an action."""
    return set(town.read(lambda conn: granted(conn, deployment, now=town.now, roster=town.state.roster)))


def stop_of(scope: Scope, target: str, town: Town, *, days: float | None = 1) -> Freeze:
    ends = None if days is None else town.now + timedelta(days=days)
    return Freeze(new_id("freeze"), scope, target, "numbers look wrong", ends)


def set_freeze(town: Town, asked: Freeze, by: Person) -> Stop | Refused:
    signed = town.signed(by, asked.matter)
    return town.write(
        lambda tx: freeze(tx, asked, signed, roster=town.book.current(tx.conn).roster, now=town.now)
    )


def lift(town: Town, freeze_id: str, by: Person, *, reason: str = "checked") -> Lifted | Refused:
    signed = town.signed(by, matter_to_unfreeze(freeze_id, reason=reason))
    return town.write(lambda tx: unfreeze(tx, signed, roster=town.book.current(tx.conn).roster, now=town.now))


def stops(town: Town, *, agent: str = "bot", deployment: str = DEPLOYMENT) -> tuple[Stop, ...]:
    """What stands in the agent's way now, asked as at an action."""
    return town.read(
        lambda conn: frozen(conn, agent=agent, deployment=deployment, now=town.now, roster=town.state.roster)
    )
