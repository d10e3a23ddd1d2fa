"""Reviews by the command, with keys that `ssh-keygen` uses: listed, printed, read, closed."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles.effects import Effect
from runtime.clock import new_id
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.record.events import Event, EventKind
from tests.standins.counter import Counter, Printed
from tests.standins.deployed import deployed
from tests.standins.persons import Person
from tests.standins.reviewing import RUN, began
from tests.standins.towns import DORA, LENA, OLGA, ROSA, grant
from tests.standins.workshop import PROFILE


@pytest.fixture
def desk(counter: Counter) -> Counter:
    """A counter with an agent that owes its first reviews, may draft, and was just denied something."""
    town = counter.shop.town
    town.tamper("UPDATE deployment SET profile_text = :profile", profile=PROFILE)
    deployment = deployed(town, "clerk", profile="action-executor")
    ends = town.now + timedelta(days=7)
    order = Order(new_id("grant"), deployment, Effect.DRAFT, town.now, ends, "unix:someone", "olga")
    assert isinstance(grant(town, order, ROSA), Issued)
    began(town, "clerk", deployment)
    denied = Event(
        kind=EventKind.ACTION_DECISION,
        at=town.now,
        agent="clerk",
        deployment=deployment,
        run=RUN,
        data={"answer": "deny", "name": None, "reasons": ["unknown_tool"]},
    )
    town.write(lambda tx: tx.append(denied))
    town.later(minutes=1)
    assert counter.type("review", "run").code == 0
    return counter


def review_of(desk: Counter) -> str:
    rows = desk.ask("review", "list", "--agent", "clerk")["reviews"]
    return next(str(row["review"]) for row in rows if row["kind"] == "periodic")


def printed(desk: Counter) -> tuple[str, Any]:
    """Print the periodic review; return its id and the answer."""
    review = review_of(desk)
    return review, desk.ask("review", "run", review)


def words(packet: Any, directory: Path, **changes: Any) -> str:
    """A file that says something about everything in a packet; return its name."""
    said = {
        "dispositions": [
            {"pattern": one["id"], "disposition": "explained", "text": "a test"} for one in packet["patterns"]
        ],
        "answers": ["no" for _ in packet["questions"]],
        **changes,
    }
    path = directory / "words.json"
    path.write_text(json.dumps(said))
    return str(path)


def close(desk: Counter, review: str, answer: Any, file: str, *more: str, person: Person = ROSA) -> Printed:
    said = ("review", "close", review, "--dispositions", file, "--yes", "--digest", answer["digest"][:12])
    return desk.type(*said, *more, person=person)


def test_the_list_shows_what_is_owed_and_in_how_long(desk: Counter) -> None:
    """R-85, R-92."""
    lines = desk.type("review", "list", "--agent", "clerk").out.splitlines()

    assert lines[0].split() == ["REVIEW", "AGENT", "KIND", "DUE", "IN", "STATE", "PRINTED"]
    assert lines[1].split()[1:3] == ["clerk", "periodic"]
    assert lines[1].split()[5] == "6d23h"
    assert max(map(len, lines)) <= 100


def test_a_packet_is_read_at_the_terminal_within_100_columns(desk: Counter) -> None:
    review, answer = printed(desk)
    shown = desk.type("review", "show", review).out

    assert shown.startswith(f"REVIEW {review}  agent=clerk")
    assert shown.endswith(f"packet {answer['digest']}\n")
    assert "a tool outside the profile was denied: unknown_tool" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "# REVIEW"), ("html", "<!DOCTYPE html>"), ("json", '{\n  "head"')]
)
def test_a_packet_is_written_to_a_new_file_in_each_form(
    desk: Counter, tmp_path: Path, form: str, begins: str
) -> None:
    review, answer = printed(desk)
    out = tmp_path / "packet"
    first = desk.type("review", "show", review, "--format", form, "-o", str(out))
    again = desk.type("review", "show", review, "--format", form, "-o", str(out))

    assert first.code == 0, first.err
    assert answer["digest"] in first.err
    assert out.read_text().startswith(begins)
    assert again.code == 2
    assert out.stat().st_mode & 0o077 == 0


def test_a_packet_whose_file_is_called_dash_is_printed(
    desk: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    review, _ = printed(desk)
    said = desk.type("review", "show", review, "--format", "markdown", "-o", "-")

    assert said.out.startswith("# REVIEW")
    assert not Path("-").exists()


def test_an_unknown_form_is_a_wrong_command_line(desk: Counter) -> None:
    review, _ = printed(desk)
    said = desk.type("review", "show", review, "--format", "pdf")

    assert said.code == 2
    assert "expected text, markdown, html, json" in said.err


def test_a_review_that_was_not_printed_says_how_to_print_it(desk: Counter) -> None:
    review = review_of(desk)
    said = desk.type("review", "show", review)

    assert said.code == 3
    assert f"handrail review run {review}" in said.err


def test_closing_says_who_closed_what_was_renewed_and_what_is_next(desk: Counter, tmp_path: Path) -> None:
    """R-36, R-39, R-81."""
    review, answer = printed(desk)
    said = close(desk, review, answer, words(answer["packet"], tmp_path))

    assert said.code == 0, said.err
    first, *others = said.out.splitlines()
    assert first == f"{review} is closed by rosa"
    assert sum(line.startswith("grant ") for line in others) == 1
    assert others[-1].startswith("next: rev-")
    assert review_of(desk) == others[-1].removeprefix("next: ")
    assert not answer["said"]


def test_no_grant_is_renewed_where_that_is_asked_for(desk: Counter, tmp_path: Path) -> None:
    review, answer = printed(desk)
    said = close(desk, review, answer, words(answer["packet"], tmp_path), "--no-renewal")

    assert said.code == 0, said.err
    assert not any(line.startswith("grant ") for line in said.out.splitlines())


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [({"dispositions": []}, "a disposition of pat-"), ({"answers": ["no"]}, "answers to 2 questions, got 1")],
)
def test_what_is_lacking_is_said_and_nothing_is_signed(
    desk: Counter, tmp_path: Path, changes: dict[str, Any], lacks: str
) -> None:
    review, answer = printed(desk)
    said = close(desk, review, answer, words(answer["packet"], tmp_path, **changes))

    assert said.code == 3
    assert lacks in said.err
    assert review_of(desk) == review


@pytest.mark.parametrize("content", ["[]", "{", '{"more": 1}', '{"dispositions": [{"pattern": "x"}]}'])
def test_a_file_of_another_shape_is_refused(desk: Counter, tmp_path: Path, content: str) -> None:
    review, answer = printed(desk)
    path = tmp_path / "words.json"
    path.write_text(content)
    said = close(desk, review, answer, str(path))

    assert said.code == 2
    assert "words.json: " in said.err


@pytest.mark.parametrize(
    ("person", "why"), [(OLGA, "the agent's owner"), (LENA, "takes one of the roles domain-reviewer")]
)
def test_whose_word_does_not_count_is_told_so(
    desk: Counter, tmp_path: Path, person: Person, why: str
) -> None:
    review, answer = printed(desk)
    said = close(desk, review, answer, words(answer["packet"], tmp_path), person=person)

    assert said.code == 3
    assert why in said.err


def test_the_digest_of_an_older_packet_closes_nothing(desk: Counter, tmp_path: Path) -> None:
    """F8."""
    review, old = printed(desk)
    desk.shop.town.later(minutes=1)
    printed(desk)
    said = close(desk, review, old, words(old["packet"], tmp_path))

    assert said.code == 3
    assert "--digest does not fit" in said.err


def test_a_review_is_not_closed_twice(desk: Counter, tmp_path: Path) -> None:
    review, answer = printed(desk)
    file = words(answer["packet"], tmp_path)
    codes = [close(desk, review, answer, file, person=who).code for who in (ROSA, DORA)]

    assert codes == [0, 3]


def test_without_a_terminal_the_packet_is_shown_and_nothing_is_asked(desk: Counter, tmp_path: Path) -> None:
    review, answer = printed(desk)
    without = desk.type("review", "close", review, person=ROSA)
    with_words = desk.type(
        *("review", "close", review, "--dispositions", words(answer["packet"], tmp_path)), person=ROSA
    )

    assert (without.code, with_words.code) == (2, 2)
    assert "--dispositions FILE" in without.err
    assert f"--digest {answer['digest'][:12]}" in with_words.err
    assert "explained: a test" in with_words.out
    assert "renews draft until" in with_words.out
    assert review_of(desk) == review


def test_the_closed_ones_are_listed_when_asked_for(desk: Counter, tmp_path: Path) -> None:
    review, answer = printed(desk)
    close(desk, review, answer, words(answer["packet"], tmp_path))
    states = {row["review"]: row["state"] for row in desk.ask("review", "list", "--past")["reviews"]}

    assert states[review] == "closed"
    assert review not in {row["review"] for row in desk.ask("review", "list")["reviews"]}
    assert desk.ask("review", "list", "--agent", "nobody")["reviews"] == []


def test_a_review_that_is_not_there_is_named(desk: Counter) -> None:
    said = desk.type("review", "show", "rev-0")

    assert said.code == 1
    assert "no review rev-0" in said.err
