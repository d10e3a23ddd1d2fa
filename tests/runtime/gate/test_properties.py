"""What holds for every action and every state of the world."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles.effects import Effect
from runtime.gate.actions import Action, ActionKind
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, join
from runtime.gate.checks.approval import held_pairs
from runtime.gate.decide import CHECKS, decide
from runtime.gate.facts import Approval, Facts, Power, Standing, Usage
from runtime.gate.reading import Reading
from tests.standins.decisions import NOON, facts_at, office

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
_PLACES = st.sampled_from(
    [
        "INBOX",
        "Private",
        "a@known.example",
        "eve@evil.example",
        "https://known.example/",
        "docs/x",
        "good",
        "1",
    ]
)
_NAMES = st.sampled_from(sorted({name for tool in office().tools.values() for name in tool.args}))
_ARGS = st.dictionaries(
    _NAMES | st.text(max_size=5), _PLACES | st.lists(_PLACES, max_size=3) | _JSON, max_size=4
)
_ACTIONS = st.builds(
    Action,
    id=st.just("act-1"),
    run=st.just("run-1"),
    kind=st.sampled_from(ActionKind),
    tool=st.sampled_from([*office().tools, "mind", "logging"]) | st.text(max_size=10),
    args=_ARGS,
    rationale=st.none() | st.text(max_size=20),
)
_GRANTS = st.frozensets(st.sampled_from(Effect)).map(Power)
_USAGE = st.builds(
    Usage,
    run=st.integers(0, 60),
    hour=st.integers(0, 90),
    model=st.integers(0, 6),
    effects=st.dictionaries(st.sampled_from(Effect), st.integers(0, 6)),
)
_STANDINGS = st.builds(
    Standing,
    live=st.booleans(),
    attested=st.booleans(),
    deployment_current=st.booleans(),
    frozen=st.none() | st.text(),
)
_GOOD = st.just(Standing(live=True, attested=True, deployment_current=True))
_WORLDS = st.builds(
    lambda power, usage, standing: facts_at(0, office(), power=power, usage=usage, standing=standing),
    _GRANTS,
    _USAGE,
    _GOOD | _STANDINGS,
)
_PATIENT = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_REASON = (Reason(ReasonCode.CHECK_ERROR, "x"),)


@_PATIENT
@given(_ACTIONS, _WORLDS)
def test_every_action_gets_an_answer_and_nothing_raises(action: Action, facts: Facts) -> None:
    """R-86: fuzz of the gate."""
    found = decide(action, facts)

    assert found.answer is Answer.ALLOW or found.decision.reasons


@_PATIENT
@given(_ACTIONS, _WORLDS)
def test_only_a_granted_class_of_a_sound_run_within_budget_is_allowed(action: Action, facts: Facts) -> None:
    found = decide(action, facts)

    if found.answer is Answer.ALLOW:
        effect = found.reading.effect
        assert {Effect.READ, effect} <= facts.power.granted
        assert effect is not Effect.CRITICAL
        assert facts.standing == Standing(live=True, attested=True, deployment_current=True)
        assert facts.usage.run + found.reading.units <= facts.profile.limits.actions_per_run


@_PATIENT
@given(_ACTIONS, _WORLDS, st.sampled_from(Answer))
def test_one_more_check_can_only_tighten(action: Action, facts: Facts, answer: Answer) -> None:
    def check_more(_reading: Reading, _facts: Facts) -> Verdict:
        return Verdict("more", answer, _REASON)

    before, after = decide(action, facts), decide(action, facts, (*CHECKS, check_more))

    assert after.answer.rank >= before.answer.rank or before.reading.faults


@_PATIENT
@given(_ACTIONS, _WORLDS)
def test_fewer_grants_never_allow_more(action: Action, facts: Facts) -> None:
    for effect in Effect:
        less = facts_at(
            0,
            office(),
            power=Power(facts.power.granted - {effect}),
            usage=facts.usage,
            standing=facts.standing,
        )
        assert decide(action, facts).answer is Answer.ALLOW or decide(action, less).answer is not Answer.ALLOW


@given(st.lists(st.sampled_from(Answer).map(lambda a: Verdict("c", a, _REASON)), max_size=6))
def test_the_joined_answer_is_the_strictest(verdicts: list[Verdict]) -> None:
    expected = max((v.answer for v in verdicts), key=lambda a: a.rank, default=Answer.DENY)

    assert join(verdicts).answer is expected


@_PATIENT
@given(_ACTIONS, _WORLDS, st.booleans(), st.booleans())
def test_an_approval_makes_nothing_milder_but_the_holds_it_names(
    action: Action,
    facts: Facts,
    other_digest: bool,
    fewer: bool,
) -> None:
    """R-14, R-17: not a denial, not a suggestion, not another digest, not a reason that was not shown."""
    before = decide(action, facts)
    pairs = held_pairs(before.decision.verdicts)
    approval = Approval(
        "hold-1",
        "0" * 64 if other_digest else before.reading.digest,
        frozenset(pairs[1:] if fewer else pairs),
        NOON.replace(year=2027),
    )
    after = decide(action, _with(facts, approval))

    if after.answer is not before.answer:
        assert before.answer is Answer.HOLD
        assert after.answer is Answer.ALLOW
        assert not other_digest
        assert not fewer


@_PATIENT
@given(_ACTIONS, _WORLDS)
def test_an_expired_approval_is_none(action: Action, facts: Facts) -> None:
    before = decide(action, facts)
    approval = Approval("h", before.reading.digest, frozenset(held_pairs(before.decision.verdicts)), NOON)

    assert decide(action, _with(facts, approval)).answer is before.answer


def _with(facts: Facts, approval: Approval) -> Facts:
    changes: dict[str, Any] = {"power": facts.power, "usage": facts.usage, "standing": facts.standing}
    return facts_at(0, office(), approval=approval, **changes)
