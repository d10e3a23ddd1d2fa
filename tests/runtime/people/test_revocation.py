"""A key is dead at once, by one signature, and for ever."""

import pytest

from runtime.people.changes import Waiting
from runtime.people.edit import with_people
from runtime.people.errors import ChangeError
from runtime.people.listing import list_people
from runtime.people.pin import read_pin
from runtime.people.revocation import Revoked, matter_to_revoke, revoke_keys
from runtime.people.roster import RefusalCode, Refused
from tests.standins.persons import Person, Town, policy_of

ALICE, BOB, CAROL, DAVE = Person("alice"), Person("bob"), Person("carol"), Person("dave")
ALL = policy_of(
    ALICE.enrolled("policy"), BOB.enrolled("policy"), CAROL.enrolled("policy"), DAVE.enrolled("review")
)


@pytest.fixture
def begun(town: Town) -> Town:
    town.begin(ALL, ALICE, BOB, CAROL, DAVE)
    return town


def revoke(town: Town, person: Person, *, by: Person) -> Revoked | Refused:
    signed = town.signed(by, matter_to_revoke(town.state, person.name, reason="laptop lost"))
    answer = town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=town.now))
    town.read(town.book.remember)
    return answer


@pytest.mark.parametrize(("by", "done"), [(ALICE, True), (BOB, True), (DAVE, False)])
def test_the_person_and_the_holders_of_the_policy_role_can_do_it(begun: Town, by: Person, done: bool) -> None:
    answer = revoke(begun, ALICE, by=by)

    assert answer == Revoked("alice", (ALICE.fingerprint,)) if done else isinstance(answer, Refused)
    assert ("alice" in begun.state.roster.persons) is not done


def test_a_dead_key_signs_no_change_any_more(begun: Town) -> None:
    revoke(begun, ALICE, by=BOB)

    begun.restart()
    answer = begun.change(with_people(ALL, [], version=2), BOB)
    assert isinstance(answer, Waiting)

    late = begun.change(with_people(ALL, [], version=2), ALICE)
    assert isinstance(late, Refused)
    assert late.code is RefusalCode.REVOKED


def test_a_signature_given_before_the_key_died_does_not_count_after(begun: Town) -> None:
    policy = with_people(ALL, [], version=2)
    begun.change(policy, ALICE)
    revoke(begun, ALICE, by=BOB)

    answer = begun.change(policy, CAROL)

    assert isinstance(answer, Waiting)


def test_what_was_in_force_before_a_key_died_stays_in_force(begun: Town) -> None:
    begun.change(with_people(ALL, [], version=2), ALICE, BOB)
    revoke(begun, ALICE, by=BOB)
    begun.restart()

    assert begun.state.head.version == 2
    assert begun.state.problems == ()


def test_the_pin_remembers_dead_keys(begun: Town) -> None:
    revoke(begun, ALICE, by=BOB)

    assert read_pin(begun.pin_path).revoked == {ALICE.fingerprint: 1}


def test_new_keys_for_a_person_come_with_a_policy_change(begun: Town) -> None:
    revoke(begun, ALICE, by=BOB)
    renewed = Person("alice")

    begun.change(
        begun.state.head.text.replace(ALICE.line, renewed.line).replace("version: 1", "version: 2"),
        BOB,
        CAROL,
    )

    assert "alice" in begun.state.roster.persons
    alice = next(person for person in list_people(begun.state) if person.name == "alice")
    assert [key.fingerprint for key in alice.keys] == [renewed.fingerprint]


def test_putting_a_dead_key_back_into_the_policy_does_not_revive_it(begun: Town) -> None:
    revoke(begun, ALICE, by=BOB)

    begun.change(with_people(ALL, [], version=2), BOB, CAROL)

    assert "alice" not in begun.state.roster.persons


def test_nobody_can_revoke_a_stranger(begun: Town) -> None:
    with pytest.raises(ChangeError, match="not enrolled"):
        matter_to_revoke(begun.state, "mallory", reason="who?")
