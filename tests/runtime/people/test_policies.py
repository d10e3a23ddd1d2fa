"""The policy is a chain of versions, each signed by those who could change the one before."""

import pytest

from runtime.people.changes import Applied, Waiting, init_policy, next_version, pending_changes, sign_change
from runtime.people.edit import with_people, without_person
from runtime.people.errors import ChangeError, PolicyChainError
from runtime.people.listing import list_people
from runtime.people.pin import Pin, read_pin, write_pin
from runtime.people.versions import Version, read_policy
from tests.standins.persons import Person, Town, policy_of

ALICE, BOB, CAROL = Person("alice"), Person("bob"), Person("carol")
TWO = policy_of(ALICE.enrolled("operations", "policy"), BOB.enrolled("rollout", "policy"))
WITH_CAROL = with_people(TWO, [CAROL.enrolled("security")], version=2)


def test_init_puts_version_1_in_force_when_all_its_keys_signed(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)

    assert town.state.head.version == 1
    assert town.state.roster.persons == ("alice", "bob")
    assert town.state.problems == ()


def test_init_is_refused_while_a_key_has_not_signed_and_leaves_nothing(town: Town) -> None:
    with pytest.raises(ChangeError, match="each of its keys"):
        town.begin(TWO, ALICE)

    assert town.count("statement") == 0
    assert town.count("policy_version") == 0


def test_init_can_be_repeated_when_a_crash_left_a_pin_and_no_policy(town: Town) -> None:
    write_pin(town.pin_path, Pin("a" * 64, 1, "a" * 64, {}))

    town.begin(TWO, ALICE, BOB)

    assert town.read(town.book.remember).head.version == 1


def test_init_happens_once(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)

    with pytest.raises(ChangeError, match="has a policy"):
        town.begin(TWO, ALICE, BOB)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (policy_of(), "enrols nobody"),
        (policy_of(ALICE.enrolled("operations")), "needs the role policy"),
        (policy_of(ALICE.enrolled("policy"), BOB.enrolled("review")), "nobody could change"),
        (policy_of(ALICE.enrolled("policy"), version=2), "expected 1"),
        ("policy: [", "cannot be read"),
    ],
)
def test_a_first_policy_that_could_never_be_changed_is_refused(town: Town, policy: str, said: str) -> None:
    with pytest.raises((ChangeError, PolicyChainError), match=said):
        town.write(lambda tx: init_policy(tx, policy, [], installation=town.installation))


def test_a_policy_that_cannot_be_read_is_named_once() -> None:
    with pytest.raises(PolicyChainError) as caught:
        read_policy(Version(1, None, TWO.replace("version: 1", "version: one")))

    assert str(caught.value).startswith("policy version 1 cannot be read: line ")
    assert str(caught.value).count("policy version 1") == 1


def test_one_signature_leaves_the_policy_as_it_is_and_the_second_changes_it(town: Town) -> None:
    """F25: a policy change needs two persons."""
    town.begin(TWO, ALICE, BOB)

    first = town.change(WITH_CAROL, ALICE)
    assert isinstance(first, Waiting)
    assert town.state.head.version == 1

    second = town.change(WITH_CAROL, BOB)
    assert second == Applied(2, first.digest, ("alice", "bob"))
    assert town.state.roster.persons == ("alice", "bob", "carol")


def test_the_same_person_twice_is_one_voice(town: Town) -> None:
    """F5: two statements, both valid and different, by one person."""
    town.begin(TWO, ALICE, BOB)

    assert isinstance(town.change(WITH_CAROL, ALICE, ALICE), Waiting)


def test_two_keys_of_one_person_are_one_voice(town: Town) -> None:
    """F7: a second key adds no voice."""
    token = Person("alice")
    two = policy_of(ALICE.enrolled("policy", also=[token]), BOB.enrolled("policy"))
    changed = with_people(two, [CAROL.enrolled()], version=2)
    town.begin(two, ALICE, token, BOB)

    assert isinstance(town.change(changed, ALICE, token), Waiting)
    assert isinstance(town.change(changed, BOB), Applied)


def test_a_person_without_the_policy_role_cannot_help_to_change_it(town: Town) -> None:
    three = policy_of(ALICE.enrolled("policy"), BOB.enrolled("policy"), CAROL.enrolled("security"))
    town.begin(three, ALICE, BOB, CAROL)

    answer = town.change(with_people(three, [], version=2), ALICE, CAROL)

    assert isinstance(answer, Waiting)
    assert answer.missing == ("1 more of 2 with the role policy",)


