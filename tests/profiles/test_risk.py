"""R-01 and R-46 to R-50: from traits to risk, controls, extras and review days, strictest wins."""

import pytest

from profiles.effects import Effect
from profiles.load import shipped_profile
from profiles.risk import Cadence, Control, ExtraControl, Risk, Trait, assess, implied_traits
from profiles.schema import ToolSpec

ALL = "C1 C2 C3 C4 C5 C6"
MONTHLY = (7, 14, 21, 28, 35, 65, 95)
FORTNIGHTLY = (7, 14, 21, 28, 35, 49, 63, 77, 91, 105, 119)
WEEKLY = tuple(range(7, 121, 7))
TABLE = [
    ("internal-docs", Risk.MEDIUM, "C1 C2 C4 C6", "", MONTHLY, False),
    ("internal-tool-api", Risk.MEDIUM, "C1 C2 C4 C6", "", MONTHLY, False),
    ("executes-approved-actions", Risk.HIGH, ALL, "", FORTNIGHTLY, False),
    ("beyond-text", Risk.HIGH, ALL, "", FORTNIGHTLY, False),
    ("customer-data", Risk.CRITICAL, ALL, "encryption-at-rest", WEEKLY, False),
    ("modifies-code", Risk.CRITICAL, ALL, "change-approval", MONTHLY, True),
    ("code-pipeline", Risk.CRITICAL, ALL, "change-approval", MONTHLY, True),
    ("external-parties", Risk.HIGH, "C1 C2 C3 C5 C6", "communication-review", WEEKLY, False),
    ("escalating-chatbot", Risk.HIGH, "C1 C2 C3 C5 C6", "communication-review", WEEKLY, False),
    ("internal-docs external-parties", Risk.HIGH, ALL, "communication-review", WEEKLY, False),
    ("beyond-text internal-docs", Risk.HIGH, ALL, "", FORTNIGHTLY, False),
    ("modifies-code beyond-text", Risk.CRITICAL, ALL, "change-approval", FORTNIGHTLY, True),
    ("modifies-code customer-data", Risk.CRITICAL, ALL, "encryption-at-rest change-approval", WEEKLY, True),
]


@pytest.mark.parametrize(("traits", "risk", "controls", "extra", "days", "every_change"), TABLE)
def test_traits_give_risk_controls_and_reviews(  # noqa: PLR0917 - one argument for each column of the table
    traits: str, risk: Risk, controls: str, extra: str, days: tuple[int, ...], every_change: bool
) -> None:
    found = assess(Trait(word) for word in traits.split())

    assert found.risk is risk
    assert found.controls == tuple(Control(word) for word in controls.split())
    assert found.extra == tuple(ExtraControl(word) for word in extra.split())
    assert found.cadence.due_days(until=120) == days
    assert found.cadence.every_change is every_change


def test_an_agent_without_traits_gets_the_strictest_of_everything() -> None:
    """R-16: unclassified is the highest class."""
    assert assess([]) == assess(list(Trait))
    assert assess([]).risk is Risk.CRITICAL
    assert assess([]).extra == tuple(ExtraControl)


def test_the_order_and_repetition_of_traits_do_not_matter() -> None:
    traits = [Trait.CUSTOMER_DATA, Trait.INTERNAL_DOCS]

    assert assess(traits) == assess(traits[::-1]) == assess(traits * 2)
    assert assess(traits).rows == ("R-46", "R-48")


def test_every_trait_belongs_to_a_row() -> None:
    assert {row for trait in Trait for row in assess([trait]).rows} == {f"R-{n}" for n in range(46, 51)}


def test_no_review_is_due_before_the_first_interval_is_over() -> None:
    assert Cadence(7, 30).due_days(until=6) == ()


IMPLIED = [
    ("doc-reader", set()),
    ("action-executor", {Trait.EXECUTES_APPROVED_ACTIONS, Trait.EXTERNAL_PARTIES}),
    ("code-maintainer", {Trait.EXECUTES_APPROVED_ACTIONS}),
    ("outreach", {Trait.EXTERNAL_PARTIES}),
]


@pytest.mark.parametrize(("name", "traits"), IMPLIED)
def test_effects_give_away_what_was_not_registered(name: str, traits: set[Trait]) -> None:
    assert implied_traits(shipped_profile(name).profile) == traits


def test_a_critical_tool_makes_its_agent_one_that_executes() -> None:
    profile = shipped_profile("doc-reader").profile
    tools = {"wipe": ToolSpec(upstream="docs", effect=Effect.CRITICAL)}

    assert implied_traits(profile.model_copy(update={"tools": tools})) == {Trait.EXECUTES_APPROVED_ACTIONS}
