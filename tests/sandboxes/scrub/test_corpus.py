"""The corpus of the scrubber is what it says it is: large enough, split by source, and marked right."""

import json
from collections import Counter
from typing import Any

from bench.scrub_corpus import CORPUS, KeyWords, Part, is_gone, measure_part, ordinary, positives
from profiles.context import StatusKind
from scripts.member_cases import members_of


def test_the_corpus_is_large_enough_and_split_by_source() -> None:
    """Issue 4 figures: 400 texts in 12 kinds, 20 of each in the unseen part; 2,000 ordinary lines."""
    texts = {part: list(positives(part)) for part in Part}
    assert sum(map(len, texts.values())) >= 600
    counts = Counter(positive.kind for positive in texts[Part.UNSEEN])
    assert all(counts[kind] >= 20 for kind in StatusKind)
    assert {p.text for p in texts[Part.SEEN]}.isdisjoint(p.text for p in texts[Part.UNSEEN] + texts[Part.FAR])
    assert sum(len(ordinary(part)) for part in Part) >= 2_000


def test_every_text_holds_what_it_says_that_it_tells() -> None:
    """A text from which nothing was taken out counts as not found: the measure itself can fail."""
    assert not [p.kind for part in Part for p in positives(part) if is_gone(p, p.text)]


def test_sentences_to_learn_from_are_of_a_kind_and_none_is_measured_by() -> None:
    lines = [
        line for path in sorted(CORPUS.glob("sentences/*.tsv")) for line in path.read_text().splitlines()
    ]
    told = dict(reversed(line.split("\t")) for line in lines)
    measured = {one.text for part in (Part.UNSEEN, Part.FAR) for one in positives(part)}

    assert set(told.values()) <= {*StatusKind, "-"}
    assert len(told) > 0.99 * len(lines)  # hardly any was written twice
    assert measured.isdisjoint(told)
    assert {line for part in (Part.UNSEEN, Part.FAR) for line, _ in ordinary(part)}.isdisjoint(told)


def test_records_to_learn_from_are_marked_right_and_none_is_measured_by() -> None:
    lines = [
        line for path in sorted(CORPUS.glob("records/*.jsonl")) for line in path.read_text().splitlines()
    ]
    records = [json.loads(line) for line in lines]
    measured = {one.text for part in (Part.UNSEEN, Part.FAR) for one in positives(part)}

    assert {record["kind"] for record in records} <= {*StatusKind, "-"}
    assert all((record["kind"] == "-") is (not record["tells"]) for record in records)
    assert all(_is_there(record, one) for record in records for one in record["tells"])
    assert measured.isdisjoint(record.get("text", json.dumps(record.get("record"))) for record in records)
    assert len(set(lines)) == len(lines)


def _is_there(record: dict[str, Any], one: str) -> bool:
    """Whether what a record marks is there: a phrase of a text, or a member."""
    if "text" in record:
        return one.lower() in record["text"].lower()
    return any(f"{place}.".startswith(f"{one}.") for place, _ in members_of(record["record"]))


def test_blanking_by_key_word_is_no_answer() -> None:
    """Issue 4 figures: the baseline misses more than a third and harms more than part of what is ordinary."""
    for part in (Part.SEEN, Part.UNSEEN):
        words = measure_part(KeyWords(), part)
        assert words.mean < 0.66, words.table()
        assert words.changed > 0.5, words.table()
