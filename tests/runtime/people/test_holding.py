"""Who may decide what by a change of the policy, told before it is signed."""

import pytest

from profiles.load import parse_policy
from profiles.policy import Policy, Role
from runtime.people.edit import with_people, without_person
from runtime.people.errors import ChangeError
from runtime.people.holding import Holding, check_groups, holdings
from tests.standins.persons import Person, policy_of

ALICE, BOB, CAROL = Person("alice"), Person("bob"), Person("carol")
TEXT = policy_of(ALICE.enrolled("operations", "policy"), BOB.enrolled("review", "night-shift"))


def policy(text: str) -> Policy:
    return parse_policy(text.encode(), source="test").policy


def test_whoever_is_new_or_holds_something_else_is_named_and_nobody_else() -> None:
    added = with_people(
        TEXT, [CAROL.enrolled("security", "night-shift"), Person("dave").enrolled()], version=2
    )
    moved = TEXT.replace("review, night-shift", "night-shift")

    assert holdings(policy(TEXT), policy(TEXT)) == ()
    assert holdings(policy(TEXT), policy(added)) == (
        Holding("carol", (Role.SECURITY,), None, ("night-shift",)),
        Holding("dave", (), None, ()),
    )
    assert holdings(policy(TEXT), policy(moved)) == (Holding("bob", (), (Role.REVIEWER,), ("night-shift",)),)


def test_a_role_that_loses_its_group_is_told_at_each_person_who_had_it() -> None:
    """A slip in the policy's own list of groups takes the role of everybody in the group."""
    slipped = TEXT.replace("groups: [operations, review]", "groups: [operations, reveiw]")
    assert slipped != TEXT

    (bob,) = holdings(policy(TEXT), policy(slipped))

    assert bob == Holding("bob", (), (Role.REVIEWER,), ("night-shift", "review"))


def test_a_revoked_person_holds_nothing_and_has_no_idle_groups() -> None:
    gone = without_person(TEXT, "bob", version=2)

    assert holdings(policy(TEXT), policy(gone)) == (Holding("bob", (), (Role.REVIEWER,), ()),)


def test_without_a_policy_before_everybody_is_new() -> None:
    assert [one.before for one in holdings(None, policy(TEXT))] == [None, None]


@pytest.mark.parametrize(
    ("groups", "refused"),
    [
        (("review",), ""),
        (("night-shift",), ""),
        ((), ""),
        (("review", "reveiw"), "reveiw"),
        (("Review",), "Rev"),
    ],
)
def test_a_group_is_one_that_the_policy_has(groups: tuple[str, ...], refused: str) -> None:
    """A misspelt group gives no role, and nobody would notice."""
    if not refused:
        check_groups(policy(TEXT), [CAROL.enrolled(*groups)])
        return
    with pytest.raises(
        ChangeError, match=f"`carol`: got the group {refused}.*, expected one of audit, domain, "
    ):
        check_groups(policy(TEXT), [CAROL.enrolled(*groups)])
