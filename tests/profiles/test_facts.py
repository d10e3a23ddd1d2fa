"""What the rules get to know of a call's arguments."""

from decimal import Decimal

import pytest

from profiles.facts import CLAMP, SLOTS, Fact, in_ten_thousandths, read_facts
from profiles.tools import ArgumentRole, ArgumentSpec, ArgumentType


def _fact(role: str, kind: str, *, many: bool = False) -> Fact:
    return Fact("x", ArgumentSpec(role=ArgumentRole(role), type=ArgumentType(kind), many=many))


TEXT, AMOUNT, WHOLE, FLAG = ("id", "text"), ("amount", "number"), ("option", "integer"), ("option", "boolean")
READ = [
    (TEXT, "Ab", {"e0": {"exact": "Ab", "folded": "ab"}}),
    (TEXT, 7, None),
    (TEXT, ["Ab"], None),
    (TEXT, {"a": "b"}, None),
    (("recipient", "text"), "A@B.example", {"e0": {"exact": "a@b.example"}}),
    (FLAG, True, {"e0": {"exact": True}}),
    (FLAG, 1, None),
    (FLAG, "true", None),
    (WHOLE, 3, {"e0": {"exact": 30_000}}),
    (WHOLE, True, None),
    (WHOLE, "3", None),
    (AMOUNT, 12.5, {"e0": {"exact": 125_000}}),
    (AMOUNT, -0.0001, {"e0": {"exact": -1}}),
    (AMOUNT, 0.30000000000000004, None),
    (AMOUNT, "12.50", {"e0": {"exact": 125_000}}),
    (AMOUNT, "1e9", None),
    (AMOUNT, "1_000", None),
    (AMOUNT, "1,000", None),
    (AMOUNT, " 5", None),
    (AMOUNT, "٣", None),
    (AMOUNT, "NaN", None),
    (AMOUNT, float("nan"), None),
    (AMOUNT, float("inf"), None),
    (AMOUNT, 1e300, {"e0": {"exact": CLAMP}}),
    (AMOUNT, 2**63 - 1, {"e0": {"exact": CLAMP}}),
    (AMOUNT, -(2**63), {"e0": {"exact": -CLAMP}}),
    (AMOUNT, 10**4000, {"e0": {"exact": CLAMP}}),
]


@pytest.mark.parametrize(("kind", "value", "elements"), READ)
def test_a_value_reaches_the_rules_in_one_form_or_as_unclear(
    kind: tuple[str, str], value: object, elements: object
) -> None:
    facts = read_facts([_fact(*kind)], {"x": value})

    assert facts.args.get("x") == elements
    assert facts.unclear == ([] if elements else ["x"])


def test_an_absent_argument_and_null_are_the_same_and_not_unclear() -> None:
    for args in ({}, {"x": None}, {"y": "other"}):
        facts = read_facts([_fact(*TEXT)], args)

        assert (facts.args, facts.unclear) == ({}, [])


def test_a_list_gives_its_elements_one_by_one() -> None:
    facts = read_facts([_fact(*TEXT, many=True)], {"x": ["a", "b"]})

    assert facts.args == {"x": {"e0": {"exact": "a", "folded": "a"}, "e1": {"exact": "b", "folded": "b"}}}


LISTS = [("a",), [["a"]], ["a", None], ["a", 1], "a", {"0": "a"}, ["a"] * (SLOTS + 1)]


@pytest.mark.parametrize("value", LISTS[1:])
def test_a_list_that_cannot_be_read_whole_is_unclear(value: object) -> None:
    assert read_facts([_fact(*TEXT, many=True)], {"x": value}).unclear == ["x"]


def test_a_list_of_the_longest_length_is_read() -> None:
    facts = read_facts([_fact(*TEXT, many=True)], {"x": ["a"] * SLOTS})

    assert len(facts.args["x"]) == SLOTS


def test_only_what_the_rules_test_is_passed_on() -> None:
    assert read_facts([], {"x": "secret"}).args == {}


def test_numbers_beyond_every_bound_are_clamped_and_keep_their_order() -> None:
    bound = in_ten_thousandths(Decimal(10) ** 11)

    assert bound is not None
    assert bound < CLAMP == in_ten_thousandths(Decimal(10) ** 12)
    assert in_ten_thousandths(-(Decimal(10) ** 12)) == -CLAMP
