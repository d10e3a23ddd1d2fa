"""Members of JSON and lines of `name: value` are weighed in their record (R-20)."""

from pathlib import Path

import pytest

from bench.scrub_corpus import REPLACING
from profiles.context import ContextRules
from sandboxes.errors import PackError
from sandboxes.scrub.listed import listed
from sandboxes.scrub.members import read_members
from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import Pack, shipped_pack
from sandboxes.scrub.rules import PackFile
from sandboxes.scrub.scrubber import Scrubber

FEATURES = (
    "(bias)\t-2\t{kind}\nname rung\t1\t{kind}\nis second\t0.5\t{kind}\nin bot\t0.5\t{kind}\n"
    "beside bot\t1\t{kind}\nbeside garden\t-2\t{kind}\n"
)
SOME = f"(rule) rungs\t-1.5\t\n{FEATURES.format(kind='')}{FEATURES.format(kind='rollout')}"
RUNGS = {"id": "rungs", "kind": "rollout", "put": "first", "examples": ["rung: 4"], "names": ["rung"]}


def scrubber(tmp_path: Path, *, rules: bool = False) -> Scrubber:
    path = tmp_path / "members.tsv"
    path.write_text(SOME)
    files = [PackFile(fields=(RUNGS,))] if rules else []  # type: ignore[arg-type]
    return Scrubber((), REPLACING, Pack(files, members=read_members(path)))


def test_a_member_tells_by_its_name_its_value_and_its_record(tmp_path: Path) -> None:
    """R-20: nobody wrote a rule for such a name; the record says what it is about."""
    seen = scrubber(tmp_path).json({"bot": "desk", "rung": "second", "colour": "red"}, Place.RESULT)

    assert seen.value == {"bot": "desk", "rung": "", "colour": "red"}
    assert [change.rule for change in seen.changes] == ["weighed-rollout-member"]


@pytest.mark.parametrize("record", [{"rung": "second"}, {"bot": "d", "garden": "g", "rung": "second"}])
def test_the_same_member_of_another_record_tells_nothing(tmp_path: Path, record: dict[str, str]) -> None:
    assert scrubber(tmp_path).json(record, Place.RESULT).value == record  # type: ignore[arg-type]


def test_what_a_member_stands_in_counts_and_numbers_stay_numbers(tmp_path: Path) -> None:
    """R-20: names around it are a part of its name; of a number the type is kept."""
    seen = scrubber(tmp_path).json({"bot": {"rung": 4, "hat": 4}}, Place.RESULT)

    assert seen.value == {"bot": {"rung": 0, "hat": 4}}


def test_envelopes_of_protocols_are_left_to_rules(tmp_path: Path) -> None:
    record = {"bot": "desk", "rung": "second"}

    assert scrubber(tmp_path).json(record, Place.HEADER).value == record  # type: ignore[arg-type]


@pytest.mark.parametrize(("beside", "put"), [("desk", "first"), ("garden", "4")])
def test_a_rule_of_fields_finds_nothing_in_a_record_that_speaks_against_it(
    tmp_path: Path, beside: str, put: str
) -> None:
    """R-20: the rung in a garden is none of a rollout."""
    seen = scrubber(tmp_path, rules=True).json({"rung": "4", beside: "b"}, Place.RESULT)

    assert seen.value == {"rung": put, beside: "b"}


def test_lines_of_names_and_values_beside_each_other_are_a_record(tmp_path: Path) -> None:
    """R-20: command output and form mails hold what JSON holds."""
    text = "Who is on call\n\n  Bot .......: desk\n  Rung ......: second\n  Colour ....: red\n"

    seen = scrubber(tmp_path).text(text, Place.RESULT)

    assert seen.value == text.replace("second", "")


def test_pairs_in_one_line_are_a_record(tmp_path: Path) -> None:
    seen = scrubber(tmp_path).text('t=12:04 bot=desk rung=second colour="dark red"', Place.RESULT)

    assert seen.value == 't=12:04 bot=desk rung= colour="dark red"'


@pytest.mark.parametrize(
    "text",
    ["Rung: second", "The bot is new.\nRung: second", "a=1", "see https://x.example/?bot=a&rung=second"],
)
def test_one_name_is_no_list(text: str) -> None:
    assert [*listed(text)] == []


@pytest.mark.parametrize(
    "headers", [{"x-vercel-id": "arn1::k7", "accept": "*/*"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}]
)
def test_names_of_variables_and_headers_go_with_their_values(headers: dict[str, str]) -> None:
    """R-20: they tell by their name, also as members of a map."""
    value = {"headers": {**headers, "X-Amzn-Trace-Id": "1-67"}}

    seen = Scrubber((), REPLACING).json(value, Place.RESULT)  # type: ignore[arg-type]
    flagged = Scrubber((), ContextRules()).json(value, Place.RESULT)  # type: ignore[arg-type]

    assert not any(
        name in str(seen.value) for name in (*headers, "Amzn", "arn1", "10.0.0.1") if name != "accept"
    )
    assert isinstance(seen.value, dict)
    assert len(seen.value["headers"]) == len(value["headers"])  # type: ignore[arg-type]
    assert flagged.value == value
    assert {change.kind for change in flagged.changes} == {change.kind for change in seen.changes}


def test_limits_are_of_shipped_rules() -> None:
    assert read_members().table.least.keys() <= {rule.id for rule in shipped_pack().fields}


def test_a_file_without_a_bias_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "members.tsv"
    path.write_text("name rung\t1\t\n")

    with pytest.raises(PackError, match=r"members\.tsv: has no line '\(bias\)'"):
        read_members(path)


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_that_goes_takes_the_place_of_no_other(order: int) -> None:
    """R-19: what is put for a name may be the name of a member that tells nothing."""
    members = [
        ("x-vercel-id", "fra1::abc"),
        ("x-info", "opening hours"),
        ("x-info-2", "closed"),
        ("", "none"),
    ]
    seen = Scrubber((), REPLACING).json(dict(members[::order]), Place.RESULT).value
    assert isinstance(seen, dict)
    assert len(seen) == len(members)
    assert [seen[name] for name, _ in members[1:]] == [value for _, value in members[1:]]
