"""What is looked for to learn which patterns can match: in two forms of a text, rare and enough."""

from itertools import islice

import pytest

from bench.new_texts import new_texts
from sandboxes.scrub.common import rate
from sandboxes.scrub.forms import SIGNS, WORDS
from sandboxes.scrub.index import Index, looked_for, needed
from sandboxes.scrub.needed import Needs
from sandboxes.scrub.pack import shipped_pack
from sandboxes.scrub.view import view_of
from tests.standins.asking import Asking, by_the_gate

GATE = shipped_pack().gate
ALL = Asking(GATE)
_FILES = 600
_TEXTS = 40


def test_in_documentation_the_gate_finds_what_asking_every_pattern_of_every_sentence_finds() -> None:
    """Issue 4 figures: speed costs nothing of what is found, also in texts that no rule was written by."""
    views = [view_of(text).data for text in islice(new_texts(1024, most=_FILES), _TEXTS)]
    assert [by_the_gate(GATE, view) for view in views] == [*ALL.find(views)]


@pytest.mark.parametrize(
    ("pattern", "lines", "able"),
    [
        (r"\bcat dog\b", b"a Cat\t dog, so", [0]),
        (r"\bcat dog\b", b"a cat\ndog", []),
        (r"\bcat dog\b", b"x\nconcat dog\nthe cat  dog", [2]),
        (r"(?m)^id=\d", b"aid=7\nID=7", [1]),
        (r"(?m)^id=\d", b"id=7", [0]),
        (r"v\d\.\d+-rc", b"v1.2\nv1.22-RC", [1]),
        (r"[0-9a-f]{9}-x", b"0123abcde-x\n0123abcd-", [0]),
        (r"(?:red|blue)[-_ ]?box", b"red_box\nblue\nbluebox\nred/box", [0, 2, 3]),
        (r"\bcat dog\b", b"\x01\x02 a\x01cat dog\x08\nx\ncat dog", [0, 2]),
        (r"(?m)^id=\d", b"a\x02id=7\nid=7", [1]),
        (r"\bit's\b", b"it s\nits\nIt's", [0, 2]),
    ],
)
def test_a_pattern_is_asked_where_all_it_needs_stands(pattern: str, lines: bytes, able: list[int]) -> None:
    """Where a pattern matches it is asked; where a part is missing it is not."""
    index = Index([looked_for(needed(Needs({}).of(pattern)))])

    assert list(index.able(lines)) == [(line, [0]) for line in able]


def test_a_text_is_written_in_two_forms() -> None:
    text = b"Run  v1.2,\tNOW_or\n(never)"

    assert WORDS.written(text) == b" run v0 0 now or \x01 never "
    assert SIGNS.written(text) == b"\nrun  v0.0, now_or\n(never)"


@pytest.mark.parametrize(
    ("rarer", "more_common"),
    [(" decommission ", " the "), (" the decommission ", " decommission "), ("0.0", "0"), (" you ", "you")],
)
def test_how_common_something_is(rarer: str, more_common: str) -> None:
    assert rate(rarer) <= rate(more_common)
