"""Whoever writes a text pads what tells with words that speak against every rule: it is found (R-20)."""

import pytest

from bench.scrub_corpus import REPLACING
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
