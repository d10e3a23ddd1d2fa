"""The table of effect and tier, all of it."""

from dataclasses import replace
from itertools import product

import pytest

from profiles.effects import Effect, Tier
from profiles.schema import Profile
from runtime.gate.answers import Answer, ReasonCode
from runtime.gate.checks.ladder import check_ladder
from runtime.gate.facts import Facts, Power
from tests.standins.decisions import facts_at, reading_of_effect, small_profile

READ, DRAFT, UPDATE, SEND, CRITICAL = Effect
A, H, S, D = Answer.ALLOW, Answer.HOLD, Answer.SUGGEST, Answer.DENY

# Rows: tier 0 to 4. Columns: read, draft, update, send, critical. Draft and update are in `hold_above_tier`.
TABLE = [
    [A, S, S, S, S],
    [A, A, H, S, S],
    [A, A, A, S, S],
    [A, A, A, A, S],
    [A, A, A, A, H],
]
ALL = tuple(Effect)
CELLS = list(product(Tier, Effect))


@pytest.mark.parametrize(("tier", "effect"), CELLS)
def test_the_table_of_effect_and_tier(tier: Tier, effect: Effect) -> None:
    """DESIGN section 2, every cell."""
    verdict = check_ladder(reading_of_effect(effect), facts_at(tier))

    assert verdict.answer is TABLE[tier][list(Effect).index(effect)]


@pytest.mark.parametrize(("tier", "effect"), CELLS)
def test_without_hold_above_tier_nothing_but_a_critical_action_is_held(tier: Tier, effect: Effect) -> None:
    profile = small_profile(hold_above_tier=[])

    verdict = check_ladder(reading_of_effect(effect), facts_at(tier, profile))

    assert (verdict.answer is H) == (effect is CRITICAL and tier is Tier.CRITICAL)


@pytest.mark.parametrize("effect", Effect)
def test_without_a_grant_all_is_denied(effect: Effect) -> None:
    """DESIGN section 5: no grant -> deny."""
    verdict = check_ladder(reading_of_effect(effect), _granted())

    assert (verdict.answer, verdict.reasons[0].code) == (D, ReasonCode.NO_GRANT)


@pytest.mark.parametrize("effect", Effect)
def test_write_grants_without_the_read_grant_are_worth_nothing(effect: Effect) -> None:
    assert check_ladder(reading_of_effect(effect), _granted(DRAFT, UPDATE, SEND, CRITICAL)).answer is D


def test_a_class_is_not_usable_while_a_lower_one_that_the_profile_uses_is_ungranted() -> None:
    """R-33."""
    facts = _granted(READ, DRAFT, SEND)

    assert check_ladder(reading_of_effect(SEND), facts).answer is S
    assert check_ladder(reading_of_effect(UPDATE), facts).answer is H


def test_a_lower_class_that_the_profile_does_not_use_need_not_be_granted() -> None:
    """R-33."""
    facts = _granted(READ, SEND, profile=small_profile(effects=[READ, SEND], hold_above_tier=[]))

    assert check_ladder(reading_of_effect(SEND), facts).answer is A
    assert check_ladder(reading_of_effect(UPDATE), facts).answer is S


def test_tier_0_never_holds_a_write() -> None:
    profile = small_profile(hold_above_tier=[DRAFT, UPDATE, SEND])

    answers = {check_ladder(reading_of_effect(e), facts_at(Tier.OBSERVE, profile)).answer for e in ALL[1:]}

    assert answers == {S}


@pytest.mark.parametrize(
    "granted", [subset for n in range(32) for subset in [[e for i, e in enumerate(ALL) if n >> i & 1]]]
)
def test_more_grants_never_make_an_answer_stricter_and_nothing_ungranted_is_allowed(
    granted: list[Effect],
) -> None:
    for effect in Effect:
        answer = check_ladder(reading_of_effect(effect), _granted(*granted)).answer
        with_more = check_ladder(reading_of_effect(effect), _granted(*ALL)).answer
        assert answer.rank >= with_more.rank
        assert answer is not A or effect in granted


def _granted(*effects: Effect, profile: Profile | None = None) -> Facts:
    return replace(facts_at(Tier.OBSERVE, profile), power=Power(frozenset(effects)))
