"""The gate asks few patterns of few sentences, and finds what asking all of all would find."""

from collections.abc import Iterator
from random import Random

import pytest

from bench.scrub_corpus import Part, ordinary, positives
from sandboxes.scrub.gate import Gate
from sandboxes.scrub.kept import Kept
from sandboxes.scrub.matcher import matcher_of
from sandboxes.scrub.needed import Needs
from sandboxes.scrub.pack import shipped_pack
from sandboxes.scrub.rules import FieldRule, TextRule
from sandboxes.scrub.view import view_of
from tests.standins.asking import Asking, by_the_gate

GATE = shipped_pack().gate
ALL = Asking(GATE)
RULES: tuple[TextRule | FieldRule, ...] = (*shipped_pack().texts, *shipped_pack().fields)
_BETWEEN = (" ", " ", " ", " ", "\n", ". ", ": ", "=", "-", "_", "/", "@", "  ", "? ", "|")
_AT_ONCE = 12  # lines


def _known() -> Iterator[str]:
    for part in Part:
        yield from (positive.text for number, positive in enumerate(positives(part)) if number % 4 == 0)
        lines = [line for line, _ in ordinary(part)]
        yield from ("\n".join(lines[at : at + _AT_ONCE]) for at in range(0, len(lines), _AT_ONCE * 8))


def _written() -> Iterator[str]:
    yield from ("\n\n".join((*rule.examples, *rule.lookalikes)) for rule in RULES)


def _by_chance() -> Iterator[str]:
    chance = Random(3)  # noqa: S311 - texts to compare with
    words = [
        word for rule in RULES for text in (*rule.examples, *rule.lookalikes) for word in text.split(" ")
    ]
    for _ in range(300):
        count = chance.randint(3, 40)
        yield "".join(chance.choice(words) + chance.choice(_BETWEEN) for _ in range(count))


@pytest.mark.parametrize("texts", [_known, _written, _by_chance], ids=["corpus", "packs", "chance"])
def test_the_gate_finds_what_asking_every_pattern_of_every_sentence_finds(texts: object) -> None:
    """Issue 4 figures: speed costs nothing of what is found. No text of the corpus is shown on failure."""
    assert callable(texts)
    views = [view_of(text).data for text in texts()]
    differing = {
        (number, rule)
        for number, (view, found) in enumerate(zip(views, ALL.find(views), strict=True))
        for _, _, rule in found ^ by_the_gate(GATE, view)
    }
    assert not differing


@pytest.mark.parametrize(
    ("pattern", "lists"),
    [
        (r"\b(?:cat|dog)\b@{gap}\bhouse", [{"\bcat\b", "\bdog\b"}, {"\bhouse"}]),
        (r"(?:^|[^\w-])run \d{2,}(?:[^\w]|$)", [{"run"}]),
        (r"\w+", []),
        (r"(?:red|blue\d+) x?", [{"red", "blue"}]),
    ],
)
def test_what_a_pattern_needs(pattern: str, lists: list[set[str]]) -> None:
    words = {"gap": r"(?:[^.!?\n]|[.!?][^\s])*?"}
    found = Needs(words).of(pattern)

    for words_of_one in lists:
        assert any(all(any(w.strip("\b") in f for f in one) for w in words_of_one) for one in found), found
    if not lists:
        assert found == ()


def test_a_pattern_that_needs_no_word_is_asked_all_the_same() -> None:
    rule = TextRule("any", RULES[0].kind, (r"(?P<tell>\$\$+)",), "", ("$$",))
    gate = Gate([matcher_of(rule, rule.patterns[0], {}, Needs({}), Kept())], [])

    assert [(hit.start, hit.end) for hit in gate.find(b"a. $$ b\n$$$")] == [(3, 5), (8, 11)]


@pytest.mark.parametrize("pattern", [r"(?P<tell>\pL{3}x)", r"[[:alpha:]]{3}x", r"x\z"])
def test_syntax_that_only_re2_has_is_asked_everywhere(pattern: str) -> None:
    rule = TextRule("any", RULES[0].kind, (pattern,), "", ("abcx",))
    gate = Gate([matcher_of(rule, pattern, {}, Needs({}), Kept())], [])

    assert [hit.rule.id for hit in gate.find(b"first. then abcx")] == ["any"]
