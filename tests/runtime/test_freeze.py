"""Anyone enrolled can stop; only an operator's signature, or the signed end, starts again."""

from datetime import timedelta

import pytest

from runtime.freeze import Lifted, stop
from runtime.freeze_rules import MAXIMUM_LIFE, Scope, Stop
from runtime.people.roster import RefusalCode, Refused
from tests.standins.persons import Person, Town
from tests.standins.towns import (
    DEPLOYMENT,
    EVERYONE,
    LENA,
    OLGA,
    SVEN,
    lift,
    set_freeze,
    staffed,
    stop_of,
    stops,
    town,
)

__all__ = ["staffed", "town"]


@pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.name)
def test_anyone_enrolled_can_freeze(staffed: Town, person: Person) -> None:
    answer = set_freeze(staffed, stop_of(Scope.ALL, "all", staffed), person)

    assert isinstance(answer, Stop)
    assert [found.owner for found in stops(staffed)] == [person.name]


def test_a_stranger_cannot_freeze(staffed: Town) -> None:
    assert isinstance(set_freeze(staffed, stop_of(Scope.ALL, "all", staffed), Person("mallory")), Refused)
    assert stops(staffed) == ()


@pytest.mark.parametrize(
    ("scope", "target", "who", "stopped"),
    [
        (Scope.ALL, "all", ("bot", DEPLOYMENT), True),
        (Scope.AGENT, "bot", ("bot", DEPLOYMENT), True),
        (Scope.AGENT, "bot", ("other", DEPLOYMENT), False),
        (Scope.DEPLOYMENT, DEPLOYMENT, ("bot", DEPLOYMENT), True),
        (Scope.DEPLOYMENT, DEPLOYMENT, ("bot", "d2" * 32), False),
        (Scope.DEPLOYMENT, "bot", ("bot", DEPLOYMENT), False),
    ],
)
def test_a_freeze_stops_what_it_names(
    staffed: Town, scope: Scope, target: str, who: tuple[str, str], stopped: bool
) -> None:
    set_freeze(staffed, stop_of(scope, target, staffed), LENA)

    assert bool(stops(staffed, agent=who[0], deployment=who[1])) is stopped


def test_a_freeze_ends_when_it_was_signed_to_end(staffed: Town) -> None:
    set_freeze(staffed, stop_of(Scope.ALL, "all", staffed, days=1), LENA)

    staffed.later(days=1, seconds=-1)
    assert stops(staffed)
    staffed.later(seconds=1)
    assert stops(staffed) == ()


@pytest.mark.parametrize("days", [None, 0, -1, MAXIMUM_LIFE.days + 1])
def test_a_person_cannot_freeze_without_a_near_end(staffed: Town, days: float | None) -> None:
    answer = set_freeze(staffed, stop_of(Scope.ALL, "all", staffed, days=days), LENA)

    assert isinstance(answer, Refused)
    assert stops(staffed) == ()


def test_an_operator_lifts_a_freeze(staffed: Town) -> None:
    asked = stop_of(Scope.ALL, "all", staffed)
    set_freeze(staffed, asked, LENA)

    assert lift(staffed, asked.id, OLGA) == Lifted(asked.id, "olga")
    assert stops(staffed) == ()


def test_nobody_else_lifts_it_not_even_who_set_it(staffed: Town) -> None:
    asked = stop_of(Scope.ALL, "all", staffed)
    set_freeze(staffed, asked, SVEN)

    answer = lift(staffed, asked.id, SVEN)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_PERMITTED
    assert stops(staffed)


def test_lifting_one_freeze_leaves_the_others(staffed: Town) -> None:
    first, second = stop_of(Scope.ALL, "all", staffed), stop_of(Scope.AGENT, "bot", staffed)
    set_freeze(staffed, first, LENA)
    set_freeze(staffed, second, LENA)

    lift(staffed, first.id, OLGA)

    assert [found.id for found in stops(staffed)] == [second.id]


def test_there_must_be_a_freeze_to_lift(staffed: Town) -> None:
    answer = lift(staffed, "freeze-none", OLGA)

    assert isinstance(answer, Refused)
    assert staffed.count("statement") == len(EVERYONE)


def test_a_stop_by_handrail_itself_ends_by_an_operators_word_alone(staffed: Town) -> None:
    asked = stop_of(Scope.DEPLOYMENT, DEPLOYMENT, staffed, days=1)
    staffed.write(lambda tx: stop(tx, asked, owner="gate", now=staffed.now))

    staffed.later(days=400)
    assert [(found.owner, found.expires_at) for found in stops(staffed)] == [("gate", None)]

    lift(staffed, asked.id, OLGA)
    assert stops(staffed) == ()


def test_both_ends_stand_in_the_record(staffed: Town) -> None:
    """R-10."""
    asked = stop_of(Scope.ALL, "all", staffed)
    set_freeze(staffed, asked, LENA)
    lift(staffed, asked.id, OLGA)

    assert staffed.kinds()[-4:] == ["statement.made", "freeze.set", "statement.made", "freeze.lifted"]


def test_an_old_freeze_of_someone_who_left_is_not_revived(staffed: Town) -> None:
    """A freeze is believed by any key that was ever enrolled, so its signed end holds too."""
    set_freeze(staffed, stop_of(Scope.ALL, "all", staffed, days=1), LENA)
    staffed.now += timedelta(days=2)
    staffed.tamper(
        "INSERT INTO key_revocation VALUES (:key, 'x', 'lena', '2026-11-21T09:00:00.000000Z')",
        key=LENA.fingerprint,
    )

    assert "lena" not in staffed.state.roster.persons
    assert stops(staffed) == ()
