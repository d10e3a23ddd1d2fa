"""The threat: a gate that lets something through because something is missing, broken or odd.

Each test is a mistake that others shipped (DESIGN section 5), or an input made to confuse ("Bad input").
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.load import parse_profile
from runtime.cedar import CedarEngine
from runtime.gate.answers import Answer, Decision, ReasonCode, Verdict, allow, join
from runtime.gate.checks.approval import held_pairs
from runtime.gate.checks.rules import check_rules
from runtime.gate.decide import decide
from runtime.gate.facts import Approval, Power, Standing
from runtime.gate.replies import PENDING_TEXT, WITHHELD_TEXT, Done, Pending, Withheld
from runtime.gate.states import HoldState
from tests.standins.decisions import action_of, codes_of, decided, facts_at, office, small_profile
from tests.standins.workshop import PROFILE, Workshop, make_workshop

MAIL = {"to": ["a@known.example"], "subject": "Hi", "body": "Yes."}


@pytest.fixture
def new_workshop(tmp_path: Path) -> Iterator[Callable[..., Workshop]]:
    made: list[Workshop] = []

    def make(**options: Any) -> Workshop:
        made.append(make_workshop(tmp_path / str(len(made)), **options))
        return made[-1]

    yield make
    for shop in made:
        shop.town.close()


def test_no_verdict_at_all_is_a_deny() -> None:
    assert join([]).answer is Answer.DENY


def test_a_verdict_that_is_not_allow_must_say_why() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        Verdict("check", Answer.HOLD)


def test_the_mildest_answer_is_never_a_default() -> None:
    """smokescreen: the zero value of an enum must not be allow."""
    assert Standing() == Standing(live=False, attested=False, deployment_current=False)
    assert Power().granted == frozenset()
    assert not any(isinstance(field.default, Answer) for field in Decision.__dataclass_fields__.values())


def test_one_deny_beats_any_number_of_allows() -> None:
    """Forbids first, always win."""
    denied = decided("shred", {"number": "1"}, tier=4).decision.verdicts

    assert join([*[allow(str(i)) for i in range(50)], *denied]).answer is Answer.DENY


def test_a_rule_that_cannot_be_evaluated_denies() -> None:
    """Cedar skips an erroring forbid; here an engine of another profile is asked."""
    other = CedarEngine.from_compiled(compile_profile(small_profile()))

    found = decide(action_of("list_folders"), replace(facts_at(4, office()), engine=other))

    assert (found.answer, codes_of(found)) == (Answer.DENY, {"rule_error"})


def test_a_rules_engine_that_crashes_denies() -> None:
    class Crashing:
        def decide(self, request: object) -> object:
            raise MemoryError(request)

    facts = replace(facts_at(4, office()), engine=Crashing())  # type: ignore[arg-type]  # a crash has no type

    assert codes_of(decide(action_of("list_folders"), facts)) == {"check_error"}


@pytest.mark.parametrize("amount", [2**63 - 1, 2**63, -(2**63), 2**64, 10**300, 1e308, -0.0])
def test_great_numbers_open_nothing(amount: float) -> None:
    """2^63-1 against Cedar: an overflow in a rule must not skip it."""
    text = PROFILE.replace(
        "hold_above_tier:",
        "  - id: never-big\n    text: Never pay more than that.\n    tools: [pay]\n"
        "    when: [{argument: amount, above: 500}]\n"
        "hold_above_tier:",
    )
    profile = parse_profile(text.encode(), source="test").profile
    action = action_of("pay", {"to": "a@known.example", "amount": amount})

    found = decide(action, facts_at(4, profile))

    assert found.answer is not Answer.ALLOW
    assert ("never" in codes_of(found)) == (amount > 500)


def test_an_empty_list_grants_nothing() -> None:
    """tokenizer: `[]` means nothing, never all."""
    profile = small_profile(hold_above_tier=[])

    assert decide(action_of("do_update"), facts_at(1, profile)).answer is Answer.SUGGEST
    assert decide(action_of("do_read"), replace(facts_at(0, profile), power=Power())).answer is Answer.DENY


def test_an_unknown_effect_is_critical() -> None:
    """R-16."""
    for where in ("", "PUBLIC", "public ", None, 5, ["public"], {"x": 1}):
        found = decided("publish", {"where": where}, tier=4)
        assert found.reading.effect is Effect.CRITICAL
        assert found.answer is not Answer.ALLOW


def test_reading_the_rules_of_a_nameless_action_denies() -> None:
    reading = decided("no_such_tool").reading

    verdict = check_rules(reading, facts_at(4, office()))

    assert (verdict.answer, verdict.reasons[0].code) == (Answer.DENY, ReasonCode.UNKNOWN_TOOL)


@pytest.mark.parametrize(
    "address",
    [
        "а@known.example",  # noqa: RUF001 a Cyrillic letter
        "a@knоwn.example",  # noqa: RUF001 a Cyrillic letter
        "a@known.example\u200b",
        "\u202ea@known.example",
        "ａ@known.example",  # noqa: RUF001 a full-width letter
        "a@known.example\x00",
        "a@known.example\n",
        "a@known.example\r\nBcc: eve@evil.example",
        "eve@evil.example,a@known.example",
        '"a@known.example" <eve@evil.example>',
        "a@known.example@evil.example",
        "a@xn--known-example.example",
        "",
    ],
)
def test_lookalike_recipients_are_never_known(address: str) -> None:
    """R-83: the wrong vendor."""
    assert decided("send_mail", {**MAIL, "to": [address]}).answer in (Answer.SUGGEST, Answer.DENY)


def test_an_argument_of_100_mb_is_refused_and_not_kept(new_workshop: Callable[..., Workshop]) -> None:
    shop = new_workshop(tier=3)

    reply = asyncio.run(shop.act("search", {"query": "a" * 100_000_000}))

    assert reply == Withheld()
    assert shop.codes() == {"too_large"}
    assert sum(path.stat().st_size for path in shop.town.settings.state_dir.glob("handrail.db*")) < 10_000_000


@pytest.mark.parametrize(
    ("tool", "args", "rationale"),
    [
        ("x\x00y", {}, None),
        ("\x1b]0;owned\x07", {}, None),
        ("\ud800", {}, None),
        ("a" * 1_000_000, {}, None),
        ("search", {"query": "\x1b[2J\x00\x9b31m"}, None),
        ("search", {"query": "\ud800"}, None),
        ("search", {"query": "ok"}, "\ud800 \x1b[31m"),
        ("search", {"\ud800": "ok"}, None),
        ("search", {"query": float("nan")}, None),
        ("search", {"query": {"a": [[[[[]]]]]}}, None),
        ("update_record", {"number": "1", "\x1b[31m": "x"}, "\ud83d"),
        ("read_folder", {"folder": "\x1b[31m\x00"}, "\x00"),
    ],
)
def test_odd_text_is_decided_recorded_and_shown_without_breaking_anything(
    new_workshop: Callable[..., Workshop], tool: str, args: dict[str, Any], rationale: str | None
) -> None:
    """NUL, terminal escapes, lone surrogates: each attempt stands in the record (R-10, R-86)."""
    shop = new_workshop(tier=1, hold_wait_seconds=0.01)

    reply = asyncio.run(shop.act(tool, args, rationale=rationale))

    assert isinstance(reply, Done | Withheld | Pending)
    assert len(shop.states()) == 1
    for row in shop.rows("SELECT tool, kind, effect FROM action"):
        assert all(str(value).isprintable() for value in row)


def test_a_never_rule_beats_two_valid_approvals(new_workshop: Callable[..., Workshop]) -> None:
    """R-14: even an approval of the very digest, by two persons, does not carry out a never-action."""
    before = decided("shred", {"number": "1"}, tier=4)
    approval = Approval(
        "hold-1",
        before.reading.digest,
        frozenset({*held_pairs(before.decision.verdicts), ("never", ""), ("two_persons", "effect:critical")}),
        facts_at(4).now.replace(year=2030),
    )
    shop = new_workshop(tier=4)

    assert decided("shred", {"number": "1"}, tier=4, approval=approval).answer is Answer.DENY
    assert asyncio.run(shop.act("shred", {"number": "1"})) == Withheld()
    assert asyncio.run(shop.gate.holds.listed(tuple(HoldState))) == []


def test_what_an_agent_is_told_names_nothing_of_the_system() -> None:
    """F27, R-20: no tier, rule, threshold, product or policy."""
    words = (
        "tier",
        "rule",
        "policy",
        "approv",
        "human",
        "person",
        "review",
        "gate",
        "handrail",
        "hold",
        "held",
    )
    for text in (WITHHELD_TEXT, PENDING_TEXT):
        assert not any(word in text.lower() for word in words)
        assert not any(character.isdigit() for character in text)
