"""Whoever writes a text pads what tells with words that speak against every rule: it is found (R-20)."""

from itertools import product

import pytest

from bench.scrub_corpus import REPLACING
from sandboxes.scrub.listed import listed
from sandboxes.scrub.members import read_members
from sandboxes.scrub.model import OwnValue, Place
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.weighing import read_weights

OWN = OwnValue("node", "node-7777qqqq", "ref-node")
WORDS = 40


@pytest.fixture(scope="module")
def padding() -> str:
    """The words that speak most against telling anything."""
    weights = read_weights().table.weights
    words = [word for word in sorted(weights, key=weights.__getitem__) if word.isalpha()][:WORDS]
    assert sum(weights[word] for word in words) < -2 * WORDS
    return " ".join(words)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("the assistant will be replaced by a newer model in March", "replaced"),
        ("this assistant will be shut down on 3 May", "shut down"),
        ("the assistant's next review is due on 1 December", "review"),
        ("the agent is at tier 2 of the rollout", "tier 2"),
        (f"it ran on {OWN.value} all day", OWN.value),
    ],
)
@pytest.mark.parametrize("form", ["{padding} {text}", "{text} {padding}", "{padding} {text} {padding}"])
def test_padding_hides_nothing_that_is_said_plainly(padding: str, form: str, text: str, tells: str) -> None:
    """R-20: words that speak against a rule count up to a bound, however many there are."""
    scrubber = Scrubber((OWN,), REPLACING)

    seen = scrubber.text(form.format(padding=padding, text=text), Place.RESULT)

    assert tells not in seen.value


def test_a_record_that_is_padded_still_tells() -> None:
    """R-20: nor do members that have nothing to do with it hide one."""
    record = {"bot": "desk assistant", "model": "gpt-4o-2024-08-06", "next_review": "2027-01-03"}
    padded = {**{f"crop_{number}": "wheat, barley and rye" for number in range(WORDS)}, **record}

    seen = str(Scrubber((), REPLACING).json(padded, Place.RESULT).value)

    assert "gpt-4o" not in seen
    assert "2027-01-03" not in seen


@pytest.mark.parametrize(
    "line", ["a" + " " * 20_000, "a" + "." * 20_000, "a b: x" + " ," * 10_000, "a=" * 10_000, "- " * 10_000]
)
def test_no_text_makes_the_search_for_lists_begin_again_and_again(line: str) -> None:
    """R-20: a search of a line took seconds for 20 KB before runs were taken whole; this ends at once."""
    assert len([*listed(f"{line}\n{line}")]) <= len(line)


def test_a_record_of_many_members_is_as_much_work_as_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-20: what stands beside a member is looked at up to a bound."""
    read: list[int] = []
    table = read_members().table
    monkeypatch.setattr(type(table), "sum", lambda _, features: read.append(len(features)) or 0.0)
    words = ["".join(letters) for letters in product("bdfhkmprtw", repeat=3)]
    record = {f"bot_{word}": f"agent {word}" for word in words}

    Scrubber((), REPLACING).json(record, Place.RESULT)  # type: ignore[arg-type]

    assert max(read) < 300
