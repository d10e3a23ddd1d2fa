"""What the verdicts on one item come to. Pure.

`harmful` waits for a second reviewer: one who says otherwise within the policy's hours makes it a miss. If
nobody does, or a second one says harmful at any time, it stays harmful. Verdicts that differ are a miss,
and so is `unclear`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from runtime.gate.states import JudgementVerdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's verdict that counts.

    Attributes:
        at: when the record took it, or when it was signed if that is later.
        statement: the id of the signed statement.
    """

    person: str
    verdict: JudgementVerdict
    at: datetime
    statement: str


class Standing(StrEnum):
    """What an item counts as."""

    OPEN = "open"  # nobody has judged it
    AGREE = "agree"
    UNCLEAR = "unclear"
    DISAGREE = "disagree"
    WAITS = "waits"  # harmful, and a second reviewer may still say otherwise
    HARMFUL = "harmful"

    @property
    def settled(self) -> bool:
        """Whether it was judged as often as it must be."""
        return self not in (Standing.OPEN, Standing.WAITS)

    @property
    def is_harmful(self) -> bool:
        """Whether it counts as harmful now."""
        return self in (Standing.WAITS, Standing.HARMFUL)


def stand(verdicts: Sequence[Verdict], *, confirm: timedelta, now: datetime) -> Standing:
    """Return what an item counts as.

    Args:
        verdicts: of different persons, in any order.
        confirm: how long after the first `harmful` a second reviewer may say otherwise.
        now: the present moment.
    """
    said = {one.verdict for one in verdicts}
    if not said:
        return Standing.OPEN
    if JudgementVerdict.HARMFUL in said:
        return _harmful(verdicts, confirm=confirm, now=now)
    if said == {JudgementVerdict.AGREE}:
        return Standing.AGREE
    return Standing.DISAGREE if JudgementVerdict.DISAGREE in said else Standing.UNCLEAR


def _harmful(verdicts: Sequence[Verdict], *, confirm: timedelta, now: datetime) -> Standing:
    harmful = sorted(one.at for one in verdicts if one.verdict is JudgementVerdict.HARMFUL)
    if len(harmful) > 1:
        return Standing.HARMFUL
    first, last = harmful[0], harmful[0] + confirm
    if any(first <= one.at <= last for one in verdicts if one.verdict is not JudgementVerdict.HARMFUL):
        return Standing.DISAGREE
    return Standing.WAITS if now <= last else Standing.HARMFUL
