"""What a tool's entry says about one call."""

import pytest

from profiles.effects import Effect
from profiles.schema import ArgumentRole, EffectByArgument, ToolSpec

BY_MODE = ToolSpec.model_validate_json("""{
  "upstream": "crm",
  "effect": {"argument": "mode", "values": {"look": "read", "merge": "update", "true": "draft"}},
  "args": {"mode": "option", "to": {"role": "recipient", "many": true}},
  "each": "to"
}""")
EFFECTS = [
    ({"mode": "look"}, Effect.READ),
    ({"mode": "merge"}, Effect.UPDATE),
    ({"mode": True}, Effect.DRAFT),
    ({"mode": "LOOK"}, Effect.CRITICAL),
    ({"mode": "look "}, Effect.CRITICAL),
    ({"mode": "delete"}, Effect.CRITICAL),
    ({"mode": False}, Effect.CRITICAL),
    ({"mode": None}, Effect.CRITICAL),
    ({"mode": ["look"]}, Effect.CRITICAL),
    ({"mode": {"look": 1}}, Effect.CRITICAL),
    ({"mode": 1}, Effect.CRITICAL),
    ({}, Effect.CRITICAL),
]


@pytest.mark.parametrize(("args", "effect"), EFFECTS)
def test_an_effect_that_the_arguments_do_not_determine_is_critical(
    args: dict[str, object], effect: Effect
) -> None:
    """R-16."""
    assert BY_MODE.effect_of(args) is effect


def test_a_plain_effect_holds_whatever_the_arguments() -> None:
    tool = ToolSpec(upstream="crm", effect=Effect.SEND)

    assert tool.effect_of({"mode": "look"}) is Effect.SEND
    assert tool.effects == {Effect.SEND}


COUNTS = [
    ({"to": ["a", "b", "c"]}, 3),
    ({"to": []}, 1),
    ({"to": "abc"}, 1),
    ({"to": {"a": 1, "b": 2}}, 1),
    ({}, 1),
]


@pytest.mark.parametrize(("args", "count"), COUNTS)
def test_a_call_over_a_list_counts_as_many_actions(args: dict[str, object], count: int) -> None:
    """R-23."""
    assert BY_MODE.count_of(args) == count


def test_arguments_are_found_by_role() -> None:
    assert BY_MODE.with_role(ArgumentRole.RECIPIENT) == ("to",)
    assert BY_MODE.with_role(ArgumentRole.AMOUNT) == ()
    assert isinstance(BY_MODE.effect, EffectByArgument)
