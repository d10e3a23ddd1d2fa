"""Suggestions are judged one by one, by signature, and nothing is ever executed by judging."""

import pytest

from runtime.gate.replies import Withheld
from tests.standins.counter import Counter
from tests.standins.towns import DORA, ROSA, SVEN

MAIL = {"to": ["a@known.example"], "subject": "Re: invoice", "body": "see \x1b]0;pwned\x07 below"}


def _suggested(counter: Counter) -> tuple[str, str]:
    """Let the agent try to send a mail at tier 0; return suggestion and digest."""
    assert counter.act("send_mail", **MAIL) == Withheld()
    (row,) = counter.ask("suggestions", "list")["suggestions"]
    return row["suggestion"], counter.ask("suggestions", "show", row["suggestion"])["digest"]


def test_a_write_at_tier_0_is_listed_and_shown_whole(counter: Counter) -> None:
    suggestion, digest = _suggested(counter)

    lines = counter.type("suggestions", "list").out.splitlines()
    shown = counter.type("suggestions", "show", suggestion).out

    assert lines[0].split() == ["SUGGESTION", "AGENT", "TOOL", "EFFECT", "MADE", "JUDGED"]
    assert lines[1].split()[:4] == [suggestion, "bot", "send_mail", "send"]
    assert '  body: "see \\u001b]0;pwned\\u0007 below"\n' in shown
    assert "above_tier: " in shown
    assert shown.endswith(f"digest {digest}\n")


@pytest.mark.parametrize("verdict", ["agree", "disagree", "harmful", "unclear"])
def test_a_judgement_is_recorded_and_executes_nothing(counter: Counter, verdict: str) -> None:
    """R-31: agreeing with a suggestion never executes it."""
    suggestion, digest = _suggested(counter)

    said = counter.type(
        *("suggestions", "judge", suggestion, verdict, "--reason", "read it", "--yes", "--digest", digest),
        person=SVEN,
    )

    assert said.out == f"{suggestion}: judged {verdict} by sven; nothing is executed\n"
    assert counter.shop.hands.done == []
    assert f"judged {verdict} by sven\n" in counter.type("suggestions", "show", suggestion).out
    assert counter.type("suggestions", "list", "--unjudged").out == "no suggestions\n"


def test_nobody_judges_twice(counter: Counter) -> None:
    """F5: one person, one verdict."""
    suggestion, digest = _suggested(counter)
    words = ("suggestions", "judge", suggestion, "agree", "--reason", "r", "--yes", "--digest", digest)

    codes = [counter.type(*words, person=DORA).code for _ in range(2)]

    assert codes == [0, 3]


def test_a_person_without_the_role_judges_nothing(counter: Counter) -> None:
    suggestion, digest = _suggested(counter)

    said = counter.type(
        *("suggestions", "judge", suggestion, "agree", "--reason", "r", "--yes", "--digest", digest),
        person=ROSA,
    )

    assert said.code == 3
    assert "judging takes one of the roles domain-reviewer, reviewer, security" in said.err


def test_approve_is_not_a_verdict(counter: Counter) -> None:
    said = counter.type("suggestions", "judge", "sug-1", "approve", "--reason", "r", person=SVEN)

    assert said.code == 2
    assert "'agree', 'disagree', 'harmful', 'unclear'" in said.err
