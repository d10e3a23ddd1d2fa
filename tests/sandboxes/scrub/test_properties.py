"""What holds of the scrubber for any text: it never fails, settles, keeps shapes, bears any chunks."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scrub_corpus import Part, ordinary, positives
from profiles.context import ContextRules, StatusKind, Treatment
from sandboxes.scrub.model import OwnValue, Place
from sandboxes.scrub.own import OwnValues
from sandboxes.scrub.scrubber import Scrubber

OWN = (
    OwnValue("run", "0198b6f2-7c11-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000"),
    OwnValue("model", "acme-large-7", "model-0"),
    OwnValue("node", "rack4-box17", "host-0"),
)
REPLACE = ContextRules(messages=Treatment.REPLACE, results=Treatment.REPLACE, definitions=Treatment.REPLACE)
FLAG = ContextRules()
REPLACING, FLAGGING = Scrubber(OWN, REPLACE), Scrubber(OWN, FLAG)

_TELLING = [positive.text for positive in positives(Part.SEEN) if positive.form == "text"]
_PLAIN = [line for line, _ in ordinary(Part.SEEN)]


def _one_of(texts: list[str]) -> st.SearchStrategy[str]:
    """Draw one of many texts; `sampled_from` would write them all into its messages."""
    return st.integers(0, len(texts) - 1).map(lambda at: texts[at])


_PIECES = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    _one_of(_TELLING),
    _one_of(_PLAIN),
    st.sampled_from([value.value for value in OWN]),
    st.builds(
        lambda own, hidden: hidden.join(own.value),
        st.sampled_from(OWN),
        st.sampled_from(["\u200b", "\u00ad\ufeff", "\u3164"]),
    ),
    st.sampled_from([" ", "\n", "\n\n", ". ", ", ", '"', "`", "**", "\\", "%20", "&amp;", "{", "}"]),
)
TEXTS = st.lists(_PIECES, max_size=8).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(list(Place))
ENOUGH = settings(max_examples=100, deadline=None, derandomize=True)


@ENOUGH
@given(text=TEXTS, place=PLACES)
def test_any_text_is_scrubbed_and_no_own_value_survives(text: str, place: Place) -> None:
    """R-20: whatever stands around it, an own value does not pass, at no place and under no treatment."""
    for scrubber in (REPLACING, FLAGGING):
        for own in OWN:
            seen = scrubber.text(f"{text} {own.value} {text}", place).value
            assert not re.search(rf"(?<![\w-]){re.escape(own.value)}(?![\w-])", seen)


@ENOUGH
@given(
    text=TEXTS,
    place=PLACES,
    hidden=st.text(st.sampled_from("\u200b\u2060\ufe0f\u3164"), min_size=1, max_size=3),
)
def test_no_own_value_survives_with_characters_that_nobody_sees_within(
    text: str, place: Place, hidden: str
) -> None:
    """R-20: what a reader does not see breaks up nothing."""
    for own in OWN:
        broken = hidden.join(own.value)
        assert f" {broken} " not in FLAGGING.text(f"{text} {broken} {text}", place).value


@ENOUGH
@given(text=TEXTS, place=PLACES)
def test_what_was_scrubbed_stays_as_it_is_when_scrubbed_again(text: str, place: Place) -> None:
    once = REPLACING.text(text, place).value

    assert REPLACING.text(once, place).value == once


@ENOUGH
@given(text=TEXTS)
def test_a_flag_changes_nothing_but_own_values_and_each_change_is_where_it_says(text: str) -> None:
    seen = FLAGGING.text(text, Place.RESULT)

    assert all(text[change.start : change.end] == change.found for change in seen.changes)
    if not seen.replaced:
        assert seen.value == text


@ENOUGH
@given(before=_one_of(_PLAIN), own=st.sampled_from(OWN), after=_one_of(_PLAIN))
def test_an_own_value_comes_back_in_arguments(before: str, own: OwnValue, after: str) -> None:
    """What an agent read of its own values it can use in calls: the surrogate becomes the value again."""
    text = f"{before} {own.value} {after}"
    seen = FLAGGING.text(text, Place.RESULT).value

    assert own.value not in seen
    assert FLAGGING.restore({"a": [seen]}) == {"a": [text]}


@pytest.mark.parametrize("scrubber", [REPLACING, FLAGGING], ids=["replaced", "flagged"])
@ENOUGH
@given(text=TEXTS, data=st.data())
def test_a_stream_in_any_pieces_says_what_the_whole_text_says(
    scrubber: Scrubber, text: str, data: st.DataObject
) -> None:
    """Issue 3 item 4: a phrase split over chunks is found, however it was split."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    stream = scrubber.stream(Place.RESULT)
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    said = "".join(stream.feed(piece) for piece in pieces) + stream.end()

    assert said == scrubber.text(text, Place.RESULT).value


@ENOUGH
@given(value=VALUES, place=PLACES)
def test_a_json_value_keeps_its_shape(value: Any, place: Place) -> None:
    """What a schema says of a result still holds: the same types at the same places."""
    seen = REPLACING.json(value, place).value

    assert _shape(seen) == _shape(value)
    json.dumps(seen, allow_nan=False)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [_shape(item) for item in value.values()]
    if isinstance(value, list):
        return ["list", *(_shape(item) for item in value)]
    return type(value).__name__


@ENOUGH
@given(text=TEXTS, cut=st.integers(1, 400))
def test_every_beginning_of_an_own_value_is_held_back(text: str, cut: int) -> None:
    """R-20: of a stream nothing goes out that may go on into an own value, in any of its forms."""
    values = OwnValues(OWN)
    for own in OWN:
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in own.value)
        for form in (own.value, own.value.upper(), base64.b64encode(own.value.encode()).decode(), escaped):
            begun = form[: min(cut, len(form) // 4 * 4 - 4)]
            assert values.held_back(f"{text} {begun}") <= len(text) + 1


@ENOUGH
@given(text=TEXTS, place=st.sampled_from([Place.MESSAGE, Place.RESULT, Place.DEFINITION]))
def test_where_every_kind_is_kept_own_values_alone_are_found(text: str, place: Place) -> None:
    seen = Scrubber(OWN, ContextRules(keep=tuple(StatusKind), results=Treatment.REPLACE)).text(text, place)
    assert all(change.kind is None for change in seen.changes)
    assert list(seen.changes) == list(OwnValues(OWN).find(text))
