"""Threat: a word that was given once is used again, elsewhere, or for something else (F9)."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from runtime.grants import Issued
from runtime.people.changes import Waiting, next_version, sign_change
from runtime.people.edit import with_people
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import LIFETIME, SignedStatement
from tests.standins.persons import Town
from tests.standins.towns import OLGA, STAFF, allowed, hand_in, order, staffed, town

__all__ = ["staffed", "town"]

OTHER = "d2" * 32


def refused_as(answer: object) -> RefusalCode | None:
    return answer.code if isinstance(answer, Refused) else None


def test_the_same_words_twice_are_refused(staffed: Town) -> None:
    asked = order(staffed, Effect.READ)
    signed = [staffed.signed(OLGA, asked.matter())]

    assert isinstance(hand_in(staffed, asked, signed), Issued)
    assert refused_as(hand_in(staffed, asked, signed)) is RefusalCode.USED


def test_the_same_words_under_another_spelling_of_the_signature_are_refused(staffed: Town) -> None:
    """What is used up is the nonce, so a signature re-wrapped or malleated is no second word."""
    asked = order(staffed, Effect.READ)
    signed = staffed.signed(OLGA, asked.matter())
    hand_in(staffed, asked, [signed])
    rewrapped = SignedStatement(signed.body, signed.signature.replace("\n", "\r\n"))

    assert refused_as(hand_in(staffed, asked, [rewrapped])) is RefusalCode.USED


def test_another_statement_with_a_used_nonce_is_refused(staffed: Town) -> None:
    first, second = order(staffed, Effect.READ), order(staffed, Effect.READ)
    nonce = b"0123456789abcdef"
    where = {"to": staffed.installation, "at": staffed.now, "nonce": nonce}
    hand_in(staffed, first, [OLGA.says(first.matter(), **where)])

    assert refused_as(hand_in(staffed, second, [OLGA.says(second.matter(), **where)])) is RefusalCode.USED


@pytest.mark.parametrize(
    "other",
    [
        {"deployment": OTHER},
        {"effect": Effect.DRAFT},
        {"days": 8},
        {"requester": "else"},
        {"owner": "else"},
    ],
)
def test_words_for_one_grant_carry_no_other(staffed: Town, other: dict[str, object]) -> None:
    given = order(staffed, Effect.READ)
    asked = order(staffed, **{"effect": Effect.READ, **other})  # type: ignore[arg-type]  # a table of fields

    assert (
        refused_as(hand_in(staffed, asked, [staffed.signed(OLGA, given.matter())]))
        is RefusalCode.OTHER_MATTER
    )


def test_words_for_another_installation_carry_nothing_here(staffed: Town) -> None:
    asked = order(staffed, Effect.READ)
    signed = OLGA.says(asked.matter(), to="handrail/log-elsewhere", at=staffed.now)

    assert refused_as(hand_in(staffed, asked, [signed])) is RefusalCode.OTHER_INSTALLATION
    assert allowed(staffed) == set()


def test_words_kept_for_later_are_refused_later(staffed: Town) -> None:
    asked = order(staffed, Effect.READ)
    signed = staffed.signed(OLGA, asked.matter())
    short = staffed.signed(OLGA, asked.matter(), expires=staffed.now + timedelta(minutes=5))

    staffed.later(minutes=5)
    assert refused_as(hand_in(staffed, asked, [short])) is RefusalCode.EXPIRED
    staffed.now += LIFETIME
    assert refused_as(hand_in(staffed, asked, [signed])) is RefusalCode.EXPIRED


def test_a_refused_word_leaves_nothing_behind(staffed: Town) -> None:
    asked = order(staffed, Effect.DRAFT)
    before = staffed.count("statement")

    hand_in(staffed, asked, [staffed.signed(OLGA, asked.matter())])

    assert staffed.count("statement") == before


def test_the_same_signature_on_a_policy_change_twice_is_refused(staffed: Town) -> None:
    """F5: two tabs."""
    policy = with_people(STAFF, [], version=2)
    version = next_version(staffed.state, policy)
    staffed.change(policy, OLGA)
    signed = staffed.signed(OLGA, version.matter)

    answers = [
        staffed.write(
            lambda tx: sign_change(tx, staffed.book.current(tx.conn), version.digest, signed, now=staffed.now)
        )
        for _ in range(2)
    ]

    assert isinstance(answers[0], Waiting)
    assert refused_as(answers[1]) is RefusalCode.USED
