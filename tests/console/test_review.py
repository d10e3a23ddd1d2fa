"""The review loop: as JSON for scripts, and the single steps; at a terminal see tests/security."""

import json
import subprocess
import sys
from typing import Any, Self

import pytest

from tests.standins.counter import Counter
from tests.standins.evidence import with_profile
from tests.standins.persons import Person
from tests.standins.towns import DORA, ROSA, SVEN


def _label(counter: Counter, *messages: str) -> None:
    """Let the agent label messages at tier 0, and a moment pass."""
    with_profile(counter.shop.town)
    for message in messages:
        counter.act("set_label", message_id=message, label="good")
    counter.shop.town.later(seconds=1)


class Script:
    """`handrail suggestions review --json`, one line at a time."""

    def __init__(self, counter: Counter, person: Person) -> None:
        words = ["suggestions", "review", "--json", "--socket", str(counter.socket)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", *words, "--key", str(counter.key(person))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.waiting = self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        with self.process:
            pass  # its pipes are closed and its end is waited for

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        return line

    def say(self, **fields: Any) -> dict[str, Any]:
        """Say something about the item that waits; return the line that comes back."""
        assert self.process.stdin is not None
        item = self.waiting["item"]
        self.process.stdin.write(
            json.dumps({"item": item["item"], "digest": item["digest"], **fields}) + "\n"
        )
        self.process.stdin.flush()
        self.waiting = self.read()
        return self.waiting

    def end(self) -> tuple[int, str]:
        """End the input; return the exit code and what was said on the error stream."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        return self.process.wait(), self.process.stderr.read()


def test_a_script_goes_through_everything_that_waits(counter: Counter) -> None:
    """Item 2 of the rollout: drawn, blind first, each judged by a signature of its own."""
    _label(counter, "m1", "m2")
    with Script(counter, SVEN) as script:
        first = script.waiting["item"]
        opened = script.say(expectation="label it good")
        second = script.say(verdict="agree", reason="as I would")
        last = script.say(verdict="disagree", reason="it is bad")
        ended = script.end()

    assert (first["phase"], list(first["card"]["args"])) == ("expect", ["message_id"])
    assert (opened["left"], opened["item"]["item"], opened["item"]["phase"]) == (2, first["item"], "judge")
    assert opened["item"]["card"]["args"]["label"] == "good"
    assert (second["left"], second["said"]["verdict"], second["item"]["phase"]) == (1, "agree", "judge")
    assert (last["left"], last["item"], last["said"]["verdict"]) == (0, None, "disagree")
    assert ended == (0, "")
    judged = [row["judged"] for row in counter.ask("suggestions", "list")["suggestions"]]
    assert sorted(judged) == [["agree"], ["disagree"]]
    assert counter.shop.hands.done == []


@pytest.mark.parametrize(
    ("said", "code", "error"),
    [
        ({"expectation": " "}, 2, "`expectation` is missing"),
        ({"verdict": "agree", "reason": "r"}, 2, "`expectation` is missing"),
        ({"expectation": "x", "digest": "0" * 64}, 3, "not about the card that waits"),
        ({"expectation": "x", "digest": ""}, 3, "not about the card that waits"),
        ({"expectation": "x", "item": "sug-other"}, 3, "not about the card that waits"),
    ],
)
def test_a_line_that_does_not_fit_signs_nothing(
    counter: Counter, said: dict[str, Any], code: int, error: str
) -> None:
    _label(counter, "m1")
    with Script(counter, SVEN) as script:
        script.say(**said)
        ended, errors = script.end()

    assert ended == code
    assert error in errors
    said_so_far = counter.shop.rows("SELECT type FROM statement WHERE person = 'sven'")
    assert "expectation" not in [row[0] for row in said_so_far]


def test_the_single_steps_do_the_same(counter: Counter) -> None:
    _label(counter, "m1")
    item = json.loads(counter.type("suggestions", "next", "--json", person=DORA).out)["item"]
    early = counter.type(
        *(
            "suggestions",
            "judge",
            item["item"],
            "agree",
            "--reason",
            "r",
            "--yes",
            "--digest",
            item["digest"],
        ),
        person=DORA,
    )
    said = counter.type(
        *("suggestions", "expect", item["item"], "--words", "label it", "--yes", "--digest", item["digest"]),
        person=DORA,
    )
    opened = json.loads(counter.type("suggestions", "next", "--json", person=DORA).out)["item"]
    judged = counter.type(
        *("suggestions", "judge", item["item"], "agree", "--reason", "r", "--yes"),
        *("--digest", opened["digest"]),
        person=DORA,
    )

    assert (early.code, said.code, judged.code) == (3, 0, 0)
    assert "is judged blind: say first what you would do" in early.err
    assert opened["digest"] != item["digest"]
    assert counter.type("suggestions", "next", person=DORA).out == "nothing waits for you\n"


def test_a_blind_item_is_shown_reduced_until_somebody_judged_it(counter: Counter) -> None:
    _label(counter, "m1")
    item = json.loads(counter.type("suggestions", "next", "--json", person=DORA).out)["item"]

    shown = counter.type("suggestions", "show", item["item"]).out
    listed = counter.type("suggestions", "list").out.splitlines()[1]

    counter.type(
        *("suggestions", "expect", item["item"], "--words", "label it", "--yes", "--digest", item["digest"]),
        person=DORA,
    )
    opened = counter.type("suggestions", "show", item["item"], person=DORA).out

    assert "label:" in opened
    assert "you said you would: label it" in opened
    assert '  message_id: "m1"\n' in shown
    assert "label:" not in shown
    assert 'withheld    ["label"]' in shown
    assert listed.split()[-1] == "blind"


def test_who_may_not_judge_is_told_so_at_once(counter: Counter) -> None:
    _label(counter, "m1")

    said = counter.type("suggestions", "review", "--json", person=ROSA)

    assert said.code == 3
    assert "judging takes one of the roles domain-reviewer, reviewer, security" in said.err


def test_without_a_terminal_the_loop_asks_nobody(counter: Counter) -> None:
    said = counter.type("suggestions", "review", person=SVEN)

    assert said.code == 2
    assert "--json for scripts" in said.err
