"""How many different persons, of which roles and groups."""

import pytest

from profiles.load import parse_policy
from profiles.policy import Quorum, Role
from runtime.people.quorum import Met, Short, check_quorum, distinct_groups
from runtime.people.roster import Roster, build_roster
from tests.standins.persons import Person, policy_of

PEOPLE = {
    "olga": ("operations",),
    "rosa": ("rollout",),
    "ravi": ("rollout", "security"),
    "dora": ("domain",),
    "sven": ("security",),
    "lena": ("leadership",),
    "zoe": (),
}
BOTH = Quorum(count=2, roles=(Role.ROLLOUT_MANAGER, Role.SECURITY), each_of=(Role.SECURITY,), groups=2)
ONE = Quorum(count=1, roles=(Role.ROLLOUT_MANAGER,))
LED = BOTH.model_copy(update={"acknowledged_by": Role.LEADERSHIP})


def roster(*, revoked: str | None = None) -> Roster:
    persons = {name: Person(name) for name in PEOPLE}
    enrolled = [
        person.enrolled(*PEOPLE[name], identities=[f"unix:{name}"]) for name, person in persons.items()
    ]
    policy = parse_policy(policy_of(*enrolled).encode(), source="test").policy
    dead = [persons[revoked].fingerprint] if revoked else []
    return build_roster(policy, installation="here", source="v", revoked=dead)


ROSTER = roster()


@pytest.mark.parametrize(
    ("quorum", "voices", "excluded", "met"),
    [
        pytest.param(ONE, [], [], False, id="nobody"),
        pytest.param(ONE, ["rosa"], [], True, id="one of one"),
        pytest.param(ONE, ["zoe"], [], False, id="no role"),
        pytest.param(ONE, ["nobody"], [], False, id="a stranger"),
        pytest.param(ONE, ["rosa"], ["rosa"], False, id="the requester"),
        pytest.param(ONE, ["rosa"], ["unix:rosa"], False, id="the requester by an account"),
        pytest.param(ONE, ["rosa"], ["UNIX:Rosa"], False, id="the requester by an account, other case"),
        pytest.param(BOTH, ["rosa", "sven"], [], True, id="two persons, two groups"),
        pytest.param(BOTH, ["rosa", "rosa"], [], False, id="one person twice"),
        pytest.param(BOTH, ["rosa", "lena"], [], False, id="the second has another role"),
        pytest.param(BOTH, ["ravi"], [], False, id="one person in both groups"),
        pytest.param(BOTH, ["ravi", "sven"], [], True, id="one of them in both groups"),
        pytest.param(BOTH, ["ravi", "rosa"], [], True, id="the one in both brings security"),
        pytest.param(BOTH, ["rosa", "sven"], ["sven"], False, id="one of two excluded"),
        pytest.param(LED, ["rosa", "sven"], [], False, id="not acknowledged"),
        pytest.param(LED, ["rosa", "sven", "lena"], [], True, id="acknowledged"),
        pytest.param(LED, ["sven", "lena"], [], False, id="an acknowledgement is no second voice"),
    ],
)
def test_quorum(quorum: Quorum, voices: list[str], excluded: list[str], met: bool) -> None:
    answer = check_quorum(quorum, voices, ROSTER, excluded=excluded)

    assert isinstance(answer, Met) is met
    assert isinstance(answer, Met) or answer.missing


def test_a_count_of_zero_is_never_satisfied() -> None:
    """OpenBao's `approvals: 0`: it cannot be loaded, and if it were there it would open nothing."""
    nobody = ONE.model_copy(update={"count": 0, "groups": 0})

    assert isinstance(check_quorum(nobody, [], ROSTER), Short)


def test_an_approver_whose_key_died_is_no_voice_any_more() -> None:
    """F6: looked up again at each use."""
    assert isinstance(check_quorum(ONE, ["rosa"], roster(revoked="rosa")), Short)


def test_the_answer_says_what_is_missing() -> None:
    answer = check_quorum(BOTH, ["rosa"], ROSTER)

    assert answer == Short(
        (
            "a person with the role security",
            "1 more of 2 with the role rollout-manager or security",
            "persons of 2 different groups, found 1",
        )
    )


@pytest.mark.parametrize(
    ("groups", "count"),
    [
        ({}, 0),
        ({"a": frozenset[str]()}, 0),
        ({"a": frozenset("xy")}, 1),
        ({"a": frozenset("xy"), "b": frozenset("x")}, 2),
        ({"a": frozenset("x"), "b": frozenset("x")}, 1),
        ({"a": frozenset("xy"), "b": frozenset("x"), "c": frozenset("y")}, 2),
    ],
)
def test_each_group_is_brought_by_another_person(groups: dict[str, frozenset[str]], count: int) -> None:
    assert distinct_groups(groups) == count
