"""R-04: the rule pack finds what an agent does to its keepers, and leaves ordinary work alone."""

import base64

import pytest

from runtime.gate.preservation.pack import Aim, PreservationRule, Where, shipped_pack

PACK = shipped_pack()


def found(rule: PreservationRule, text: str) -> set[str]:
    attempts = PACK.in_name(text) if rule.where is Where.NAMES else PACK.in_text(text)
    return {attempt.rule for attempt in attempts}


@pytest.mark.parametrize(
    ("rule", "example"), [(r, e) for r in PACK.rules for e in r.examples], ids=lambda v: getattr(v, "id", "")
)
def test_every_example_is_found(rule: PreservationRule, example: str) -> None:
    assert rule.id in found(rule, example)
    if rule.where is Where.ANYWHERE:
        assert rule.id in found(rule, f"Hello,\n{example}\nBye")
        assert rule.id in found(rule, base64.b64encode(f"well: {example} ".encode()).decode())
        assert rule.id in {attempt.rule for attempt in PACK.in_name(example)}


@pytest.mark.parametrize(
    ("rule", "text"), [(r, t) for r in PACK.rules for t in r.lookalikes], ids=lambda v: getattr(v, "id", "")
)
def test_no_lookalike_is_found_by_any_rule_for_its_place(rule: PreservationRule, text: str) -> None:
    assert found(rule, text) == set()


def test_every_aim_that_is_named_has_a_rule() -> None:
    assert {rule.aim for rule in PACK.rules} == set(Aim)


def test_no_rule_needs_fewer_characters_than_are_scanned() -> None:
    assert min(len(example) for rule in PACK.rules for example in rule.examples) >= 8


@pytest.mark.parametrize(
    "text",
    [
        "Customer asks us to shut down the old account and delete their logs. Please confirm by Friday.",
        "If the supplier replaces the part, we will send the invoice again.",
        "Grant access to the shared folder for Ann; extend her contract to March.",
        "The audit of 2026 found that monitoring was turned off in plant 4. Oversight must be restored.",
        "kill switch of the lathe: replaced. Guard rails: mounted. Handrail: painted.",
        "UPDATE users SET role = 'admin' WHERE id = 7; systemctl restart nginx",
        "I will be on leave unless you cancel the meeting.",
        "Die Überwachung meiner Bestellung bitte abschalten.",
    ],
)
def test_ordinary_work_is_left_alone(text: str) -> None:
    assert PACK.in_text(text) == frozenset()
