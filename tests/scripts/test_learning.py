"""How weights are learned: from sentences, with a limit for each rule that is often wrong (R-20)."""

import gzip
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from profiles.context import StatusKind
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.rules import PackFile
from sandboxes.scrub.weighing import features
from sandboxes.scrub.weights import BIAS, read_table
from scripts import ordinary_texts
from scripts.member_cases import features_of, members_of
from scripts.regression import FEWEST, Learned
from scripts.rule_limits import ENOUGH, LOWEST, OF_PROMPTS, limits
from scripts.weight_texts import sentences_of

TELL = [f"the bot retires in week {week} of spring" for week in range(40)]
TOLD = [(one, StatusKind.DEPRECATION) for one in TELL]
REST = [f"the nurse retires in week {week} of winter" for week in range(400)]


def pack(where: list[str]) -> Pack:
    rule = {"id": "goes", "kind": "deprecation", "put": "", "examples": ["it retires"], "where": where}
    return Pack([PackFile(rules=({**rule, "patterns": [r"\bretires\b"]},))])  # type: ignore[arg-type]


def learn(left_out: Collection[str] = (), tell: Sequence[tuple[str, StatusKind]] = TOLD) -> Learned[str]:
    return Learned(tell, REST, features, left_out, most=1000, most_of_kind=500)


def test_what_is_learned_tells_sentences_apart_that_were_not_seen() -> None:
    told, other = learn().scores(["next spring the bot retires", "next winter the nurse retires"])

    assert told > 0 > other


def test_each_kind_is_learned_against_what_tells_nothing(tmp_path: Path) -> None:
    """R-20: a table that is read says which kind a sentence is of; a kind of few sentences is not learned."""
    more = [(f"the bot sees rung {number} of the ladder", StatusKind.ROLLOUT) for number in range(FEWEST)]
    few = [("the bot costs a lot", StatusKind.QUOTA)] * (FEWEST - 1)
    learned = learn(tell=[*TOLD * 3, *more, *few])
    path = tmp_path / "weights.tsv"
    path.write_text("\n".join(learned.lines({"(x)": 1.0}, {"goes": -2.0}, learned.biases(REST, 0.01))))

    table = read_table(path, (BIAS, "(x)"))

    assert table.settings["(x)"] == 1.0
    assert table.least == {"goes": -2.0}
    assert set(table.kinds) == {StatusKind.DEPRECATION, StatusKind.ROLLOUT}
    for text, kind in (
        ("the bot retires in spring", StatusKind.DEPRECATION),
        ("a rung of the bot", StatusKind.ROLLOUT),
    ):
        found = features(text)
        assert table.best(found, table.settings[BIAS] + table.sum(found))[1] is kind


def test_a_name_is_not_learned() -> None:
    assert not [line for line in learn({"spring"}).lines({}, {}, {None: 0.0}) if "spring" in line]


@pytest.mark.parametrize(
    ("record", "places"),
    [
        ({"a": {"b": "x"}, "c": None}, ["a.b"]),
        ({"rows": [{"n": 1}, {"n": True}], "t": ["u", "v"]}, ["rows.0.n", "rows.1.n", "t.0", "t.1"]),
    ],
)
def test_members_are_named_by_their_places(record: dict[str, Any], places: list[str]) -> None:
    assert [place for place, _ in members_of(record)] == places


def test_a_member_is_read_with_its_record() -> None:
    (member,) = (one for place, one in members_of({"bot": "desk", "at": {"rung": 2}}) if place == "at.rung")

    assert (member.path, member.value) == (("at", "rung"), "2")
    assert {"name rung", "in at", "is 0", "beside desk"} <= features_of(member)


def test_a_rule_asks_for_as_much_as_sets_its_findings_apart() -> None:
    tell = [(sentence, 1.0) for sentence in TELL]
    rest = [(sentence, -4.0) for sentence in REST]

    found = limits(pack(["system"]), tell, rest, lambda _: 0.0)

    assert -4.0 < found["goes"] <= OF_PROMPTS[1]


def test_the_examples_of_a_rule_stay_found() -> None:
    tell, rest = [(one, 1.0) for one in TELL], [(one, -4.0) for one in REST]

    assert limits(pack(["system"]), tell, rest, lambda _: -5.0)["goes"] < -5.0


def test_of_a_rule_that_finds_little_nothing_is_concluded() -> None:
    tell = [(sentence, 1.0) for sentence in TELL[: ENOUGH - 1]]

    assert limits(pack(["system"]), tell, [(sentence, -4.0) for sentence in REST], lambda _: 0.0) == {}


def test_where_nothing_ordinary_is_found_nothing_is_asked() -> None:
    """A limit at the lowest is none."""
    tell = [(sentence, LOWEST - 1) for sentence in TELL]

    assert limits(pack(["result"]), tell, [(REST[0], LOWEST - 2)], lambda _: 0.0) == {}


def test_what_is_no_sentence_is_not_learned_from() -> None:
    found = [*sentences_of("The bot is new here. It came on Monday to help. x = 1")]

    assert found == ["The bot is new here.", "It came on Monday to help."]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "maint-guide/a.html",
            "<p>One <b>two</b>\nthree</p><pre>x = 1</pre><li>Four",
            ["One two three", "Four"],
        ),
        ("debian-policy/a.txt.gz", "One\ntwo\n\nThree", ["One two", "Three"]),
        ("fortunes/games/fortunes/a", "One\n%\nTwo", ["One", "Two"]),
        ("wordnet-base/data.noun", '1 n | a sort of; "It is so"\n2 n | another', ["It is so", "another"]),
        ("wesnoth-1.16-data/a.cfg", 'message= _ "Hold the gate!"\nx="no"', ["Hold the gate!"]),
    ],
)
def test_texts_are_read_out_of_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, told: list[str]
) -> None:
    monkeypatch.setattr(ordinary_texts, "UNPACKED", tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())

    assert [
        part.strip() for part in ordinary_texts.paragraphs(file.partition("/")[0]) if part.strip()
    ] == told