def test_a_person_added_by_version_2_has_a_voice_on_version_3_only(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)
    dave = Person("dave")
    second = with_people(TWO, [dave.enrolled("policy")], version=2)
    town.change(second, ALICE, BOB)
    town.restart()

    answer = town.change(with_people(second, [CAROL.enrolled()], version=3), ALICE, dave)

    assert isinstance(answer, Applied)
    assert answer.signers == ("alice", "dave")


def test_a_change_expires_after_seven_days(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)
    town.change(WITH_CAROL, ALICE)
    assert len(town.read(lambda conn: pending_changes(conn, town.state, now=town.now))) == 1

    town.later(days=7)

    with pytest.raises(ChangeError, match="expired"):
        town.change(WITH_CAROL, BOB)
    assert town.read(lambda conn: pending_changes(conn, town.state, now=town.now)) == ()


def test_a_change_is_void_once_another_came_first(town: Town) -> None:
    """F8: what was signed was a step from version 1; it is none from version 2."""
    town.begin(TWO, ALICE, BOB)
    matter = next_version(town.state, with_people(TWO, [], version=2)).matter
    overtaken = town.change(with_people(TWO, [], version=2), ALICE)
    assert isinstance(overtaken, Waiting)
    town.change(WITH_CAROL, ALICE, BOB)
    late = town.signed(BOB, matter)

    with pytest.raises(ChangeError, match="overtaken"):
        town.write(lambda tx: sign_change(tx, town.state, overtaken.digest, late, now=town.now))


def test_a_change_after_which_nobody_could_change_the_policy_is_refused(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)

    with pytest.raises(ChangeError, match="nobody could change"):
        town.change(without_person(TWO, "bob", version=2), ALICE, BOB)


def test_a_revoked_person_keeps_the_name_and_loses_everything_else(town: Town) -> None:
    three = with_people(WITH_CAROL, [], version=1)
    town.begin(three, ALICE, BOB, CAROL)

    town.change(without_person(three, "carol", version=2), ALICE, BOB)

    carol = next(person for person in list_people(town.state) if person.name == "carol")
    assert (carol.counts, carol.groups, carol.roles) == (False, (), ())
    assert [key.counts for key in carol.keys] == [False]
    with pytest.raises(ChangeError, match="taken"):
        with_people(town.state.head.text, [CAROL.enrolled()], version=3)


def test_every_step_stands_in_the_record(town: Town) -> None:
    """R-10: who changed the policy, and who was enrolled."""
    town.begin(TWO, ALICE, BOB)
    town.change(WITH_CAROL, ALICE, BOB)

    kinds = town.kinds()

    assert kinds.count("policy.changed") == 2
    assert kinds.count("person.added") == 3
    assert kinds.count("statement.made") == 4


def test_the_pin_follows_the_policy_and_the_root_stays(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)
    root = read_pin(town.pin_path).root
    town.change(WITH_CAROL, ALICE, BOB)

    pin = read_pin(town.pin_path)

    assert (pin.root, pin.version, pin.head) == (root, 2, town.state.head.digest)


def test_a_crash_between_commit_and_pin_loses_nothing(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)
    before = town.pin_path.read_bytes()
    town.change(WITH_CAROL, ALICE, BOB)
    town.pin_path.write_bytes(before)
    town.restart()

    assert town.read(town.book.remember).head.version == 2
    assert read_pin(town.pin_path).version == 2


def test_without_a_pin_nothing_is_believed(town: Town) -> None:
    town.begin(TWO, ALICE, BOB)
    town.pin_path.unlink()
    town.restart()

    with pytest.raises(PolicyChainError, match="handrail init"):
        town.read(town.book.current)


@pytest.mark.parametrize("content", ["", "{}", '{"root": "x"}', '{"root": null}'])
def test_a_broken_pin_is_an_error_that_names_the_file(town: Town, content: str) -> None:
    town.begin(TWO, ALICE, BOB)
    town.pin_path.write_text(content)
    town.restart()

    with pytest.raises(PolicyChainError, match=r"policy\.pin cannot be read"):
        town.read(town.book.current)


def test_a_text_that_was_read_at_its_place_is_refused_at_another() -> None:
    """What was read before is not taken for what stands at another place of the chain."""
    assert read_policy(Version(1, None, TWO)).version == 1

    with pytest.raises(PolicyChainError, match="its text says version 1; expected 2"):
        read_policy(Version(2, "a" * 64, TWO))
