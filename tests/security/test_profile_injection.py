"""Threat: text in a profile breaks out of its Cedar literal, or a value changes what a rule means."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.errors import ProfileError
from profiles.load import parse_profile
from runtime.cedar import CedarEngine, CedarOutcome, CedarRequest

FORM = {
    "profile": "clerk",
    "version": 1,
    "purpose": "Try hostile text in every place that takes text.",
    "image": "handrail/agent:1",
    "upstreams": {"desk": {"kind": "http", "url": "https://desk.example/"}},
    "tools": {"look": {"upstream": "desk", "effect": "read", "args": {"x": "body"}}},
}
HOSTILE = st.text(st.sampled_from("\"\\*'(){}[];|&!=@/ \nabé\u202e\U0001d4b6"), min_size=1, max_size=12)
PRINTABLE = HOSTILE.filter(lambda text: all(letter >= " " for letter in text))


def _bytes(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _engine(operator: str, value: str) -> CedarEngine:
    rule = {"id": "n", "text": "Never that value.", "tools": ["look"]}
    data = FORM | {"never": [{**rule, "when": [{"argument": "x", operator: [value]}]}]}
    profile = parse_profile(_bytes(data), source="hostile").profile
    return CedarEngine.from_compiled(compile_profile(profile))


def _forbids(engine: CedarEngine, value: object) -> bool:
    granted = frozenset({Effect.READ})
    answer = engine.decide(CedarRequest("bot", "look", "desk", Effect.READ, granted, {"x": value}))
    assert answer.errors == ()
    return answer.outcome is CedarOutcome.FORBIDDEN


@settings(max_examples=40)
@given(named=HOSTILE, sent=HOSTILE)
def test_a_value_in_a_rule_means_itself_whatever_is_in_it(named: str, sent: str) -> None:
    """R-14: quotes, backslashes, stars and brackets are letters."""
    assert _forbids(_engine("not_one_of", named), sent) is (sent != named)


@settings(max_examples=40)
@given(named=PRINTABLE.filter(lambda text: "*" not in text), sent=HOSTILE)
def test_a_pattern_without_a_wildcard_matches_only_itself(named: str, sent: str) -> None:
    assert _forbids(_engine("not_like", named), sent) is (sent != named)


@settings(max_examples=40)
@given(before=PRINTABLE, after=PRINTABLE, middle=HOSTILE)
def test_an_escaped_star_is_a_star_and_a_bare_one_is_anything(before: str, after: str, middle: str) -> None:
    before, after = before.replace("*", "").rstrip("\\"), after.replace("*", "")
    wildcard = _engine("not_like", f"{before}*{after}")
    literal = _engine("not_like", rf"{before}\*{after}")

    assert not _forbids(wildcard, before + middle + after)
    assert not _forbids(literal, f"{before}*{after}")
    assert _forbids(literal, before + middle + after) is (middle != "*")


@settings(max_examples=40)
@given(
    tool=st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8),
    more=st.text(st.sampled_from("._-"), max_size=3),
    argument=st.text(string.ascii_letters + "_", min_size=1, max_size=8),
)
def test_every_name_the_schema_takes_is_a_name_that_cedar_takes(tool: str, more: str, argument: str) -> None:
    """Reserved words of Cedar (`permit`, `in`, `true`, `has`...) are names like any other."""
    for name in (tool + more, "permit", "in", "true", "__cedar", "context"):
        look = {
            "upstream": "desk",
            "effect": "read",
            "args": {argument + more: "body", "if": "id", "has": "id"},
        }
        when = [{"argument": "if", "like": ["x"]}, {"argument": argument + more, "like": ["x"]}]
        never = [{"id": "n", "text": "Never that value.", "tools": [name], "when": when}]
        data = FORM | {"tools": {name: look}, "never": never}
        profile = parse_profile(_bytes(data), source="names").profile
        engine = CedarEngine.from_compiled(compile_profile(profile))
        granted = frozenset({Effect.READ})
        args = {argument + more: "x", "if": "x"}

        answer = engine.decide(CedarRequest("bot", name, "desk", Effect.READ, granted, args))
        assert answer.outcome is CedarOutcome.FORBIDDEN, answer


NAMES = ["lo\u043ek", "look ", "l\u200book", "look\n", 'look"', "*", "lo/ok", "\u00e9"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_not_plain_ascii_never_loads(name: str) -> None:
    """Two names that look alike cannot both be in a profile, because only plain ASCII can."""
    never = [{"id": "n", "text": "Never that value.", "tools": ["wipe"]}]
    data = FORM | {"tools": {name: {"upstream": "desk", "effect": "read"}}, "never": never}

    with pytest.raises(ProfileError, match="expected text that matches"):
        parse_profile(_bytes(data), source="names")
