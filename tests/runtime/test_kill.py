"""A kill stops what it names, from the next action on, and takes its writes (R-69)."""

import pytest
from sqlalchemy import insert

from profiles.effects import Effect
from runtime.freeze_rules import Scope
from runtime.kill import Killed, kill
from runtime.people.roster import Refused
from runtime.tables.agents import RunRow
from tests.standins.persons import Person, Town
from tests.standins.power import granted_draft, register
from tests.standins.towns import (
    DEPLOYMENT,
    EVERYONE,
    LENA,
    OLGA,
    ROSA,
    allowed,
    grant,
    lift,
    order,
    staffed,
    stop_of,
    stops,
    town,
)

__all__ = ["staffed", "town"]

OTHER = "d2" * 32


def kill_by(town: Town, who: Person, scope: Scope, target: str) -> Killed | Refused:
    asked = stop_of(scope, target, town)
    signed = town.signed(who, asked.matter)
    return town.write(
        lambda tx: kill(tx, asked, signed, roster=town.book.current(tx.conn).roster, now=tx.now)
    )


def begin_run(town: Town, run: str, *, agent: str, deployment: str, state: str = "running") -> None:
    row = {"id": run, "deployment": deployment, "agent": agent, "state": state, "operator": "olga"}
    ended = {"outcome": "exited"} if state == "ended" else {}
    moments = {"requested_at": town.now, "expires_at": town.now.replace(year=2030)}
    town.write(lambda tx: tx.conn.execute(insert(RunRow).values(**row, **ended, **moments)) and None)


@pytest.fixture
def two(staffed: Town) -> Town:
    """Two agents that may draft, each with a run; one has an ended one too."""
    register(staffed, "olga")
    register(staffed, "olga", agent="other", deployment=OTHER)
    granted_draft(staffed)
    grant(staffed, order(staffed, Effect.READ, deployment=OTHER), OLGA)
    grant(staffed, order(staffed, Effect.DRAFT, deployment=OTHER), ROSA)
    begin_run(staffed, "run-1", agent="bot", deployment=DEPLOYMENT)
    begin_run(staffed, "run-2", agent="other", deployment=OTHER, state="requested")
    begin_run(staffed, "run-3", agent="bot", deployment=DEPLOYMENT, state="ended")
    return staffed


@pytest.mark.parametrize(
    ("scope", "target", "runs", "demoted"),
    [
        (Scope.AGENT, "bot", ("run-1",), (DEPLOYMENT,)),
        (Scope.DEPLOYMENT, OTHER, ("run-2",), (OTHER,)),
        (Scope.ALL, "all", ("run-1", "run-2"), (DEPLOYMENT, OTHER)),
    ],
)
def test_it_freezes_what_it_names_and_takes_its_writes(
    two: Town, scope: Scope, target: str, runs: tuple[str, ...], demoted: tuple[str, ...]
) -> None:
    answer = kill_by(two, LENA, scope, target)

    assert isinstance(answer, Killed)
    assert (answer.runs, answer.demoted) == (runs, demoted)
    for agent, deployment in (("bot", DEPLOYMENT), ("other", OTHER)):
        hit = deployment in demoted
        assert bool(stops(two, agent=agent, deployment=deployment)) is hit
        assert allowed(two, deployment) == ({Effect.READ} if hit else {Effect.READ, Effect.DRAFT})


@pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.name)
def test_anyone_enrolled_can_kill(two: Town, person: Person) -> None:
    assert isinstance(kill_by(two, person, Scope.ALL, "all"), Killed)


def test_a_stranger_kills_nothing(two: Town) -> None:
    assert isinstance(kill_by(two, Person("mallory"), Scope.ALL, "all"), Refused)
    assert allowed(two) == {Effect.READ, Effect.DRAFT}
    assert stops(two) == ()


def test_the_lift_gives_no_writes_back(two: Town) -> None:
    answer = kill_by(two, LENA, Scope.AGENT, "bot")
    assert isinstance(answer, Killed)

    lift(two, answer.stop.id, OLGA)

    assert stops(two) == ()
    assert allowed(two) == {Effect.READ}


def test_all_of_it_stands_in_the_record(two: Town) -> None:
    """R-10."""
    kill_by(two, LENA, Scope.AGENT, "bot")

    assert two.kinds()[-4:] == ["statement.made", "freeze.set", "grant.revoked", "deployment.demoted"]
    assert two.entry("deployment.demoted", -1).leaf.data == {"from": 1, "to": 0, "cause": "kill"}
    assert two.entry("deployment.demoted", -1).leaf.actor == "lena"
