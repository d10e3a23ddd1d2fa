"""Sentences are weighed by their words where no rule finds anything (R-20)."""

from pathlib import Path

import pytest

from bench.new_texts import paragraphs
from bench.scrub_corpus import REPLACING
from profiles.context import StatusKind
from sandboxes.errors import PackError
from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import Pack, shipped_pack
from sandboxes.scrub.rules import PackFile
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.view import view_of
from sandboxes.scrub.weighing import features, read_weights

FEATURES = "(bias)\t-1\t{kind}\npastur\t0.8\t{kind}\nto pastur\t0.4\t{kind}\ncow\t-2\t{kind}\n"
SOME = (
    "(strong)\t0.5\t\n(loose)\t-0.3\t\n(rule) off-it-goes\t-2\t\n"
    f"{FEATURES.format(kind='')}{FEATURES.format(kind='deprecation')}"
    "(bias)\t-1\trelease\nto pastur\t0.4\trelease\n"
)


def weights(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "weights.tsv"
    path.write_text(text)
    return path


def test_a_sentence_tells_whose_words_outweigh_the_bias(tmp_path: Path) -> None:
    """R-20: words and pairs of words count, those that speak against it too; the kind is the heaviest's."""
    weigher = read_weights(weights(tmp_path, SOME))

    found = weigher.rule("they are off to pasture with it")

    assert found is not None
    assert found.kind is StatusKind.DEPRECATION
    assert weigher.rule("a pasture of a cow here") is None
    assert weigher.rule("the cow goes to pasture now") is None


def test_less_is_enough_where_no_documents_stand(tmp_path: Path) -> None:
    """R-20: prompts and messages speak to the agent; results are documents for the most part."""
    found = read_weights(weights(tmp_path, SOME)).rule("a green pasture with high grass")

    assert found is not None
    assert set(Place) - set(found.where) == {Place.RESULT, Place.HEADER}


def test_forms_of_a_word_are_weighed_alike() -> None:
    assert features("Retiring 3 Models") == features("retired 40 model")


def test_the_sentence_before_does_not_count(tmp_path: Path) -> None:
    """R-20: an innocent sentence is not taken out because of its neighbour."""
    weigher = read_weights(weights(tmp_path, SOME))

    found = [*weigher.find(b"they put it out to pasture.\nthe grass is green and high.")]

    assert [(first, last) for first, last, _ in found] == [(0, 27)]


def test_a_sentence_without_a_strong_word_is_not_weighed(tmp_path: Path) -> None:
    weigher = read_weights(weights(tmp_path, SOME.replace("0.5", "0.9").replace("-1", "0")))

    assert [*weigher.find(b"they are off to pasture with it")] == []


def test_places_of_sentences_are_those_of_the_view(tmp_path: Path) -> None:
    weigher = read_weights(weights(tmp_path, SOME))
    view = one_a_line(b"Good morning to you. They put it out to pasture. Good bye to all.")

    assert [view[first:last] for first, last, _ in weigher.find(view)] == [b"They put it out to pasture."]


def test_a_rule_comes_first_and_the_whole_sentence_goes_else(tmp_path: Path) -> None:
    """R-20: what is found by weight is replaced as a sentence, and named in the changes."""
    one = Scrubber((), REPLACING, Pack((), read_weights(weights(tmp_path, SOME))))

    seen = one.text("Keep the ledger. We put it out to pasture. Thank you.", Place.RESULT)

    assert seen.value == "Keep the ledger. Thank you."
    assert [change.rule for change in seen.changes] == ["weighed-deprecation"]


@pytest.mark.parametrize(("rule", "found"), [("off-it-goes", 0), ("another", 1)])
def test_a_rule_finds_nothing_where_words_weigh_less_than_it_needs(
    tmp_path: Path, rule: str, found: int
) -> None:
    """R-20: what is said of much else tells only in sentences whose other words allow it."""
    told = {"id": rule, "kind": "deprecation", "put": "", "examples": ["off it goes"]}
    file = PackFile(rules=({**told, "patterns": ["\\boff it goes"]},))  # type: ignore[arg-type]
    pack = Pack((file,), read_weights(weights(tmp_path, SOME)))

    assert [hit.rule.id for hit in pack.find(b"And off it goes.")] == [rule]
    assert len(pack.find(b"A cow is sold. The cow moos, off it goes. Hm.")) == found
    assert len(pack.find(b"The cow is sold, and then some cow. Now off it goes.")) == 1


def test_a_sentence_that_tells_goes_whole_whatever_a_rule_finds_in_it(tmp_path: Path) -> None:
    """R-20: what is put for a part of it, or a rule of another place, hides no sentence from the weights."""
    rule = {"id": "out", "kind": "model", "put": "there", "examples": ["out"], "where": ["system"]}
    file = PackFile(rules=({**rule, "patterns": ["\\bout\\b"]},))  # type: ignore[arg-type]
    scrubber = Scrubber((), REPLACING, Pack((file,), read_weights(weights(tmp_path, SOME))))

    for place in (Place.SYSTEM, Place.RESULT):
        seen = scrubber.text("Keep it. We put it out to pasture.", place)

        assert seen.value == "Keep it. "
        assert [change.rule for change in seen.changes] == ["weighed-deprecation"]


def test_shipped_weights_find_what_no_rule_says_and_leave_documents_alone() -> None:
    """R-20: of sentences of documentation, which hardly any tells, few are found."""
    weigher = read_weights()
    views = [one_a_line(view_of(text).data) for text in paragraphs(most=600)]
    found = sum(len([*weigher.find(view)]) for view in views)
    sentences = sum(view.count(b"\n") + 1 for view in views)

    assert weigher.rule("the assistant is put out to pasture once the new bot arrives") is not None
    assert found / sentences < 0.001


def test_every_limit_is_that_of_a_shipped_rule() -> None:
    """A limit of a rule that has another name by now would be none, and nobody would notice."""
    assert read_weights().table.least.keys() <= {rule.id for rule in shipped_pack().texts}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pasture 0.8\n", "line 1: 'pasture 0.8': expected a word, a weight and a kind"),
        ("pasture\theavy\tmodel\n", "line 1"),
        ("pasture\t1\tfarm\n", "line 1"),
        ("pasture\t1\tmodel\n", "has no line '(bias)'"),
    ],
)
def test_a_broken_file_is_refused_by_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PackError) as error:
        read_weights(weights(tmp_path, text))
    assert told in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot be read"):
        read_weights(tmp_path / "none.tsv")
