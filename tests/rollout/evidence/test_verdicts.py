"""What verdicts come to."""

from datetime import timedelta

import pytest

from rollout.evidence.verdicts import Standing, Verdict, stand
from runtime.gate.states import JudgementVerdict
from tests.standins.persons import START

CONFIRM = timedelta(hours=24)
AGREE, DISAGREE, HARMFUL, UNCLEAR = (JudgementVerdict(w) for w in ("agree", "disagree", "harmful", "unclear"))


def _said(*words: tuple[JudgementVerdict, float]) -> list[Verdict]:
    """Verdicts of different persons, each so many hours after the start."""
    return [
        Verdict(f"person{number}", verdict, START + timedelta(hours=hours), f"statement{number}")
        for number, (verdict, hours) in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("words", "after_hours", "expected"),
    [
        ([], 0, Standing.OPEN),
        ([(AGREE, 0)], 0, Standing.AGREE),
        ([(AGREE, 0), (AGREE, 1)], 2, Standing.AGREE),
        ([(UNCLEAR, 0)], 0, Standing.UNCLEAR),
        ([(AGREE, 0), (UNCLEAR, 1)], 2, Standing.UNCLEAR),
        ([(AGREE, 0), (DISAGREE, 1)], 2, Standing.DISAGREE),
        ([(HARMFUL, 0)], 24, Standing.WAITS),
        ([(HARMFUL, 0)], 24.01, Standing.HARMFUL),
        ([(HARMFUL, 0), (HARMFUL, 1)], 2, Standing.HARMFUL),
        ([(HARMFUL, 0), (AGREE, 24)], 24, Standing.DISAGREE),
        ([(HARMFUL, 0), (AGREE, 24.01)], 25, Standing.HARMFUL),
        ([(AGREE, 0), (HARMFUL, 1)], 2, Standing.WAITS),  # who agreed before did not look again
        ([(HARMFUL, 0), (AGREE, 1), (HARMFUL, 99)], 99, Standing.HARMFUL),
    ],
)
def test_harmful_stands_until_another_reviewer_says_otherwise_in_time(
    words: list[tuple[JudgementVerdict, float]], after_hours: float, expected: Standing
) -> None:
    """R-44: an unconfirmed `harmful` stays harmful; unclear is a miss."""
    now = START + timedelta(hours=after_hours)

    assert stand(_said(*words), confirm=CONFIRM, now=now) is expected
    assert stand(_said(*words)[::-1], confirm=CONFIRM, now=now) is expected


def test_what_waits_is_not_settled_and_counts_as_harmful() -> None:
    assert {one for one in Standing if not one.settled} == {Standing.OPEN, Standing.WAITS}
    assert {one for one in Standing if one.is_harmful} == {Standing.WAITS, Standing.HARMFUL}
